//! Trace units, ISO 8601, origins and offsets (skeleton).
