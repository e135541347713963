use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long any exchange on loopback may take before a test gives up.
const DEADLINE: Duration = Duration::from_secs(20);

/// A response, taken apart no further than the tests need.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Takes a whole response apart. The body must have the length that the head tells.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("no end of the head");
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer = Self { status, head, body: bytes[at + 4..].to_vec() };
        if let Some(length) = answer.field("content-length") {
            assert_eq!(answer.body.len().to_string(), length);
        }
        answer
    }
}

#[expect(clippy::disallowed_methods, reason = "the sites are servers on loopback, and this is their test")]
pub(super) async fn try_connect(to: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(to).await
}

/// GET on a connection of its own.
pub(super) async fn get(to: SocketAddr, target: &str) -> Answer {
    send(to, "GET", target).await
}

pub(super) async fn send(to: SocketAddr, method: &str, target: &str) -> Answer {
    let stream = try_connect(to).await.unwrap();
    Answer::parse(&exchange(stream, &request(method, target), usize::MAX).await)
}

/// A request that asks for the end of the connection.
pub(super) fn request(method: &str, target: &str) -> String {
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    format!("{method} {target} HTTP/1.1\r\nHost: test.invalid\r\n{length}Connection: close\r\n\r\n")
}

/// Sends a request and reads until the connection ends, or at least `enough` bytes are there.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    request: &str,
    enough: usize,
) -> Vec<u8> {
    let work = async {
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut all, mut block) = (Vec::new(), vec![0; 64 << 10]);
        while all.len() < enough {
            match stream.read(&mut block).await.unwrap() {
                0 => break,
                length => all.extend(&block[..length]),
            }
        }
        all
    };
    tokio::time::timeout(DEADLINE, work).await.expect("the exchange takes too long")
}
