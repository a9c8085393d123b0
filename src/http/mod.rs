//! HTTP meaning (skeleton).
