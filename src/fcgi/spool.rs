//! The part of an answer that the web server does not take fast enough, kept in a file.
//!
//! A handler reads from a transaction while it answers. Were it held back by a slow client, that transaction would stay
//! open, and the store could not use again the pages that other processes free meanwhile. So the handler is held back
//! for [`PATIENCE`] at most.

use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, Write};
use std::time::Duration;

/// How long an answer may still wait for the web server once it has had to wait for the first time; after that, the
/// next time it would have to wait, what is left goes to a file.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// An unlinked temporary file (in `TMPDIR`, or else `/tmp`) with records that are to be sent later.
#[derive(Debug)]
pub(super) struct Spool(File);

impl Spool {
    /// Returns an empty spool.
    ///
    /// # Errors
    /// No file can be created there.
    pub(super) fn create() -> io::Result<Self> {
        tempfile::tempfile().map(Self)
    }

    /// Appends some of the bytes and returns how many, as a socket would.
    ///
    /// # Errors
    /// The disk is full, mostly. What was appended before can still be read.
    pub(super) fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0.write_vectored(slices)? {
            0 if slices.iter().any(|slice| !slice.is_empty()) => Err(io::ErrorKind::WriteZero.into()),
            n => Ok(n),
        }
    }

    /// Returns a reader of all that was appended.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn into_reader(mut self) -> io::Result<impl Read> {
        self.0.rewind()?;
        Ok(self.0)
    }
}

#[cfg(test)]
mod test {
    use super::*;

    #[test]
    fn what_was_appended_is_read_in_order() {
        let mut spool = Spool::create().expect("a temporary file");
        let pieces = [IoSlice::new(b"one "), IoSlice::new(b"two ")];
        assert_eq!(spool.append(&pieces).expect("room"), 8);
        assert_eq!(spool.append(&[IoSlice::new(b"three")]).expect("room"), 5);
        let mut all = String::new();
        spool
            .into_reader()
            .expect("readable")
            .read_to_string(&mut all)
            .expect("text");
        assert_eq!(all, "one two three");
    }
}
