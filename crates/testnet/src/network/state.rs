use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use model::OnionAddress;
use serde::{Deserialize, Serialize};

use super::{error::Error, keys};

const LOCK: &str = "lock";
const STATE: &str = "state.json";

/// What a running network tells other processes, in a file of its directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The process that holds the network.
    pub pid: u32,
    /// The file with the description of the network for arti.
    pub arti_config: PathBuf,
    /// The onion services by name.
    pub onions: BTreeMap<String, OnionAddress>,
}

impl State {
    /// Writes the state into the directory of a network.
    pub fn write(&self, dir: &Path) -> Result<(), Error> {
        let file = dir.join(STATE);
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::file(&file)(error.into()))?;
        fs::write(&file, text).map_err(Error::file(&file))
    }

    /// The state of the network that runs in `dir`; `None` when none runs there, or it is not ready yet.
    pub fn read(dir: &Path) -> Option<Self> {
        holder(dir)?;
        serde_json::from_slice(&fs::read(dir.join(STATE)).ok()?).ok()
    }
}

/// Where a network runs unless it is told otherwise: `run` in the cache directory, or in the system's temporary
/// directory.
pub fn default_dir() -> PathBuf {
    keys::cache_dir().unwrap_or_else(|| std::env::temp_dir().join("nachtwacht-testnet")).join("run")
}

/// The process that holds a network in `dir`, ready or not.
pub fn holder(dir: &Path) -> Option<u32> {
    let path = dir.join(LOCK);
    match File::open(&path).ok()?.try_lock_shared() {
        Err(TryLockError::WouldBlock) => fs::read_to_string(path).ok()?.parse().ok(),
        _ => None,
    }
}

/// Takes `dir` for one network, until the returned file is closed, and forgets the state of an earlier one.
pub(crate) fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::file(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => return Err(Error::File { path, source }),
    }
    fs::write(&path, std::process::id().to_string()).map_err(Error::file(&path))?;
    // A state that is not there is what is wanted.
    drop(fs::remove_file(dir.join(STATE)));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_holds_one_network_and_its_state_dies_with_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(holder(dir.path()), None);
        let held = lock(dir.path()).unwrap();
        assert!(matches!(lock(dir.path()), Err(Error::InUse(_))));
        assert_eq!(holder(dir.path()), Some(std::process::id()));
        assert_eq!(State::read(dir.path()), None, "running, and not ready");

        let state = State { pid: 1, arti_config: "arti.toml".into(), onions: BTreeMap::new() };
        state.write(dir.path()).unwrap();
        assert_eq!(State::read(dir.path()), Some(state));

        drop(held);
        assert_eq!(State::read(dir.path()), None);
        let _held = lock(dir.path()).unwrap();
        assert_eq!(State::read(dir.path()), None, "the state of an earlier network");
    }
}
