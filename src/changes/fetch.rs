//! A kind of change.
