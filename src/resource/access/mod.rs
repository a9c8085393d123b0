//! Who may do what: the one place where access is decided, for every read and every write.
//!
//! A request carries an [`Access`] (none where nobody asks who it is: then nothing is hidden, and nothing is looked
//! up). It is used twice, so that what one forgets the other holds back:
//!
//! * as the [`Sight`](crate::store::Sight) of the store: a visitor's snapshot has only what they may read, be it found by
//!   its path, listed, or met by a query. What is not seen does not exist, for them;
//! * as the [`Rights`] of the [`Target`](super::Target) of a request: each operation asks for those that the row of the
//!   kind [`Needs`].
//!
//! An access control list ([`Acl`]) is about a base or a trace and holds for all that is below, until another one takes
//! its place. Owners and managers keep all rights on what is below, whatever is said there.

mod aspect;
pub mod lists;
mod record;
mod shown;
mod sources;
pub mod token;

use std::collections::HashSet;
use std::ops::BitOr;
use std::sync::Arc;

pub(super) use aspect::{read, replace, reset, settle_edition, tag, try_list};
pub use record::{Acl, Grant, Grantee};
pub(super) use shown::{hide_edition, tag_of};

use super::Settings;
use super::path::{container, is_identifier};
pub use crate::config::Policy;
use crate::error::{Error, Result};
use crate::store::{Head, Kind, Reading, acls};

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self(0);
    /// To read.
    pub const READ: Self = Self(1);
    /// To add obsels to a trace.
    pub const ADD: Self = Self(2);
    /// To create, change and delete; includes the former.
    pub const WRITE: Self = Self(7);
    /// To say who may do what; includes the former.
    pub const MANAGE: Self = Self(15);
    /// All rights.
    pub const ALL: Self = Self::MANAGE;

    /// Tells whether all of some rights are in the set.
    pub fn include(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Tells whether what asks for a right may be done. Who was granted a right that includes another, and has lost the latter
    /// (who may manage a computed trace whose sources they may not read), may still do what the former alone lets one do.
    pub fn allow(self, needed: Self) -> bool {
        let own = match needed.0.checked_ilog2() {
            Some(highest) => 1 << highest,
            None => 0,
        };
        self.0 & own == own
    }

    /// Returns the set without the right to read, alone.
    #[must_use]
    fn without_read(self) -> Self {
        Self(self.0 & !Self::READ.0)
    }

    /// Returns the rights that are in both sets.
    #[must_use]
    pub fn common(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Returns the set without a right, and without those that include it.
    #[must_use]
    pub fn without(self, right: Self) -> Self {
        let kept = RIGHTS.iter().filter(|(_, it)| self.include(*it) && !it.include(right));
        kept.fold(Self::NONE, |kept, (_, it)| kept | *it)
    }

    /// Returns the rights that can be granted, with their names, from the least one.
    pub fn each() -> impl Iterator<Item = (&'static str, Self)> {
        RIGHTS.iter().copied()
    }

    /// Returns the right of a name.
    pub fn named(name: &str) -> Option<Self> {
        RIGHTS.iter().find(|(known, _)| *known == name).map(|(_, right)| *right)
    }

    /// Returns the names of the rights of the set, without those that others of them include.
    pub fn names(self) -> Vec<&'static str> {
        let had: Vec<_> = RIGHTS.iter().filter(|(_, right)| self.include(*right)).collect();
        let is_included = |right: Self| had.iter().any(|(_, other)| *other != right && other.include(right));
        had.iter()
            .filter(|(_, right)| !is_included(*right))
            .map(|(name, _)| *name)
            .collect()
    }

    /// Returns the bits, for the store.
    fn bits(self) -> u8 {
        self.0
    }

    /// Returns the set of some bits; those that are unknown are left out.
    fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The names of the rights.
static RIGHTS: [(&str, Rights); 4] = [
    ("read", Rights::READ),
    ("add", Rights::ADD),
    ("write", Rights::WRITE),
    ("manage", Rights::MANAGE),
];

/// What a kind of resource asks for. A kind cannot be declared without: see the rows of `KINDS`.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// For a GET of it, of its aspects and of what it holds.
    pub read: Rights,
    /// For a POST to it.
    pub create: Rights,
    /// For a PUT to it or to an aspect.
    pub replace: Rights,
    /// For a DELETE of it, of its obsels or of one of them.
    pub delete: Rights,
}

impl Needs {
    /// What most kinds ask for.
    pub const USUAL: Self = Self {
        read: Rights::READ,
        create: Rights::WRITE,
        replace: Rights::WRITE,
        delete: Rights::WRITE,
    };
}

/// To what the rights of a visitor are limited, whatever is granted to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The path of a resource: they have no rights but on it and on what is below.
    pub path: String,
    /// They have no other rights than these.
    pub rights: Rights,
}

impl Limit {
    /// Returns what is left of some rights on a resource.
    fn of(&self, path: &str, rights: Rights) -> Rights {
        let is_below = match path.strip_prefix(self.path.as_str()) {
            Some(rest) => rest.is_empty() || self.path.is_empty() || self.path.ends_with('/'),
            None => false,
        };
        if is_below {
            rights.common(self.rights)
        } else {
            Rights::NONE
        }
    }

    /// Tells whether more could be had by what may be created within the limit: a trace that is computed from what is out of it.
    fn lets_create(&self) -> bool {
        self.rights.0 & (Rights::WRITE.0 & !Rights::ADD.0 & !Rights::READ.0) != 0
    }
}

/// Who sends a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// The name of the user; `None` for a stranger.
    pub user: Option<String>,
    /// The groups of the user.
    pub groups: Vec<String>,
    /// Whether the user may do all, within the limit.
    pub is_admin: bool,
    /// To what they are limited.
    pub limit: Option<Limit>,
    /// In which way they told who they are, as the configuration calls it; empty for a stranger.
    pub way: &'static str,
    /// The id of the personal token that they have shown.
    pub token: Option<String>,
}

impl Visitor {
    /// Longest name of a user or of a group, in bytes.
    const NAME_BYTES: usize = 256;

    /// Tells whether a text can be the name of a user or of a group.
    pub fn is_name(name: &str) -> bool {
        !name.is_empty() && name.len() <= Self::NAME_BYTES && !name.contains(char::is_control)
    }
}

/// The access of one request.
#[derive(Clone, Debug)]
pub struct Access {
    visitor: Visitor,
    policy: Policy,
    settings: Arc<Settings>,
}

impl Access {
    /// Returns the access of a visitor.
    pub fn new(visitor: Visitor, policy: Policy, settings: &Arc<Settings>) -> Arc<Self> {
        Arc::new(Self {
            visitor,
            policy,
            settings: Arc::clone(settings),
        })
    }

    /// Returns the visitor.
    pub fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// Returns what the visitor may do with a resource.
    ///
    /// # Errors
    /// Those of the store.
    pub fn rights(&self, whole: &dyn Reading, head: &Head) -> Result<Rights> {
        let rights = self.rights_met(whole, head, &mut HashSet::new())?;
        Ok(match &self.visitor.limit {
            Some(limit) => limit.of(&head.path, rights),
            None => rights,
        })
    }

    /// Tells whether nothing has to be looked up, since the visitor may do all.
    pub(super) fn may_all(&self) -> bool {
        self.visitor.is_admin && self.visitor.limit.is_none()
    }

    /// As [`Self::rights`], where some computed traces are being looked at already: they stand or fall with the one
    /// that was asked about first.
    fn rights_met(&self, whole: &dyn Reading, head: &Head, met: &mut HashSet<String>) -> Result<Rights> {
        if self.may_all() {
            return Ok(Rights::ALL);
        }
        if head.kind != Kind::ComputedTrace {
            return self.granted(whole, &head.path);
        }
        let Some(entry) = whole.entry(&head.path)? else {
            return Ok(Rights::NONE);
        };
        let granted = match sources::owner(whole, &entry)? {
            // An intermediate trace is a part of another.
            Some(owner) if met.insert(head.path.clone()) => return self.rights_met(whole, &owner, met),
            Some(_) => Rights::ALL,
            None => self.granted(whole, &head.path)?,
        };
        if granted.include(Rights::READ) && !sources::are_readable(self, whole, &entry, met)? {
            return Ok(granted.without_read());
        }
        Ok(granted)
    }

    /// Returns what the lists and the policy grant at a path, be something there or not.
    ///
    /// A limit is looked at here too where it would let one create. One that only reads or adds cannot choose what
    /// computed traces are made of: what their sources are is not held against it.
    fn granted(&self, whole: &dyn Reading, path: &str) -> Result<Rights> {
        let rights = self.granted_without_limit(whole, path)?;
        Ok(match &self.visitor.limit {
            Some(limit) if limit.lets_create() => limit.of(path, rights),
            _ => rights,
        })
    }

    fn granted_without_limit(&self, whole: &dyn Reading, path: &str) -> Result<Rights> {
        let user = self.visitor.user.as_deref();
        if self.visitor.is_admin {
            return Ok(Rights::ALL);
        }
        let mut nearest = None;
        let mut current = Some(path);
        while let Some(place) = current {
            if user.is_some() && place.strip_suffix('/').is_some_and(|id| self.is_own_base(id)) {
                return Ok(Rights::ALL);
            }
            if let Some(bytes) = acls::acl(whole, place)? {
                let acl = Acl::decode(&bytes)?;
                if user.is_some() && acl.owner.as_deref() == user {
                    return Ok(Rights::ALL);
                }
                if let Some(grants) = &acl.grants {
                    let rights = self.of_grants(grants);
                    if rights.include(Rights::MANAGE) {
                        return Ok(Rights::ALL);
                    }
                    nearest.get_or_insert(rights);
                }
            }
            current = container(place);
        }
        let mut rights = nearest.unwrap_or(match self.policy {
            Policy::Open => Rights::WRITE,
            Policy::ReadOnly => Rights::READ,
            Policy::Private => Rights::NONE,
        });
        // The root lists only what its reader may read: it is the way to it.
        if path.is_empty() && user.is_some() {
            rights = rights | Rights::READ;
        }
        Ok(rights)
    }

    fn of_grants(&self, grants: &[Grant]) -> Rights {
        let visitor = &self.visitor;
        grants
            .iter()
            .filter(|grant| match &grant.to {
                Grantee::Everybody => true,
                Grantee::LoggedIn => visitor.user.is_some(),
                Grantee::User(name) => visitor.user.as_ref() == Some(name),
                Grantee::Group(name) => visitor.groups.contains(name),
            })
            .fold(Rights::NONE, |rights, grant| rights | grant.rights)
    }

    /// Tells whether the visitor may create the base of an identifier in the root, where they may create no other: it has their
    /// name.
    pub(super) fn may_create_own_base(&self, id: &str) -> bool {
        let is_within = |limit: &Limit| limit.of("", Rights::WRITE) == Rights::WRITE;
        self.is_own_base(id) && self.visitor.limit.as_ref().is_none_or(is_within)
    }

    fn is_own_base(&self, id: &str) -> bool {
        self.visitor.user.as_deref() == Some(id) && is_identifier(id)
    }

    /// Tells whether a visitor who may read a resource may also read all that is below.
    fn reads_all_below(&self, whole: &dyn Reading, path: &str) -> Result<bool> {
        if !self.granted(whole, path)?.include(Rights::READ) {
            return Ok(false);
        }
        let mut all = true;
        acls::for_each_acl_below(whole, path, &mut |path, _| {
            all = self.granted(whole, path)?.include(Rights::READ);
            Ok(if all {
                std::ops::ControlFlow::Continue(())
            } else {
                std::ops::ControlFlow::Break(())
            })
        })?;
        // The root may be read by those who may not read what holds where no list says otherwise.
        Ok(all && (!path.is_empty() || self.granted(whole, "-/")?.include(Rights::READ)))
    }

    /// Returns the error that hides a resource, or tells that there is none: both are one. Strangers are asked who they are,
    /// unless all is open: then they may always try again with a name.
    pub(super) fn absent(&self) -> Error {
        if self.visitor.user.is_some() || self.policy == Policy::Open {
            Error::NotFound
        } else {
            Error::LoginRequired
        }
    }

    /// Returns the refusal of what a visitor may not do with a resource that they know of.
    pub(super) fn refusal(&self, iri: &str) -> Error {
        match &self.visitor.user {
            None => Error::LoginRequired,
            Some(user) => Error::Denied(format!("{user} may not do this with <{iri}>")),
        }
    }
}
