//! Idle connections, kept per isolation group and service.

use std::{collections::HashMap, time::Duration};

use model::{Isolation, TargetId, Uri};
use tokio::time::Instant;

use crate::{Destination, connection::Connection};

/// What a connection may be used for again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    isolation: Isolation,
    is_https: bool,
    /// With subdomains, which share a service and not a virtual host.
    host: String,
    destination: Destination,
}

impl Key {
    pub(crate) fn new(isolation: Isolation, uri: &Uri) -> Self {
        let destination = Destination::of(uri);
        Self { isolation, is_https: uri.is_https(), host: uri.host_str().to_owned(), destination }
    }
}

/// The idle connections.
pub(crate) struct Pool {
    idle: HashMap<Key, Vec<(Instant, Connection)>>,
    per_target: usize,
    keep: Duration,
}

impl Pool {
    pub(crate) fn new(per_target: usize, keep: Duration) -> Self {
        Self { idle: HashMap::new(), per_target, keep }
    }

    /// Takes the connection that was used last.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Connection> {
        self.sweep();
        let idle = self.idle.get_mut(key)?;
        while let Some((_, mut connection)) = idle.pop() {
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for later, unless it has ended or the target has enough of them.
    pub(crate) fn put(&mut self, key: Key, mut connection: Connection) {
        self.sweep();
        if !connection.is_usable() {
            return;
        }
        let of_target = |(other, idle): (&Key, &Vec<_>)| {
            if other.isolation.target == key.isolation.target { idle.len() } else { 0 }
        };
        if self.idle.iter().map(of_target).sum::<usize>() < self.per_target {
            self.idle.entry(key).or_default().push((Instant::now(), connection));
        }
    }

    /// Closes the idle connections of a target.
    pub(crate) fn forget(&mut self, target: TargetId) {
        self.idle.retain(|key, _| key.isolation.target != target);
    }

    /// Closes the idle connections of an isolation group.
    pub(crate) fn forget_group(&mut self, isolation: Isolation) {
        self.idle.retain(|key, _| key.isolation != isolation);
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        self.idle.retain(|_, idle| {
            idle.retain(|(since, _)| now.duration_since(*since) < self.keep);
            !idle.is_empty()
        });
    }
}
