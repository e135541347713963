use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::{io::AsyncWriteExt as _, process::Command};

use super::error::Error;

/// Where Debian keeps daemons and tools; the `PATH` of an ordinary user lacks the first.
const USUAL_PLACES: [&str; 3] = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];

const SHIM_SOURCE: &str = include_str!("nodelay.c");

/// The programs that make up a network.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) tor: PathBuf,
    pub(crate) gencert: PathBuf,
    /// The first line of `tor --version`.
    pub(crate) version: String,
}

impl Tools {
    pub(crate) async fn find() -> Result<Self, Error> {
        let path = env::var_os("PATH").unwrap_or_default();
        let tor = find("tor", "tor", &path)?;
        let gencert = find("tor-gencert", "tor", &path)?;
        let output = run("tor", Command::new(&tor).arg("--version"), b"").await?;
        let version = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
        Ok(Self { tor, gencert, version })
    }
}

/// Compiles the library that switches Nagle's algorithm off in tor, and says where it lies.
pub(crate) async fn compile_shim(dir: &Path) -> Result<PathBuf, Error> {
    let cc = find("cc", "gcc", &env::var_os("PATH").unwrap_or_default())?;
    let library = dir.join("nodelay.so");
    let mut command = Command::new(cc);
    command.args(["-shared", "-fPIC", "-O1", "-x", "c", "-", "-ldl", "-o"]).arg(&library);
    run("cc", &mut command, SHIM_SOURCE.as_bytes()).await?;
    Ok(library)
}

/// Runs a helper program to its end.
pub(crate) async fn run(program: &'static str, command: &mut Command, input: &[u8]) -> Result<Output, Error> {
    let failed = |problem: String| Error::Tool { program, output: problem };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not want its input closes the pipe; its status tells whether it is content.
        drop(stdin.write_all(input).await);
    }
    let output = child.wait_with_output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [output.stderr, output.stdout].concat();
    Err(failed(format!("{}: {}", output.status, String::from_utf8_lossy(&said).trim())))
}

fn find(program: &'static str, package: &'static str, path: &OsStr) -> Result<PathBuf, Error> {
    env::split_paths(path)
        .chain(USUAL_PLACES.map(PathBuf::from))
        .map(|place| place.join(program))
        .find(|file| file.is_absolute() && file.is_file())
        .ok_or(Error::Missing { program, package })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_the_package_that_has_it() {
        let error = find("tor-that-is-not-there", "tor", OsStr::new("/nonexistent")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`tor-that-is-not-there` is not installed: the Debian package `tor` has it (apt-get install tor)"
        );
    }

    #[tokio::test]
    async fn a_tool_that_fails_says_what_it_said() {
        let error = run("sh", Command::new("sh").args(["-c", "echo oh no >&2; exit 3"]), b"").await.unwrap_err();
        assert!(error.to_string().contains("oh no"), "{error}");
    }
}
