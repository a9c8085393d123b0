//! Passwords against their hashes: bcrypt and argon2, or the password itself in `[authx_admin]`.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordVerifier};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The hash of a password that nobody knows, against which that of an unknown user is checked.
pub(super) const NOBODY: &str = "$2b$10$ABCDEFGHIJKLMNOPQRSTUuc3CmFuobXXXXXXXXXXXXXXXXXXXXXXXX";

/// Most pairs of a password and a hash that a process remembers to belong together.
const REMEMBERED: usize = 256;

/// Tells whether two texts are the same, in a time that depends on neither.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    Sha256::digest(a).ct_eq(&Sha256::digest(b)).into()
}

/// The digests of what was found right, under a key of this process. That a password has a hash never changes: this is no
/// truth that another process could have altered. Hashing is slow on purpose, and each request has a password.
static RIGHT: Mutex<Option<HashSet<[u8; 32]>>> = Mutex::new(None);

fn digest(login: &str, password: &str, expected: &str) -> Option<[u8; 32]> {
    static KEY: OnceLock<Option<[u8; 32]>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok().map(|()| key)
    });
    let mut hasher = Sha256::new_with_prefix(key.as_ref()?);
    for part in [login, password, expected] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Some(hasher.finalize().into())
}

/// Tells whether this process has already found a password right for that hash.
pub(super) fn was_right(login: &str, password: &str, expected: &str) -> bool {
    let right = RIGHT.lock().unwrap_or_else(PoisonError::into_inner);
    match (&*right, digest(login, password, expected)) {
        (Some(right), Some(digest)) => right.contains(&digest),
        _ => false,
    }
}

/// Tells whether a password is that of a hash; takes as long as the hash wants, some 50 ms.
pub(super) fn is_right(login: &str, password: &str, expected: &str) -> bool {
    let is_right = if expected.starts_with("$2") {
        // What bcrypt cannot see of a long password must not be what tells it from another.
        password.len() <= 72 && bcrypt::verify(password, expected).unwrap_or(false)
    } else if expected.starts_with("$argon2") {
        PasswordHash::new(expected)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    } else if expected.starts_with('$') || expected.starts_with('{') {
        log::error!("the hash of the password of {login:?} is neither bcrypt nor argon2: it is right for no password");
        false
    } else {
        same(password.as_bytes(), expected.as_bytes())
    };
    if is_right && let Some(digest) = digest(login, password, expected) {
        let mut right = RIGHT.lock().unwrap_or_else(PoisonError::into_inner);
        let right = right.get_or_insert_default();
        if right.len() >= REMEMBERED {
            right.clear();
        }
        right.insert(digest);
    }
    is_right
}
