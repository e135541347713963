//! The private network.
