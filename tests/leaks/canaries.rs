//! Canaries: listeners where a leak would arrive, which sing when anything does.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};

const DATAGRAMS: [u16; 3] = [53, 123, 443];
const STREAMS: [u16; 3] = [53, 80, 443];

/// Where those who look for a name on their own network ask: mDNS (RFC 6762, section 3) and LLMNR (RFC 4795, section 2).
const GROUPS: [(Ipv4Addr, u16); 2] = [(Ipv4Addr::new(224, 0, 0, 251), 5353), (Ipv4Addr::new(224, 0, 0, 252), 5355)];

/// The address that every name has, by the canary that answers for DNS: a leak is to go on as it would outside.
const ANSWER: [u8; 4] = [192, 0, 2, 80];

/// Listeners on every address of the namespace. They are gone when this value is.
pub(crate) struct Canaries {
    songs: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Canaries {
    /// Opens the listeners.
    pub(crate) async fn open() -> io::Result<Self> {
        let (songs, mut tasks) = (Arc::<Mutex<Vec<String>>>::default(), JoinSet::new());
        for (group, port) in GROUPS {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
            socket.join_multicast_v4(group, Ipv4Addr::LOCALHOST)?;
            tasks.spawn(datagrams(socket, port, Arc::clone(&songs)));
        }
        for port in DATAGRAMS {
            let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port)).await?;
            tasks.spawn(datagrams(socket, port, Arc::clone(&songs)));
        }
        for port in STREAMS {
            let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await?;
            tasks.spawn(streams(listener, port, Arc::clone(&songs)));
        }
        Ok(Self { songs, _tasks: tasks })
    }

    /// What arrived so far, as protocol and port, sender, and the first bytes.
    pub(crate) fn songs(&self) -> Vec<String> {
        self.songs.lock().map(|songs| songs.clone()).unwrap_or_default()
    }

    /// Forgets what arrived so far.
    pub(crate) fn forget(&self) {
        if let Ok(mut songs) = self.songs.lock() {
            songs.clear();
        }
    }
}

async fn datagrams(socket: UdpSocket, port: u16, songs: Arc<Mutex<Vec<String>>>) {
    let mut bytes = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut bytes).await {
        let received = bytes.get(..length).unwrap_or_default();
        sing(&songs, &format!("udp/{port}"), from, received);
        if let Some(answer) = (port == 53).then(|| answer(received)).flatten() {
            // Who does not wait for an answer has leaked all the same.
            let _gone = socket.send_to(&answer, from).await;
        }
    }
}

async fn streams(listener: TcpListener, port: u16, songs: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut stream, from)) = listener.accept().await {
        let mut bytes = [0; 200];
        let length = stream.read(&mut bytes).await.unwrap_or_default();
        sing(&songs, &format!("tcp/{port}"), from, bytes.get(..length).unwrap_or_default());
    }
}

fn sing(songs: &Mutex<Vec<String>>, whereto: &str, from: SocketAddr, bytes: &[u8]) {
    if let Ok(mut songs) = songs.lock() {
        songs.push(format!("{whereto} from {from}: {}", bytes.escape_ascii()));
    }
}

/// The answer to a question of DNS (RFC 1035, section 4.1): an address of IPv4 for each name, and of IPv6 none.
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    let (id, rest) = question.split_at_checked(2)?;
    let name = rest.get(10..)?;
    let end = name.iter().position(|length| *length == 0)? + 1;
    let (name, kind) = (name.get(..end)?, name.get(end..end + 4)?);
    let answers = u8::from(kind == [0, 1, 0, 1]);
    let mut bytes = [id, &[0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0], name, kind].concat();
    if answers == 1 {
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        bytes.extend(ANSWER);
    }
    Some(bytes)
}
