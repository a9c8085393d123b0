//! Personal tokens, for collectors and scripts: who has one is its owner, within its limits.
//!
//! A token is `ktbs_ID_SECRET`: the id finds its record, the secret is 32 random bytes, of which only a digest is kept. A digest that
//! is quick is enough, since nobody can try that many secrets. A record is: flags (`u8`: 1 if it expires, 2 if it is limited), owner (text), label
//! (text), number of groups (varint), groups (text), time of creation (varint), time of expiry (varint, if it expires), path
//! (text) and rights (`u8`) (if it is limited), digest (32 bytes).

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Limit, Rights};
use crate::error::{Error, Result};
use crate::store::codec::{Input, damaged, put_text, put_uint};
use crate::store::{Store, StoreError, tokens};

/// What all personal tokens begin with, so that they are known at sight.
pub const PREFIX: &str = "ktbs_";

const EXPIRES: u8 = 1;
const LIMITED: u8 = 2;

/// Bytes of an id, and of a secret.
const ID: usize = 8;
const SECRET: usize = 32;

/// A personal token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The user in whose name it speaks.
    pub owner: String,
    /// What it is for.
    pub label: String,
    /// The groups of the user, as far as the token knows.
    pub groups: Vec<String>,
    /// When it was made, in seconds since the epoch.
    pub created: u64,
    /// From when on it is refused, in seconds since the epoch.
    pub expires: Option<u64>,
    /// What it is limited to.
    pub limit: Option<Limit>,
}

/// What a token that was shown is worth.
#[derive(Debug)]
pub enum Shown {
    /// It is good: its id, and all that is known of it.
    Good(String, Token),
    /// It is not; why, without its secret.
    Wrong(String),
}

impl Token {
    /// Makes a token of this description, and returns its text, which nobody can find again.
    ///
    /// # Errors
    /// `Internal` if the system has no random bytes to give; those of the store.
    pub fn create(&self, store: &Store) -> Result<(String, String)> {
        let mut random = [0; ID + SECRET];
        getrandom::fill(&mut random).map_err(|error| Error::Internal(format!("no random bytes: {error}")))?;
        let (id, secret) = random.split_at(ID);
        let id = id.iter().fold(String::new(), |mut id, byte| {
            // A text takes all that is written.
            let _ = write!(id, "{byte:02x}");
            id
        });
        let text = format!("{PREFIX}{id}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret));
        let mut change = store.write()?;
        change.put_token(&id, &self.encode(&digest(&text)))?;
        change.commit()?;
        Ok((id, text))
    }

    /// Returns the bytes to keep.
    fn encode(&self, digest: &[u8; 32]) -> Vec<u8> {
        let mut flags = 0;
        if self.expires.is_some() {
            flags |= EXPIRES;
        }
        if self.limit.is_some() {
            flags |= LIMITED;
        }
        let mut out = vec![flags];
        put_text(&mut out, &self.owner);
        put_text(&mut out, &self.label);
        put_uint(&mut out, self.groups.len() as u64);
        for group in &self.groups {
            put_text(&mut out, group);
        }
        put_uint(&mut out, self.created);
        if let Some(expires) = self.expires {
            put_uint(&mut out, expires);
        }
        if let Some(limit) = &self.limit {
            put_text(&mut out, &limit.path);
            out.push(limit.rights.bits());
        }
        out.extend_from_slice(digest);
        out
    }

    /// Returns the token of some bytes, and the digest of its text.
    fn decode(bytes: &[u8]) -> Result<(Self, [u8; 32]), StoreError> {
        let mut input = Input(bytes);
        let flags = input.byte()?;
        let owner = input.text()?.to_owned();
        let label = input.text()?.to_owned();
        let mut groups = Vec::new();
        for _ in 0..input.uint()? {
            groups.push(input.text()?.to_owned());
        }
        let created = input.uint()?;
        let expires = (flags & EXPIRES != 0).then(|| input.uint()).transpose()?;
        let limit = if flags & LIMITED == 0 {
            None
        } else {
            let path = input.text()?.to_owned();
            let rights = Rights::from_bits(input.byte()?);
            Some(Limit { path, rights })
        };
        let digest = input.0.try_into().map_err(|_| damaged())?;
        // What is of a later version may limit it in ways that are not known here.
        if flags & !(EXPIRES | LIMITED) != 0 {
            return Err(damaged());
        }
        let token = Self {
            owner,
            label,
            groups,
            created,
            expires,
            limit,
        };
        Ok((token, digest))
    }
}

/// Tells what the text of a token is worth at a moment, in seconds since the epoch.
///
/// # Errors
/// Those of the store.
pub fn check(store: &Store, text: &str, now: u64) -> Result<Shown> {
    let id = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
    let Some((id, _)) = id.filter(|(id, _)| id.len() == 2 * ID && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    else {
        return Ok(Shown::Wrong("a personal token that is not well-formed".to_owned()));
    };
    let Some(record) = tokens::token(&store.read()?, id)? else {
        return Ok(Shown::Wrong(format!(
            "the personal token {id} does not exist, or was revoked"
        )));
    };
    let (token, expected) = Token::decode(&record)?;
    if !bool::from(digest(text).ct_eq(&expected)) {
        return Ok(Shown::Wrong(format!("a wrong secret for the personal token {id}")));
    }
    if token.expires.is_some_and(|expires| expires <= now) {
        return Ok(Shown::Wrong(format!("the personal token {id} has expired")));
    }
    Ok(Shown::Good(id.to_owned(), token))
}

/// Returns all tokens, with their ids, in the order of their creation.
///
/// # Errors
/// Those of the store.
pub fn list(store: &Store) -> Result<Vec<(String, Token)>> {
    let mut all = Vec::new();
    for (id, record) in tokens::tokens(&store.read()?)? {
        all.push((id, Token::decode(&record)?.0));
    }
    all.sort_by(|(one_id, one), (other_id, other)| (one.created, one_id).cmp(&(other.created, other_id)));
    Ok(all)
}

/// Revokes tokens, all or none; returns the ids that are not there, for which none was revoked.
///
/// # Errors
/// Those of the store.
pub fn revoke(store: &Store, ids: &[String]) -> Result<Vec<String>> {
    let mut change = store.write()?;
    let mut unknown = Vec::new();
    for id in ids {
        if !change.delete_token(id)? {
            unknown.push(id.clone());
        }
    }
    if unknown.is_empty() {
        change.commit()?;
    }
    Ok(unknown)
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod test {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_back(
            owner in "\\PC+",
            label: String,
            groups: Vec<String>,
            created: u64,
            expires: Option<u64>,
            limit in prop::option::of((any::<String>(), 0..16u8)),
            digest: [u8; 32],
        ) {
            let limit = limit.map(|(path, bits)| Limit { path, rights: Rights::from_bits(bits) });
            let token = Token { owner, label, groups, created, expires, limit };
            prop_assert_eq!(Token::decode(&token.encode(&digest)).ok(), Some((token, digest)));
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes: Vec<u8>) {
            let _ = Token::decode(&bytes);
        }
    }

    #[test]
    fn only_the_whole_text_of_a_living_token_is_good() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), "http://h/", 1 << 24).expect("a store");
        let token = Token {
            owner: "alice".to_owned(),
            label: String::new(),
            groups: Vec::new(),
            created: 5,
            expires: Some(100),
            limit: None,
        };
        let (id, text) = token.create(&store).expect("a token");
        let is_good = |text: &str, now| matches!(check(&store, text, now).expect("a store"), Shown::Good(..));
        assert!(is_good(&text, 99));
        assert!(!is_good(&text, 100));
        let (other_id, other) = token.create(&store).expect("a token");
        let mixed = other.replace(&other_id, &id);
        let cut = &text[..text.len() - 1];
        for wrong in [
            mixed.as_str(),
            cut,
            &format!("{text}A"),
            "",
            "ktbs_",
            "ktbs_x_y",
            "ktbs__",
            &id,
        ] {
            assert!(!is_good(wrong, 99), "{wrong}");
        }
        // Nothing from which the secret could be found is kept, nor told.
        let secret = text.rsplit('_').next().expect("a secret");
        let kept = std::fs::read(folder.path().join("data.mdb")).expect("a file");
        assert!(!kept.windows(secret.len()).any(|part| part == secret.as_bytes()));
        for text in [cut, &mixed] {
            let Shown::Wrong(why) = check(&store, text, 99).expect("a store") else {
                panic!("{text} is good");
            };
            assert!(!why.contains(&secret[..8]), "{why}");
        }
        assert_eq!(list(&store).expect("a store").len(), 2);
        let unknown = "0".repeat(16);
        assert_eq!(
            revoke(&store, &[id.clone(), unknown.clone()]).expect("a store"),
            [unknown]
        );
        assert!(is_good(&text, 99));
        assert!(revoke(&store, &[id]).expect("a store").is_empty());
        assert!(!is_good(&text, 99) && is_good(&other, 99));
    }
}
