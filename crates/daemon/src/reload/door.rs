//! The socket on which `nachtwacht reload` asks and waits, beside that of the API. Only root and the daemon's own user are heard.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::geteuid;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::Report;
use crate::failure::Failure;

/// The longest time that a caller may take to hear the answer.
const HEAR: Duration = Duration::from_secs(5);

/// Where callers come in.
pub(crate) struct Door {
    listener: UnixListener,
    path: PathBuf,
}

/// Where it is, for an API that listens on `socket`.
fn beside(socket: &Path) -> PathBuf {
    socket.with_file_name("reload.sock")
}

impl Door {
    /// Opens it. The API's socket is held already, so that whatever lies here is of a daemon that is gone.
    pub(crate) fn open(socket: &Path) -> Result<Self, Failure> {
        let path = beside(socket);
        let open = || {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        let listener = open().map_err(|error| Failure::Address(format!("socket {}: {error}", path.display())))?;
        Ok(Self { listener, path })
    }

    /// The next caller who may ask.
    pub(crate) async fn caller(&self) -> UnixStream {
        loop {
            match self.listener.accept().await {
                Ok((caller, _)) => {
                    let uid = caller.peer_cred().map(|peer| peer.uid());
                    if uid.is_ok_and(|uid| uid == 0 || uid == geteuid().as_raw()) {
                        return caller;
                    }
                    tracing::warn!("somebody asked for a reload who may not");
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody can ask for a reload");
                    tokio::time::sleep(HEAR).await;
                }
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket was not there any more");
        }
    }
}

/// Tells a caller what became of the reload. One that does not listen is left alone.
pub(super) async fn answer(mut caller: UnixStream, report: &Report) {
    let Ok(text) = serde_json::to_vec(report) else { return };
    let answer = async {
        caller.write_all(&text).await?;
        caller.shutdown().await
    };
    if !matches!(timeout(HEAR, answer).await, Ok(Ok(()))) {
        tracing::debug!("whoever asked for the reload did not wait for the answer");
    }
}

/// Asks the daemon whose API listens on `socket` to reload, and waits until it has.
pub(crate) async fn ask(socket: &Path) -> Result<Report, Failure> {
    let path = beside(socket);
    let nobody = |source| Failure::NoDaemon { socket: path.clone(), source };
    let mut daemon = UnixStream::connect(&path).await.map_err(nobody)?;
    let mut text = Vec::new();
    daemon.read_to_end(&mut text).await.map_err(nobody)?;
    serde_json::from_slice(&text).map_err(|error| nobody(error.into()))
}
