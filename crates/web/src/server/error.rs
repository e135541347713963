use std::{io, net::SocketAddr, path::PathBuf};

/// Why the API is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens on the address.
    #[error("address {0} is taken")]
    AddressTaken(SocketAddr),
    /// The address cannot be listened on.
    #[error("address {address} cannot be listened on: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A certificate or its key cannot be used.
    #[error("certificate {path}: {problem}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Somebody answers on the Unix socket.
    #[error("socket {0} is taken")]
    SocketTaken(PathBuf),
    /// Something lies where the Unix socket should be, and it is no socket.
    #[error("{0} is there and is not a socket")]
    NotASocket(PathBuf),
    /// The path is longer than an address of a Unix socket can be.
    #[error("socket {0} has a path of more than {max} bytes", max = super::socket::MAX_PATH)]
    SocketPathTooLong(PathBuf),
    /// The Unix socket cannot be made.
    #[error("socket {path} cannot be listened on: {source}")]
    Socket {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A listener panicked.
    #[error("a listener of the API died: {0}")]
    Died(#[from] tokio::task::JoinError),
}

impl Error {
    pub(super) fn address(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::AddressTaken(address),
            _ => Self::Address { address, source },
        }
    }
}
