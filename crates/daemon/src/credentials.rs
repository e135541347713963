//! Secrets of the appliance: files of mode 0600 that lie in systemd's credentials directory, or, where there is none, under
//! the data directory. Never in the environment, never in the configuration.

use std::{
    env, fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use model::Digest;
use proof::SignerKey;
use store::{BackupKey, CredentialKey};

use crate::failure::Failure;

const LOGIN_KEY: &str = "login-key";
const LOG_KEY: &str = "log-key";
const BACKUP_KEY: &str = "backup-key";
/// The key of the certificate, in PEM: somebody else makes it, and it is read when the API is served.
pub(crate) const TLS_KEY: &str = "tls-key";

/// The secrets that the daemon runs with.
#[expect(clippy::struct_field_names, reason = "each is a key, and called so everywhere")]
pub(crate) struct Credentials {
    /// Opens the logins that people hand over.
    pub(crate) login_key: CredentialKey,
    /// Signs the checkpoints of the evidence log.
    pub(crate) log_key: SignerKey,
    /// Seals and opens backups.
    pub(crate) backup_key: BackupKey,
}

/// Where a secret lies: what systemd hands over goes before the data directory.
pub(crate) fn path_of(data_dir: &Path, name: &str) -> PathBuf {
    let handed_over = env::var_os("CREDENTIALS_DIRECTORY").map(|directory| PathBuf::from(directory).join(name));
    handed_over.filter(|path| path.exists()).unwrap_or_else(|| data_dir.join("credentials").join(name))
}

impl Credentials {
    pub(crate) fn load(data_dir: &Path) -> Result<Self, Failure> {
        let digits = |name| read(data_dir, name, "not 64 hexadecimal digits", |text| text.parse::<Digest>().ok());
        Ok(Self {
            login_key: CredentialKey::from_bytes(digits(LOGIN_KEY)?.as_bytes()),
            backup_key: BackupKey::from_bytes(digits(BACKUP_KEY)?.as_bytes()),
            log_key: read(data_dir, LOG_KEY, "not a name and 64 hexadecimal digits", log_key)?,
        })
    }
}

fn read<T>(data_dir: &Path, name: &str, problem: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    let path = path_of(data_dir, name);
    let text = fs::read_to_string(&path).map_err(|_| Failure::NotInitialised(path.clone()))?;
    parse(text.trim()).ok_or_else(|| Failure::Configuration { path, problem: problem.into() })
}

/// The key of the log: the log's name, a space, and the secret of an Ed25519 key (RFC 8032) in hexadecimal.
fn log_key(text: &str) -> Option<SignerKey> {
    let (name, secret) = text.split_once(' ')?;
    SignerKey::from_secret(name, secret.parse::<Digest>().ok()?.as_bytes()).ok()
}

/// Makes what is missing, and says whether anything was. With `new_log_key` the evidence log gets a new key, although it has one: the log keeps
/// its name, and the old key's signatures stay good.
pub(crate) fn init(data_dir: &Path, new_log_key: bool) -> Result<bool, Failure> {
    let mut made = false;
    let directory = data_dir.join("credentials");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .map_err(|source| Failure::Directory { path: directory.clone(), source })?;
    for name in [LOGIN_KEY, BACKUP_KEY] {
        if !path_of(data_dir, name).exists() {
            write_secret(&directory.join(name), &Digest::from_bytes(random()?).to_string())?;
            made = true;
        }
    }
    let present = fs::read_to_string(path_of(data_dir, LOG_KEY)).ok();
    let name = present.as_deref().and_then(|text| text.split_once(' ')).map(|(name, _)| name.to_owned());
    if name.is_none() || new_log_key {
        let name = match name {
            Some(name) => name,
            None => format!("nachtwacht/{:.16}", Digest::from_bytes(random()?).to_string()),
        };
        write_secret(&directory.join(LOG_KEY), &format!("{name} {}", Digest::from_bytes(random()?)))?;
        made = true;
    }
    Ok(made)
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

/// Writes beside the file and renames, so that a crash leaves the old secret or the new one.
fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display())).map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_made_once_and_are_for_their_owner() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Credentials::load(dir.path()), Err(Failure::NotInitialised(_))));
        assert!(init(dir.path(), false).unwrap());
        assert!(!init(dir.path(), false).unwrap(), "what is there stays");
        for name in [LOGIN_KEY, LOG_KEY, BACKUP_KEY] {
            let mode = fs::metadata(dir.path().join("credentials").join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
    #[test]
    fn a_new_key_signs_for_the_same_log() {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), false).unwrap();
        let key = || Credentials::load(dir.path()).unwrap().log_key.verifier().clone();
        let first = key();
        init(dir.path(), false).unwrap();
        assert_eq!(key(), first, "a key that is there stays");
        init(dir.path(), true).unwrap();
        assert_eq!(key().name(), first.name());
        assert_ne!(key(), first);
    }
}
