//! `nachtwacht-verify`: checks an export on any machine. Ends with 0 if all that can be checked holds, with 1 if something
//! fails, with 2 if nothing could be said.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use proof::{Authorities, Checkpoint, Note, VerifierKey};
use verify::{Error, Statement, Summary, Trust, verify};

/// Checks an export of Nachtwacht: digests, leaves, proofs, signatures, time-stamps. Needs no network and no store.
#[derive(Debug, Parser)]
#[command(name = "nachtwacht-verify", version)]
struct Arguments {
    /// The export: .warc, .warc.gz or .wacz.
    file: PathBuf,
    /// A file with keys of the log, one a line, as name+id+key. From elsewhere than the export.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// A file with a checkpoint of the log, received before and kept.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// A file with certificates, in PEM, of the authority that stamped the checkpoint.
    #[arg(long, value_name = "FILE")]
    tsa_ca: Option<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::stdout().lock();
    // A reader that hangs up ends the report, not the check.
    let mut print = |line: String| _ = writeln!(out, "{line}");
    match run(&arguments, &mut print) {
        Ok(summary) if summary.fails == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            _ = writeln!(io::stderr(), "nachtwacht-verify: {error}{}", source.unwrap_or_default());
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments, print: &mut impl FnMut(String)) -> Result<Summary, Error> {
    let trust = Trust {
        keys: arguments.key.iter().map(|path| read_keys(path)).collect::<Result<Vec<_>, _>>()?.concat(),
        checkpoints: arguments.against.iter().map(|path| read_checkpoint(path)).collect::<Result<_, _>>()?,
        authorities: arguments.tsa_ca.as_deref().map(read_authorities).transpose()?,
    };
    let json = arguments.json;
    let mut say = |statement: &Statement| {
        print(if json { serde_json::to_string(statement).unwrap_or_default() } else { statement.to_string() });
    };
    let summary = verify(&arguments.file, &trust, &mut say)?;
    print(if json { serde_json::to_string(&summary).unwrap_or_default() } else { summary.to_string() });
    Ok(summary)
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Io { path: path.into(), source })
}

fn read_keys(path: &Path) -> Result<Vec<VerifierKey>, Error> {
    let text = read(path)?;
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::parse).collect::<Result<_, _>>().map_err(|source| Error::Trust { path: path.into(), source })
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint, Error> {
    let note = Note::parse(&read(path)?).and_then(|note| Checkpoint::of(&note));
    note.map_err(|source| Error::Trust { path: path.into(), source })
}

fn read_authorities(path: &Path) -> Result<Authorities, Error> {
    Authorities::from_pem(&read(path)?).map_err(|source| Error::Trust { path: path.into(), source })
}
