//! The end-to-end tests: one binary, one private Tor network.

mod house;
mod structure;
mod tor;
