//! What systemd is told of the daemon (`sd_notify(3)`), and the watchdog, which is fed only while every loop turns.

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::Arc,
    time::Duration,
};

use model::Pulse;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::back_off::BackOff;

/// How often the status is told anew, where no watchdog asks for a quicker pace.
const TELL: Duration = Duration::from_secs(5);

/// The service manager, where there is one.
#[derive(Clone, Default)]
pub(crate) struct Manager(Option<Arc<(UnixDatagram, SocketAddr)>>);

impl Manager {
    /// The one that started this process.
    pub(crate) fn of_this_process() -> Self {
        let Some(address) = env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        Self::at(&address).unwrap_or_else(|error| {
            tracing::warn!(%error, "the service manager cannot be told anything");
            Self::default()
        })
    }

    /// The one that listens on an address as `sd_notify(3)` writes it: a path, or `@` and an abstract name.
    fn at(address: &OsStr) -> io::Result<Self> {
        let address = match address.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not listen must not hold up the daemon.
        socket.set_nonblocking(true)?;
        Ok(Self(Some(Arc::new((socket, address)))))
    }

    /// The daemon serves, or has reloaded.
    pub(crate) fn ready(&self) {
        self.tell("READY=1");
    }

    /// What an administrator reads in `systemctl status`.
    pub(crate) fn status(&self, text: &str) {
        self.tell(&format!("STATUS={}", text.replace(['\n', '\r'], " ")));
    }

    /// The daemon reads its files anew.
    pub(crate) fn reloading(&self) {
        self.tell("RELOADING=1");
    }

    /// The daemon ends.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Stopping.");
    }

    fn tell(&self, state: &str) {
        let Some((socket, address)) = self.0.as_deref() else { return };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }
}

/// The time within which the service manager wants to hear of this process, if it does.
pub(crate) fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|usec| is_ours && *usec > 0).map(Duration::from_micros)
}

/// A loop, and when it was last seen to turn.
struct Watched {
    name: &'static str,
    pulse: Pulse,
    beats: u64,
    at: Instant,
}

/// Watches over the loops, and tells the service manager how the daemon is.
pub(crate) struct Supervisor<S> {
    manager: Manager,
    watchdog: Option<Duration>,
    loops: Vec<Watched>,
    back_off: BackOff,
    status: S,
}

impl<S: Fn() -> String + Send + 'static> Supervisor<S> {
    /// Over these loops, with `status` for what is told.
    pub(crate) fn new(
        manager: Manager,
        watchdog: Option<Duration>,
        loops: impl IntoIterator<Item = (&'static str, Pulse)>,
        back_off: BackOff,
        status: S,
    ) -> Self {
        let at = Instant::now();
        let loops = loops.into_iter().map(|(name, pulse)| Watched { name, beats: pulse.beats(), pulse, at }).collect();
        Self { manager, watchdog, loops, back_off, status }
    }

    /// Feeds the watchdog while every loop turns, until `stop`. One that has not turned for half of the watchdog's time starves it.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), std::convert::Infallible> {
        let pace = self.watchdog.map_or(TELL, |watchdog| TELL.min(watchdog / 4));
        let (mut told, mut hanging) = (String::new(), None);
        loop {
            let late = self.watchdog.and_then(|watchdog| self.late(watchdog / 2));
            match late {
                None if self.watchdog.is_some() => self.manager.tell("WATCHDOG=1"),
                Some(name) if hanging != Some(name) => {
                    tracing::error!(name, "a loop does not turn any more: the watchdog is not fed");
                }
                _ => {}
            }
            hanging = late;
            let status = match late {
                Some(name) => format!("{name} does not turn any more; waiting for the watchdog."),
                None => (self.status)(),
            };
            if status != told {
                self.manager.status(&status);
                told = status;
            }
            self.back_off.forgive_if_old();
            if stop.run_until_cancelled(tokio::time::sleep(pace)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// A loop that has not turned for `patience`.
    fn late(&mut self, patience: Duration) -> Option<&'static str> {
        let now = Instant::now();
        let mut late = None;
        for watched in &mut self.loops {
            let beats = watched.pulse.beats();
            if beats != watched.beats || watched.pulse.is_at_long_work() {
                (watched.beats, watched.at) = (beats, now);
            } else if now.duration_since(watched.at) >= patience {
                late = late.or(Some(watched.name));
            }
        }
        late
    }
}

#[cfg(test)]
mod tests;
