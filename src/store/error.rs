//! What can go wrong in the store.

use std::io;

use heed::MdbError;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the room that the configuration gives (`map-size`), is full. Nothing was changed.
    #[error("the store is full: {0}")]
    Full(String),
    /// More processes read at once than the store has room for.
    #[error("the store has too many readers")]
    Busy,
    /// The directory cannot be used as a store; the text says why.
    #[error("{0}")]
    Unusable(String),
    /// A value does not fit in the store; the text says which, and the bound.
    #[error("{0}")]
    Refused(String),
    /// What is stored cannot be understood.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// LMDB or the system failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl From<heed::Error> for StoreError {
    fn from(error: heed::Error) -> Self {
        match error {
            heed::Error::Mdb(MdbError::MapFull | MdbError::TxnFull | MdbError::PageFull) => {
                Self::Full(error.to_string())
            }
            heed::Error::Mdb(MdbError::ReadersFull) => Self::Busy,
            heed::Error::Mdb(MdbError::Corrupted | MdbError::PageNotFound) => Self::Damaged(error.to_string()),
            heed::Error::Io(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<io::Error> for StoreError {
    /// LMDB passes on the error of the system. On a full disk that is ENOSPC, but also EIO, when a page of the map
    /// cannot be written back; a quota gives EDQUOT, a limit on the size of files EFBIG.
    fn from(error: io::Error) -> Self {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOSPC | Errno::IO | Errno::DQUOT | Errno::FBIG) => Self::Full(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
