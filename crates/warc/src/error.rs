use std::{fmt, io};

/// What reading and writing comes to.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an archive could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file beneath failed, and not what is in it.
    #[error("cannot read or write the archive")]
    Io(#[source] io::Error),
    /// What is read is no archive from here on.
    #[error("the record at byte {offset} is damaged: {damage}")]
    Damaged {
        /// Where the record begins, in bytes from the start of the input.
        offset: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A record to be written has a field that cannot be written: its name is no token, or its value has control characters or
    /// white space at an end.
    #[error("the field {0:?} cannot be written")]
    UnwritableField(String),
    /// A record to be written lacks a field that its type demands.
    #[error("a record of this type needs the field {0}")]
    FieldMissing(&'static str),
    /// A record to be written has a field that its type forbids, or has it twice.
    #[error("a record of this type must not have this field {0}")]
    FieldForbidden(&'static str),
    /// A block is not as long as was said.
    #[error("the block is not {0} bytes long")]
    BlockLength(u64),
    /// A block or its payload does not have the digest that the header states.
    #[error("the block does not match its {0}")]
    DigestDiffers(&'static str),
    /// A package is none, or is made to be read in several ways.
    #[error("the package cannot be read: {0}")]
    Package(&'static str),
    /// A path is not allowed in a package, or is there already.
    #[error("the path {0:?} cannot be written to the package")]
    UnwritablePath(String),
    /// A package has more records than an index in memory can hold.
    #[error("the index of the package is longer than {0} bytes")]
    IndexTooLong(usize),
}

/// What can be wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It begins neither as a record nor as a gzip member.
    NoRecord,
    /// The gzip member does not decompress, or its checksum is wrong.
    Gzip,
    /// It ends before its length is reached.
    CutShort,
    /// Its header is longer than the limit.
    HeaderTooLong,
    /// A line of its header is no field.
    Field,
    /// It has no length, or several.
    NoLength,
    /// Its block is longer than the limit.
    BlockTooLong,
    /// Two line ends do not follow its block, or its gzip member goes on behind them.
    NoEnd,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRecord => "neither a record nor a gzip member begins here",
            Self::Gzip => "its gzip member is corrupt",
            Self::CutShort => "it is cut short",
            Self::HeaderTooLong => "its header is too long",
            Self::Field => "a line of its header is not a field",
            Self::NoLength => "its length is missing or cannot be read",
            Self::BlockTooLong => "its block is longer than allowed",
            Self::NoEnd => "it does not end where its length says",
        })
    }
}

/// An error of ours that travelled through [`io::Read`] comes out as what it was.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}
