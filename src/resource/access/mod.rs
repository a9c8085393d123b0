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
mod sources;

use std::collections::HashSet;
use std::ops::BitOr;
use std::sync::Arc;

pub(super) use aspect::{read, replace, reset, settle_edition, tag};
pub use record::{Acl, Grant, Grantee};

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

    /// Returns the set without some rights, each alone.
    #[must_use]
    fn without_read(self) -> Self {
        Self(self.0 & !Self::READ.0)
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

/// Who sends a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visitor {
    /// The name of the user; `None` for a stranger.
    pub user: Option<String>,
    /// The groups of the user.
    pub groups: Vec<String>,
    /// Whether the user may do all.
    pub is_admin: bool,
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
        self.rights_met(whole, head, &mut HashSet::new())
    }

    /// As [`Self::rights`], where some computed traces are being looked at already: they stand or fall with the one
    /// that was asked about first.
    fn rights_met(&self, whole: &dyn Reading, head: &Head, met: &mut HashSet<String>) -> Result<Rights> {
        if self.visitor.is_admin {
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
    fn granted(&self, whole: &dyn Reading, path: &str) -> Result<Rights> {
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

    /// Tells whether an identifier is that of the base that belongs to the visitor: it has their name.
    pub(super) fn is_own_base(&self, id: &str) -> bool {
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
