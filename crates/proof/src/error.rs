/// Why something proves nothing, by what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not what they should be: damaged, or never were.
    #[error("{what}: {why}")]
    Malformed {
        /// What was read, such as `leaf`.
        what: &'static str,
        /// What is wrong with it, and where.
        why: String,
    },
    /// More than this format carries.
    #[error("{what}: longer than {limit} bytes")]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// The greatest length, in bytes.
        limit: usize,
    },
    /// A leaf of a kind that this version does not know; a newer one may.
    #[error("leaf: the kind {0:?} is not known to this version")]
    UnknownKind(String),
    /// The log does not reach that far.
    #[error("{what} {asked} is beyond the log's {size} leaves")]
    OutOfRange {
        /// What was asked for, such as `leaf`.
        what: &'static str,
        /// Its number.
        asked: u64,
        /// How many leaves there are.
        size: u64,
    },
    /// No trusted key signed this.
    #[error("no signature by a trusted key")]
    Untrusted,
    /// Said to be signed by a trusted key, and it is not.
    #[error("the signature is not that of the key {key}")]
    BadSignature {
        /// The key, in its text form.
        key: String,
    },
    /// A time-stamp by nobody whom the reader trusts.
    #[error("the certificate of the time-stamp does not lead to a trusted authority: {why}")]
    UnknownAuthority {
        /// What the path lacks.
        why: String,
    },
    /// Well-formed, and it does not prove what it is held against.
    #[error("{0}")]
    Refuted(&'static str),
}

impl Error {
    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        Self::Malformed { what, why: why.into() }
    }
}
