use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why a private network does not start, or does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program that the network needs is not on this machine.
    #[error("`{program}` is not installed: the Debian package `{package}` has it (apt-get install {package})")]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package that it comes in.
        package: &'static str,
    },
    /// The plan asks for a network that cannot be.
    #[error("the plan of the network is wrong: {0}")]
    Plan(String),
    /// Another network runs in this directory.
    #[error("a network runs in {} already", .0.display())]
    InUse(PathBuf),
    /// As many networks run on this machine as there are addresses for.
    #[error("all address ranges for private networks on this machine are taken")]
    NoSlot,
    /// A file or directory of the network cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A helper program failed.
    #[error("`{program}` failed: {output}")]
    Tool {
        /// The program.
        program: &'static str,
        /// What it had to say, or why it did not run.
        output: String,
    },
    /// A tor process ended that should run.
    #[error("tor process {name} died ({}); the end of its log:\n{log}", ended(status.as_ref()))]
    Died {
        /// The process.
        name: String,
        /// How it ended, where that is known.
        status: Option<ExitStatus>,
        /// The last lines that it wrote.
        log: String,
    },
    /// A tor process refused a command on its control connection.
    #[error("tor process {name} answered `{command}` with `{answer}`")]
    Refused {
        /// The process.
        name: String,
        /// The command.
        command: String,
        /// The answer.
        answer: String,
    },
    /// Something did not happen in time.
    #[error("tor process {name}: no {awaited} after {} s; the end of its log:\n{log}", after.as_secs())]
    TimedOut {
        /// The process.
        name: String,
        /// What did not come.
        awaited: &'static str,
        /// How long the whole operation was allowed to take.
        after: Duration,
        /// The last lines that the process wrote.
        log: String,
    },
    /// The descriptor of an onion service cannot be had, or not be made anew.
    #[error("the descriptor of the onion service: {0}")]
    Descriptor(String),
    /// The network has nothing of this name, or it does not run.
    #[error("the network has no running {what} {name:?}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// By which name.
        name: String,
    },
}

fn ended(status: Option<&ExitStatus>) -> String {
    status.map_or_else(|| "still closing".to_owned(), ToString::to_string)
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
