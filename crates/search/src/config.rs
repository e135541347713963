use serde::{Deserialize, Serialize};

use crate::Error;

/// What the index may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The memory in megabytes in which one theme's new entries are gathered before they are written out: 16 to 1024.
    /// It is taken only while entries come in.
    pub writer_memory_mb: u32,
    /// How many millions of looks at entries a query may cost, before it is refused: 1 to 1000000. A second has some hundred of them.
    pub query_cost_millions: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { writer_memory_mb: 16, query_cost_millions: 500 }
    }
}

impl Config {
    /// Says what is wrong with these values, if anything is.
    pub fn check(&self) -> Result<(), Error> {
        if !(16..=1024).contains(&self.writer_memory_mb) {
            let given = self.writer_memory_mb;
            return Err(Error::Config(format!("writer_memory_mb = {given} is not between 16 and 1024")));
        }
        if !(1..=1_000_000).contains(&self.query_cost_millions) {
            let given = self.query_cost_millions;
            return Err(Error::Config(format!("query_cost_millions = {given} is not between 1 and 1000000")));
        }
        Ok(())
    }

    pub(crate) const fn query_cost(&self) -> u64 {
        self.query_cost_millions as u64 * 1_000_000
    }

    pub(crate) const fn writer_memory_bytes(&self) -> usize {
        self.writer_memory_mb as usize * 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_is_refused() {
        assert!(Config::default().check().is_ok());
        assert!(Config { writer_memory_mb: 15, ..Config::default() }.check().is_err());
        assert!(Config { writer_memory_mb: 4096, ..Config::default() }.check().is_err());
        assert!(Config { query_cost_millions: 0, ..Config::default() }.check().is_err());
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Config>(r#"{"writer_memory_mb": 20}"#).is_ok());
        assert!(serde_json::from_str::<Config>(r#"{"writer_memory": 20}"#).is_err());
    }
}
