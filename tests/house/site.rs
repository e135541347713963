//! A site whose every answer the test writes, and which remembers what it was asked.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

/// An answer: status line and fields without the empty line, and the body.
type Answer = Arc<dyn Fn(&str) -> (String, String) + Send + Sync>;

#[derive(Default)]
struct Book {
    requests: Vec<String>,
    in_flight: usize,
    most_in_flight: usize,
}

/// The site.
pub(super) struct Site {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    gate: Arc<Semaphore>,
    _tasks: JoinSet<()>,
}

impl Site {
    /// A site of HTML pages by path; every other path is 404.
    pub(super) async fn pages(pages: &[(&str, &str)]) -> Self {
        let pages: HashMap<String, String> =
            pages.iter().map(|(path, body)| ((*path).to_owned(), (*body).to_owned())).collect();
        Self::answering(move |request| {
            let path = path_of(request);
            match pages.get(path) {
                Some(body) => ("HTTP/1.1 200 OK\r\nContent-Type: text/html".into(), body.clone()),
                None => ("HTTP/1.1 404 Not Found\r\nContent-Type: text/html".into(), "<p>no such page".into()),
            }
        })
        .await
    }

    /// A site that answers each request head as told.
    pub(super) async fn answering(answer: impl Fn(&str) -> (String, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (book, gate): (Arc<Mutex<Book>>, _) = (Arc::default(), Arc::new(Semaphore::new(1_000)));
        let mut tasks = JoinSet::new();
        let (seen, passing, answer): (_, _, Answer) = (Arc::clone(&book), Arc::clone(&gate), Arc::new(answer));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&seen), Arc::clone(&passing), Arc::clone(&answer)));
            }
        });
        Self { address, book, gate, _tasks: tasks }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of the requests so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.book.lock().unwrap().requests.clone()
    }

    /// The most requests that were unanswered at one time.
    pub(super) fn most_in_flight(&self) -> usize {
        self.book.lock().unwrap().most_in_flight
    }

    pub(super) fn in_flight(&self) -> usize {
        self.book.lock().unwrap().in_flight
    }

    /// Answers nothing until [`Site::resume`].
    pub(super) fn pause(&self) {
        self.gate.forget_permits(1_000);
    }

    pub(super) fn resume(&self) {
        self.gate.add_permits(1_000);
    }
}

/// The path and query of a request head.
pub(super) fn path_of(request: &str) -> &str {
    request.split(' ').nth(1).unwrap_or_default()
}

async fn serve(mut stream: TcpStream, book: Arc<Mutex<Book>>, gate: Arc<Semaphore>, answer: Answer) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let request = String::from_utf8(std::mem::take(&mut head)).unwrap();
        {
            let mut book = book.lock().unwrap();
            book.requests.push(request.clone());
            book.in_flight += 1;
            book.most_in_flight = book.most_in_flight.max(book.in_flight);
        }
        let permit = gate.acquire().await;
        let (fields, body) = answer(&request);
        book.lock().unwrap().in_flight -= 1;
        drop(permit);
        let response = format!("{fields}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
    // The client went away; what it asked and never got is no longer in flight.
}
