use std::path::PathBuf;

/// Why the fetcher or the Tor client cannot be set up. A fetch that fails is an outcome, and not an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key of the configuration has a value that cannot be used.
    #[error("{key}: {problem}")]
    Configuration {
        /// The key, as it stands in the configuration file.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// A file that the configuration names cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line of a block list is no digest.
    #[error("{}, line {line}: neither an MD5 nor a SHA-256 digest in hexadecimal digits", path.display())]
    BlockList {
        /// The list.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The file with the parameters of a private Tor network does not make sense to arti.
    #[error("{}: {problem}", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// What arti says.
        problem: String,
    },
    /// The Tor client does not start: most often a state directory that is locked or cannot be written.
    #[error("the Tor client does not start: {0}")]
    Tor(String),
    /// The TLS client cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

impl Error {
    pub(crate) fn configuration(key: &'static str, problem: impl Into<String>) -> Self {
        Self::Configuration { key, problem: problem.into() }
    }
}
