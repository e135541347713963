use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::tests::{House, TOKEN};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A server that runs.
struct Serving {
    house: House,
    address: SocketAddr,
    socket: PathBuf,
    stop: CancellationToken,
    task: JoinSet<Result<(), Error>>,
}

impl Serving {
    async fn start() -> Self {
        let (app, house) = House::with_app();
        let socket = house.dir.path().join("run").join("api.sock");
        let server = Server::bind(app, &[ANY_PORT], &socket, None).await.unwrap();
        let address = server.addresses()[0];
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(server.run(stop.clone()));
        Self { house, address, socket, stop, task }
    }

    async fn tcp(&self) -> TcpStream {
        #[expect(clippy::disallowed_methods, reason = "the address is the test's own, on this machine")]
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn unix(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    async fn stopped(mut self) -> House {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_mins(1), self.task.join_next()).await.unwrap().unwrap().unwrap().unwrap();
        assert!(!self.socket.exists(), "the socket is gone");
        self.house
    }
}

/// Asks once and reads until the other side closes.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str, token: Option<&str>) -> String {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Sends the head of a change, waits until its body is asked for, and sends the first byte of that.
async fn begin(stream: &mut UnixStream, len: usize) {
    let head = format!(
        "POST /api/v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{").await.unwrap();
}

async fn bind(house: &House, app: crate::App, tcp: &[SocketAddr]) -> Result<Server, Error> {
    Server::bind(app, tcp, &house.dir.path().join("api.sock"), None).await
}

#[tokio::test]
async fn tcp_asks_for_a_token_and_the_socket_knows_root() {
    let serving = Serving::start().await;
    assert!(ask(serving.tcp().await, "/api/v1/themes", None).await.starts_with("HTTP/1.1 401"));
    assert!(ask(serving.tcp().await, "/api/v1/themes", Some("wrong")).await.starts_with("HTTP/1.1 401"));
    assert!(ask(serving.tcp().await, "/api/v1/themes", Some(TOKEN)).await.starts_with("HTTP/1.1 200"));
    assert!(ask(serving.unix().await, "/api/v1/themes", None).await.starts_with("HTTP/1.1 200"));
    assert!(ask(serving.unix().await, "/api/v1/nowhere", None).await.starts_with("HTTP/1.1 404"));
    serving.stopped().await;
}

#[tokio::test]
async fn figures_are_told_to_whoever_asks_at_their_address_and_nothing_else_is() {
    let (app, house) = House::with_app();
    let server = bind(&house, app, &[]).await.unwrap().with_metrics(ANY_PORT).await.unwrap();
    let address = server.addresses()[0];
    let stop = CancellationToken::new();
    let mut task = JoinSet::new();
    task.spawn(server.run(stop.clone()));
    #[expect(clippy::disallowed_methods, reason = "the address is the test's own, on this machine")]
    let connect = async || TcpStream::connect(address).await.unwrap();
    let figures = ask(connect().await, "/metrics", None).await;
    assert!(figures.starts_with("HTTP/1.1 200") && figures.contains("nachtwacht_tor_ready 1"), "{figures}");
    assert!(ask(connect().await, "/api/v1/status", Some(TOKEN)).await.starts_with("HTTP/1.1 404"));
    stop.cancel();
    task.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn only_the_owner_may_open_the_socket() {
    let serving = Serving::start().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&serving.socket), mode(serving.socket.parent().unwrap())), (0o660, 0o700));
    let beside: Vec<_> = fs::read_dir(serving.socket.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing is left of its making");
    serving.stopped().await;
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_anything_else_is_not() {
    let path = {
        let (app, house) = House::with_app();
        let path = house.dir.path().join("api.sock");
        // A listener that is dropped leaves its file behind, as a killed daemon does; so does a nursery that was
        // interrupted.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        fs::create_dir(house.dir.path().join(".nw")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(house.dir.path().join(".nw/s")).unwrap());
        let server = bind(&house, app, &[]).await.unwrap();
        let stop = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(server.run(stop.clone()));
        assert!(ask(UnixStream::connect(&path).await.unwrap(), "/livez", None).await.starts_with("HTTP/1.1 200"));

        let (other, _other_house) = House::with_app();
        let error = bind(&house, other, &[]).await.err().unwrap();
        assert_eq!(error.to_string(), format!("socket {} is taken", path.display()));
        assert!(
            ask(UnixStream::connect(&path).await.unwrap(), "/livez", None).await.starts_with("HTTP/1.1 200"),
            "the first one still serves"
        );
        stop.cancel();
        task.join_next().await.unwrap().unwrap().unwrap();
        path
    };
    assert!(!path.exists());

    let (app, house) = House::with_app();
    fs::write(house.dir.path().join("api.sock"), "precious").unwrap();
    assert!(matches!(bind(&house, app, &[]).await, Err(Error::NotASocket(_))));
    assert_eq!(fs::read_to_string(house.dir.path().join("api.sock")).unwrap(), "precious");
}

#[tokio::test]
async fn what_cannot_be_bound_is_named() {
    let taken = tokio::net::TcpListener::bind(ANY_PORT).await.unwrap();
    let address = taken.local_addr().unwrap();
    let (app, house) = House::with_app();
    let error = bind(&house, app, &[ANY_PORT, address]).await.err().unwrap();
    assert_eq!(error.to_string(), format!("address {address} is taken"));
    assert!(!house.dir.path().join("api.sock").exists());

    let (app, house) = House::with_app();
    let foreign = "192.0.2.1:1".parse().unwrap();
    let error = bind(&house, app, &[foreign]).await.err().unwrap();
    assert!(error.to_string().starts_with("address 192.0.2.1:1 cannot be listened on: "), "{error}");

    let (app, house) = House::with_app();
    let long = house.dir.path().join("x".repeat(108));
    assert!(matches!(Server::bind(app, &[], &long, None).await, Err(Error::SocketPathTooLong(_))));
    let (app, house) = House::with_app();
    fs::write(house.dir.path().join("file"), "").unwrap();
    assert!(matches!(
        Server::bind(app, &[], &house.dir.path().join("file/api.sock"), None).await,
        Err(Error::Socket { .. })
    ));
}

#[tokio::test]
async fn an_open_request_may_end_and_no_new_one_begins() {
    let serving = Serving::start().await;
    let (mut busy, mut idle) = (serving.unix().await, serving.unix().await);
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200", "the connection has served once, and stays open");
    begin(&mut busy, 2).await;
    serving.stop.cancel();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(!serving.socket.exists(), "nobody new gets in");
    busy.write_all(b"}").await.unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    serving.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_end_is_cut_off() {
    let serving = Serving::start().await;
    let mut busy = serving.unix().await;
    begin(&mut busy, 10).await;
    let stopped_at = Instant::now();
    serving.stopped().await;
    assert!(stopped_at.elapsed() >= DRAIN && stopped_at.elapsed() < DRAIN * 2);
    let mut answer = Vec::new();
    let read = busy.read_to_end(&mut answer).await;
    assert!(read.is_err() || answer.is_empty(), "it got no answer");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let serving = Serving::start().await;
    let mut silent = serving.unix().await;
    silent.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_mins(2), silent.read_to_end(&mut answer)).await.unwrap().unwrap();
    serving.stopped().await;
}
