//! What can go wrong in the store.

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the room that the configuration gives, is full. Nothing was changed.
    #[error("the store is full: {0}")]
    Full(String),
    /// Too many processes read at once.
    #[error("the store has too many readers")]
    Busy,
    /// The directory cannot be used as a store; the text says why.
    #[error("{0}")]
    Unusable(String),
    /// What is stored cannot be understood.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// LMDB or the system failed.
    #[error("{0}")]
    Failed(String),
}
