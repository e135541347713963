//! The hidden sites.
