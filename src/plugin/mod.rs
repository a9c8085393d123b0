//! Steps around a request (skeleton).
