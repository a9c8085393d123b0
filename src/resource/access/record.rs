//! The access control list of one resource, and its bytes in the store.
//!
//! A record is: flags (`u8`: 1 if it has grants of its own, 2 if sources are ignored), owner (text, empty if none), number of
//! grants (varint), grants: kind of grantee (`u8`), name (text), rights (`u8`).

use super::Rights;
use crate::store::StoreError;
use crate::store::codec::{Input, damaged, put_text, put_uint};

const HAS_GRANTS: u8 = 1;
const IGNORES_SOURCES: u8 = 2;

/// To whom rights are granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// Whoever asks.
    Everybody,
    /// Whoever has told who they are.
    LoggedIn,
    /// A user.
    User(String),
    /// The users of a group.
    Group(String),
}

/// Rights, granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub to: Grantee,
    /// What they may do.
    pub rights: Rights,
}

/// What is recorded about the access to a base or a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// Who created it, or was given it. May do all with it and what is below.
    pub owner: Option<String>,
    /// Who else may do what; `None`: as for its container.
    pub grants: Option<Vec<Grant>>,
    /// Whether a computed trace may be read by those who may not read its sources.
    pub ignores_sources: bool,
}

impl Acl {
    /// Returns the record of a resource that somebody creates.
    pub fn of_owner(owner: &str) -> Self {
        Self {
            owner: Some(owner.to_owned()),
            ..Self::default()
        }
    }

    /// Returns the bytes to keep.
    pub fn encode(&self) -> Vec<u8> {
        let mut flags = 0;
        if self.grants.is_some() {
            flags |= HAS_GRANTS;
        }
        if self.ignores_sources {
            flags |= IGNORES_SOURCES;
        }
        let mut out = vec![flags];
        put_text(&mut out, self.owner.as_deref().unwrap_or(""));
        let grants = self.grants.as_deref().unwrap_or_default();
        put_uint(&mut out, grants.len() as u64);
        for grant in grants {
            let (kind, name) = match &grant.to {
                Grantee::Everybody => (0, ""),
                Grantee::LoggedIn => (1, ""),
                Grantee::User(name) => (2, name.as_str()),
                Grantee::Group(name) => (3, name.as_str()),
            };
            out.push(kind);
            put_text(&mut out, name);
            out.push(grant.rights.bits());
        }
        out
    }

    /// Returns the list of some bytes.
    ///
    /// # Errors
    /// `Damaged`: what cannot be understood grants nothing to anybody.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut input = Input(bytes);
        let flags = input.byte()?;
        let owner = Some(input.text()?.to_owned()).filter(|owner| !owner.is_empty());
        let mut grants = Vec::new();
        for _ in 0..input.uint()? {
            let kind = input.byte()?;
            let name = input.text()?.to_owned();
            let to = match kind {
                0 => Grantee::Everybody,
                1 => Grantee::LoggedIn,
                2 => Grantee::User(name),
                3 => Grantee::Group(name),
                _ => return Err(damaged()),
            };
            let rights = Rights::from_bits(input.byte()?);
            grants.push(Grant { to, rights });
        }
        Ok(Self {
            owner,
            grants: Some(grants).filter(|_| flags & HAS_GRANTS != 0),
            ignores_sources: flags & IGNORES_SOURCES != 0,
        })
    }
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    fn grant() -> impl Strategy<Value = Grant> {
        let to = prop_oneof![
            Just(Grantee::Everybody),
            Just(Grantee::LoggedIn),
            any::<String>().prop_map(Grantee::User),
            any::<String>().prop_map(Grantee::Group),
        ];
        (to, 0..16u8).prop_map(|(to, bits)| Grant {
            to,
            rights: Rights::from_bits(bits),
        })
    }

    proptest! {
        #[test]
        fn records_come_back(
            owner in prop::option::of("\\PC+"),
            grants in prop::option::of(prop::collection::vec(grant(), 0..4)),
            ignores_sources: bool,
        ) {
            let acl = Acl { owner, grants, ignores_sources };
            prop_assert_eq!(Acl::decode(&acl.encode()).ok(), Some(acl));
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            let _ = Acl::decode(&bytes);
        }
    }
}
