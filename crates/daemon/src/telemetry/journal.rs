//! Entries of systemd's journal, in its native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>): each field keeps its name and its value, whatever is
//! in it. `docs/events.md` tells the names.

use std::{
    env,
    fmt::{self, Write as _},
    io::{self, Write as _},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    time::Duration,
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Where the journal takes entries.
const SOCKET: &str = "/run/systemd/journal/socket";

/// How long a journal that does not listen may hold up whoever has something to tell.
const PATIENCE: Duration = Duration::from_millis(250);

/// The longest value, in bytes. An entry has to fit into one datagram.
const LONGEST: usize = 4 << 10;

/// What the names of fields begin with that are ours.
const OURS: &str = "NACHTWACHT_";

/// The journal that reads this process.
pub(super) struct Journal {
    socket: UnixDatagram,
    address: PathBuf,
}

impl Journal {
    /// The journal, where it is what reads standard error: then it shows what is sent to it in the same place.
    pub(super) fn of_this_process() -> Option<Self> {
        let stream = env::var("JOURNAL_STREAM").ok()?;
        let errors = rustix::fs::fstat(io::stderr()).ok()?;
        is_stream(&stream, errors.st_dev, errors.st_ino).then(|| Self::at(Path::new(SOCKET)).ok())?
    }

    fn at(address: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, address: address.to_owned() })
    }
}

/// Whether `JOURNAL_STREAM`, a device and an inode (`systemd.exec(5)`), means this file.
fn is_stream(stream: &str, device: u64, inode: u64) -> bool {
    let parts = stream.split_once(':').map(|(device, inode)| (device.parse::<u64>(), inode.parse::<u64>()));
    parts == Some((Ok(device), Ok(inode)))
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let told = Told::of(event);
        if self.socket.send_to(&told.entry(event), &self.address).is_err() {
            // The journal reads standard error, too, though it learns no fields there.
            let metadata = event.metadata();
            let line = format!("{} {}: {}\n", metadata.level(), metadata.target(), told.line());
            let _ = io::stderr().lock().write_all(line.as_bytes());
        }
    }
}

/// What an event tells.
#[derive(Default)]
struct Told {
    event: String,
    /// The names of fields as the program has them, and their values.
    fields: Vec<(&'static str, String)>,
}

impl Told {
    fn of(event: &Event<'_>) -> Self {
        let mut told = Self::default();
        event.record(&mut told);
        told
    }

    /// For people: event and fields in one line, in which no value can pass for another line.
    fn line(&self) -> String {
        let mut line = self.event.clone();
        for (name, value) in &self.fields {
            let _ = write!(line, " {name}={value}");
        }
        let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
        line.chars().map(shown).collect()
    }

    fn entry(&self, event: &Event<'_>) -> Vec<u8> {
        let metadata = event.metadata();
        let mut entry = Vec::new();
        put(&mut entry, "MESSAGE", &self.line());
        put(&mut entry, "PRIORITY", priority(*metadata.level()));
        put(&mut entry, "SYSLOG_IDENTIFIER", "nachtwacht");
        put(&mut entry, "TARGET", metadata.target());
        if let Some(file) = metadata.file() {
            put(&mut entry, "CODE_FILE", file);
        }
        if let Some(line) = metadata.line() {
            put(&mut entry, "CODE_LINE", &line.to_string());
        }
        put(&mut entry, &format!("{OURS}EVENT"), &self.event);
        for (name, value) in &self.fields {
            put(&mut entry, &field_name(name), value);
        }
        entry
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.event);
        } else {
            self.fields.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// The priority of `syslog(3)`.
const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        _ => "7",
    }
}

/// The name of a field in the journal: ours, in upper-case letters, digits and underscores, of which it takes no more than 64.
fn field_name(name: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    OURS.chars().chain(name.chars().map(upper)).take(64).collect()
}

/// Adds a field. A value with a line break is framed by its length, so that nothing in it can begin another field.
fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    let value = &value[..value.floor_char_boundary(LONGEST)];
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests;
