//! The end-to-end tests: one binary, one private Tor network.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod appliance;
mod fixture;
mod house;
mod pipeline;
mod structure;
mod survive;
mod tor;
