//! Alerts as files for other programs: each is JSON on one line, with a signature beside it. `docs/watches.md` says how to check it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
};

use data_encoding::BASE64;
use model::{CaptureId, Digest, Grant, Purpose, ThemeId};
use serde_json::json;
use store::{Alert, AlertFilter, Notary, SpoolState};

use super::WatchConfig;
use crate::app::App;

/// Alerts that are carried at a time.
const BATCH: usize = 100;

/// What stands before an Ed25519 key in its DER form (RFC 8410, section 4).
const DER_OF_KEY: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The directory that alerts are written to. It is never made: one that is missing may be a disk that is not there.
pub(super) struct Spool {
    directory: PathBuf,
}

impl Spool {
    /// The directory, where one is set.
    pub(super) fn of(config: &WatchConfig) -> Option<Self> {
        let directory = config.spool_dir.clone();
        (!directory.as_os_str().is_empty()).then_some(Self { directory })
    }

    /// Writes the next alerts of a theme, in order. One that cannot be written is tried again, and those behind it wait. Whether there are more.
    pub(super) fn carry(&self, app: &App, theme: ThemeId) -> Result<bool, store::Error> {
        let store = &app.store;
        let before = store.spool_state(theme)?;
        let system = Grant::system(Purpose::Maintenance);
        let page = store.alerts_from(&system, theme, AlertFilter::default(), before.up_to + 1, BATCH)?;
        let mut state = before.clone();
        for alert in &page.alerts {
            let written = match told(app, theme, alert)? {
                Some(text) => self.write(&app.notary, &format!("{theme}-{}", alert.id()), &text),
                None => Ok(()),
            };
            if let Err(error) = written {
                state.problem = Some(error.to_string());
                break;
            }
            state = SpoolState { up_to: alert.number, problem: None };
        }
        if state != before {
            if let Some(problem) = state.problem.as_ref().filter(|_| state.problem != before.problem) {
                tracing::error!(%theme, problem, directory = %self.directory.display(), "alerts cannot be written to the spool directory");
            }
            store.put_spool_state(theme, &state)?;
        }
        Ok(page.next.is_some() && state.problem.is_none())
    }

    /// The signature first: whoever sees the file finds it beside it.
    fn write(&self, notary: &Notary, name: &str, text: &str) -> io::Result<()> {
        let key = notary.public_key();
        let key_file = key_file(&key);
        if !self.directory.join(&key_file).exists() {
            let der = BASE64.encode(&[&DER_OF_KEY[..], &key].concat());
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
            self.place(&key_file, pem.as_bytes())?;
        }
        let (signature, _) = notary.sign_line(text);
        self.place(&format!("{name}.json.sig"), &signature)?;
        self.place(&format!("{name}.json"), text.as_bytes())
    }

    /// Writes a file, whole or not at all; when this returns it is on disk.
    fn place(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let beside = self.directory.join(format!(".{name}.new"));
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, self.directory.join(name))
        };
        write().inspect_err(|_| drop(fs::remove_file(&beside)))?;
        File::open(&self.directory)?.sync_all()
    }
}

/// The file that holds a public key, so that one that follows another takes a name of its own.
fn key_file(key: &[u8; 32]) -> String {
    let digest = Digest::of(key).to_string();
    format!("key-{}.pem", &digest[..8])
}

/// What the file of an alert says; nothing where all that it is about is sealed.
fn told(app: &App, theme: ThemeId, alert: &Alert) -> Result<Option<String>, store::Error> {
    let told = app.store.told(theme, &alert.captures)?;
    if told.open.is_empty() && told.erased == 0 {
        return Ok(None);
    }
    let captures: Vec<CaptureId> = told.open.iter().map(|seq| CaptureId { theme, seq: *seq }).collect();
    let value = json!({
        "id": format!("{theme}-{}", alert.id()),
        "theme": theme,
        "alert": alert.number,
        "at": alert.at,
        "watch": { "id": alert.watch, "version": alert.version, "name": alert.name, "owner": alert.owner },
        "grouping": alert.grouping,
        "count": told.open.len() as u64 + told.erased,
        "erased": told.erased,
        "captures": captures,
        "has_more": alert.has_more,
        "key": key_file(&app.notary.public_key()),
    });
    Ok(Some(format!("{value}\n")))
}
