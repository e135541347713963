use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use model::ThemeId;

use crate::{Config, Error, Index};

/// The indexes of all themes, each in a directory of its own beneath one.
#[derive(Debug)]
pub struct Indexes {
    directory: PathBuf,
    config: Config,
    open: Mutex<BTreeMap<ThemeId, Arc<Index>>>,
}

impl Indexes {
    /// Looks after `directory`, which is made where it does not exist. An index opens when it is first asked for.
    pub fn open(directory: impl Into<PathBuf>, config: Config) -> Result<Self, Error> {
        config.check()?;
        let directory = directory.into();
        fs::create_dir_all(&directory).map_err(|source| Error::Directory { path: directory.clone(), source })?;
        Ok(Self { directory, config, open: Mutex::default() })
    }

    /// The index of a theme; an empty one where there was none, or none that can be read.
    pub fn theme(&self, theme: ThemeId) -> Result<Arc<Index>, Error> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = open.get(&theme) {
            return Ok(Arc::clone(index));
        }
        let index = Arc::new(Index::open(&self.directory.join(theme.as_str()), theme, &self.config)?);
        open.insert(theme, Arc::clone(&index));
        Ok(index)
    }
}
