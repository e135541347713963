//! Open files: as many as the system gives, and always enough for the store, whatever clients do. A store that cannot open its next file has failed.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// What the daemon needs beside connections: the store keeps 256 tables open; logs, index and Tor client take the rest.
const OWN: u64 = 384;

/// With less there is nothing left for anybody who asks.
const LEAST: u64 = 512;

/// The most connections of one listener.
const CONNECTIONS: u64 = 256;

/// Takes as many as may be had; returns the number. Fails where that is too few to begin.
pub(crate) fn raise() -> Result<u64, Failure> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // Where the system does not let it, what is in force stays so.
    let most = raised.map_or(current, |()| maximum).unwrap_or(u64::MAX);
    if most < LEAST { Err(Failure::Descriptors { most, least: LEAST }) } else { Ok(most) }
}

/// How many connections each of so many listeners may take.
pub(crate) fn connections(most: u64, listeners: u64) -> u64 {
    (most.saturating_sub(OWN) / listeners.max(1)).clamp(1, CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_what_the_store_needs() {
        for most in [LEAST, 600, 1_024, 65_536, u64::MAX] {
            for listeners in 1..8 {
                let connections = connections(most, listeners);
                assert!((1..=CONNECTIONS).contains(&connections));
                assert!(connections * listeners + OWN <= most, "{connections} of {listeners} listeners with {most}");
            }
        }
        assert_eq!(connections(65_536, 3), CONNECTIONS);
    }
}
