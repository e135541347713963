//! The Unix socket. Whoever opens it as root or as the daemon's own user is an administrator, others need a token; and there is no moment at
//! which anybody may open it whom its permissions do not let.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use rustix::process::geteuid;

use super::Error;
use crate::authentication::Peer;

/// The longest path of a socket, in bytes: `sun_path` of `unix(7)` without its closing zero.
pub(super) const MAX_PATH: usize = 107;

/// A directory beside the socket, in which it is made before anybody else can reach it. Short, so as not to lengthen
/// the path.
const NURSERY: &str = ".nw";

/// A listening socket. Its file goes away with it.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Takes `path`, also where a socket lies that nobody answers on any more. Its directory is made, for the owner
    /// alone, where there is none.
    pub(super) async fn bind(path: &Path) -> Result<Self, Error> {
        if path.as_os_str().len() > MAX_PATH {
            return Err(Error::SocketPathTooLong(path.to_owned()));
        }
        check_free(path).await?;
        let listener = listen(path).map_err(|source| Error::Socket { path: path.to_owned(), source })?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// A connection, and who opened it, as the system says.
    pub(super) async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = self.listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        let is_administrator = uid == 0 || uid == geteuid().as_raw();
        Ok((stream, if is_administrator { Peer::Administrator } else { Peer::Socket }))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "the socket was not there any more");
        }
    }
}

/// Refuses a path where something lies that a socket may not replace.
async fn check_free(path: &Path) -> Result<(), Error> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(Error::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        // Who answers is alive, and so is who is too busy to answer.
        _ => Err(Error::SocketTaken(path.to_owned())),
    }
}

/// Makes the socket where only we can reach it, narrows its permissions, and only then moves it to its place, over what
/// lies there.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    let nursery = parent.join(NURSERY);
    let newborn = nursery.join("s");
    clear(&nursery, &newborn)?;
    fs::DirBuilder::new().mode(0o700).create(&nursery)?;
    let listener = UnixListener::bind(&newborn)?;
    fs::set_permissions(&newborn, fs::Permissions::from_mode(0o660))?;
    fs::rename(&newborn, path)?;
    clear(&nursery, &newborn)?;
    Ok(listener)
}

/// Removes what an earlier start may have left behind.
fn clear(nursery: &Path, newborn: &Path) -> io::Result<()> {
    let gone = |removed: io::Result<()>| match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    gone(fs::remove_file(newborn))?;
    gone(fs::remove_dir(nursery))
}
