//! Failed attempts, slowed down: the more there were, the longer the next one from there must wait.
//!
//! They are counted in a small file beside the store, of a fixed size, that all processes share: strangers cannot fill
//! anything. A count belongs to an address and a name, so that nobody else is kept from logging in; another one, which allows for many
//! more, to the address alone. Waiting is the client's: no process of ours sleeps. Lost updates are harmless.

use std::fs::{File, OpenOptions};
use std::net::IpAddr;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::time;

/// The name of the file, in the directory of the store.
const FILE: &str = "attempts";
/// How many counts there are.
const SLOTS: u64 = 4096;
/// Bytes of a count: key (8), time of the last failure in seconds (8), failures (8).
const SLOT: u64 = 24;
/// Bytes before the counts: a random key, so that nobody can choose who shares a count with whom.
const HEAD: u64 = 32;
/// Seconds after which failures are forgotten.
const FORGOTTEN: u64 = 900;

/// From how many failures on one must wait, and how long at most, in seconds.
struct Bounds {
    free: u64,
    longest: u64,
}

const OF_NAME: Bounds = Bounds { free: 5, longest: 60 };
const OF_ADDRESS: Bounds = Bounds { free: 50, longest: 2 };
/// Those of personal tokens from one address; only tokens that are not good must wait.
const OF_TOKENS: Bounds = Bounds { free: 20, longest: 60 };

/// The counts. Without a file, nothing is counted.
pub(super) struct Attempts(Option<(File, [u8; 32])>);

#[derive(Clone, Copy, Default)]
struct Count {
    key: u64,
    last: u64,
    failures: u64,
}

impl Attempts {
    /// Opens the counts of a store.
    pub(super) fn open(directory: &Path) -> Self {
        let opened = open(&directory.join(FILE));
        if let Err(error) = &opened {
            log::error!("failed attempts are not counted: {error}");
        }
        Self(opened.ok())
    }

    /// Checks that an attempt may be made now.
    ///
    /// # Errors
    /// `TooManyAttempts`.
    pub(super) fn check(&self, address: Option<IpAddr>, login: &str) -> Result<()> {
        self.check_all(&keys(address, login))
    }

    fn check_all(&self, keys: &[(Vec<u8>, Bounds)]) -> Result<()> {
        let wait = keys.iter().map(|(name, bounds)| self.wait(name, bounds)).max();
        match wait {
            Some(wait) if wait > 0 => Err(Error::TooManyAttempts(wait)),
            _ => Ok(()),
        }
    }

    /// Checks that another personal token that is not good may come from an address now.
    ///
    /// # Errors
    /// `TooManyAttempts`.
    pub(super) fn check_token(&self, address: Option<IpAddr>) -> Result<()> {
        self.check_all(&[(place(address, 2), OF_TOKENS)])
    }

    /// Counts a personal token that is not good.
    pub(super) fn add_token(&self, address: Option<IpAddr>) {
        self.change(&place(address, 2), |failures| failures + 1);
    }

    /// Counts a failure.
    pub(super) fn add(&self, address: Option<IpAddr>, login: &str) {
        for (name, _) in keys(address, login) {
            self.change(&name, |failures| failures + 1);
        }
    }

    /// Forgets the failures of a name, which has succeeded.
    pub(super) fn forget(&self, address: Option<IpAddr>, login: &str) {
        if let Some((name, _)) = keys(address, login).into_iter().next() {
            self.change(&name, |_| 0);
        }
    }

    fn wait(&self, name: &[u8], bounds: &Bounds) -> u64 {
        let Some((_, count)) = self.read(name) else {
            return 0;
        };
        let over = count.failures.saturating_sub(bounds.free);
        if over == 0 {
            return 0;
        }
        let wait = 1u64
            .checked_shl(over.min(32) as u32 - 1)
            .unwrap_or(u64::MAX)
            .min(bounds.longest);
        (count.last + wait).saturating_sub(time::seconds())
    }

    fn change(&self, name: &[u8], failures: impl Fn(u64) -> u64) {
        let (Some((file, _)), Some((offset, count))) = (&self.0, self.read(name)) else {
            return;
        };
        let failures = failures(count.failures);
        if failures == 0 && count.failures == 0 {
            return;
        }
        let mut bytes = [0; SLOT as usize];
        bytes[..8].copy_from_slice(&count.key.to_be_bytes());
        bytes[8..16].copy_from_slice(&time::seconds().to_be_bytes());
        bytes[16..].copy_from_slice(&failures.to_be_bytes());
        if let Err(error) = file.write_all_at(&bytes, offset) {
            log::error!("a failed attempt is not counted: {error}");
        }
    }

    /// Returns the count of a name, and where it is.
    fn read(&self, name: &[u8]) -> Option<(u64, Count)> {
        let (file, secret) = self.0.as_ref()?;
        let digest = Sha256::new_with_prefix(secret).chain_update(name).finalize();
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let key = number(&digest[..8]);
        let offset = HEAD + number(&digest[8..16]) % SLOTS * SLOT;
        let mut bytes = [0; SLOT as usize];
        let mut count = Count {
            key,
            ..Count::default()
        };
        // What is beyond the end of the file was never written.
        if file.read_exact_at(&mut bytes, offset).is_ok() && number(&bytes[..8]) == key {
            count.last = number(&bytes[8..16]);
            count.failures = number(&bytes[16..]);
        }
        if count.last + FORGOTTEN < time::seconds() {
            count.failures = 0;
        }
        Some((offset, count))
    }
}

fn open(path: &Path) -> std::io::Result<(File, [u8; 32])> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    let mut secret = [0; HEAD as usize];
    if file.metadata()?.len() < HEAD {
        // One process draws the key, while the others wait for it.
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        if file.metadata()?.len() < HEAD {
            getrandom::fill(&mut secret).map_err(std::io::Error::other)?;
            file.write_all_at(&secret, 0)?;
        }
        rustix::fs::flock(&file, rustix::fs::FlockOperation::Unlock)?;
    }
    file.read_exact_at(&mut secret, 0)?;
    Ok((file, secret))
}

/// Returns what an attempt counts for: the name at the address, then the address. Whoever has a network of IPv6 has it whole.
fn keys(address: Option<IpAddr>, login: &str) -> [(Vec<u8>, Bounds); 2] {
    let named = [&place(address, 0), login.as_bytes()].concat();
    [(named, OF_NAME), (place(address, 1), OF_ADDRESS)]
}

/// Returns what one of the counts of an address is called.
fn place(address: Option<IpAddr>, count: u8) -> Vec<u8> {
    let mut place = match address {
        None => Vec::new(),
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        Some(IpAddr::V6(address)) => address.octets()[..8].to_vec(),
    };
    place.push(count);
    place
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn repeated_failures_must_wait_in_all_processes_and_others_need_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        let (one, other) = (Attempts::open(folder.path()), Attempts::open(folder.path()));
        for _ in 0..OF_NAME.free {
            assert!(one.check(address, "alice").is_ok());
            one.add(address, "alice");
        }
        assert!(other.check(address, "alice").is_ok());
        other.add(address, "alice");
        assert!(matches!(one.check(address, "alice"), Err(Error::TooManyAttempts(1))));
        for _ in 0..20 {
            one.add(address, "alice");
        }
        assert!(matches!(
            other.check(address, "alice"),
            Err(Error::TooManyAttempts(59..=60))
        ));
        assert!(one.check(address, "bob").is_ok());
        assert!(one.check(Some(IpAddr::from([10, 0, 0, 2])), "alice").is_ok());
        one.forget(address, "alice");
        assert!(other.check(address, "alice").is_ok());
    }

    #[test]
    fn many_names_from_one_address_must_wait_a_little_and_fill_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let attempts = Attempts::open(folder.path());
        let address = Some(IpAddr::from([10, 0, 0, 1]));
        for i in 0..9_000 {
            attempts.add(address, &i.to_string());
        }
        assert!(matches!(
            attempts.check(address, "new"),
            Err(Error::TooManyAttempts(1..=2))
        ));
        let size = std::fs::metadata(folder.path().join(FILE)).expect("a file").len();
        assert!(size <= HEAD + SLOTS * SLOT);
    }
}
