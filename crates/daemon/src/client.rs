//! The command line's side of the API: HTTP/1.1 over the daemon's Unix socket.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use crate::failure::Failure;

/// A daemon that may answer.
pub(crate) struct Client {
    socket: PathBuf,
    /// With what whoever asks is known: fields and their values.
    identity: Vec<(&'static str, String)>,
}

impl Client {
    /// For whoever has the token, and with what they say it is for. Without a token the daemon goes by who opens the socket.
    pub(crate) fn new(socket: &Path, token: Option<String>, purpose: Option<String>) -> Self {
        let token = token.map(|token| ("authorization", format!("Bearer {token}")));
        let purpose = purpose.map(|purpose| ("nachtwacht-purpose", purpose));
        Self { socket: socket.to_owned(), identity: token.into_iter().chain(purpose).collect() }
    }

    /// Begins a session; returns what the daemon says of its owner, and the client that has it.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> Result<(Value, Self), Failure> {
        let stranger = Self { socket: self.socket.clone(), identity: Vec::new() };
        let content = Content::json(Some(&json!({ "name": name, "password": password })));
        let (answer, _driver) = stranger.open(Method::POST, "/sessions", content, None).await?;
        let cookie = answer.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let body = answer.into_body().collect().await.context("the daemon's answer broke off")?.to_bytes();
        Ok((parsed(&body)?, Self { identity: vec![("cookie", cookie)], ..stranger }))
    }

    /// The process that answers, as the system tells it.
    pub(crate) async fn peer(&self) -> Option<i32> {
        UnixStream::connect(&self.socket).await.ok()?.peer_cred().ok()?.pid()
    }

    /// `GET`s a JSON answer.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.json(Method::GET, path, None).await
    }

    /// Sends a JSON body, or none, and reads a JSON answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.json(method, path, body).await
    }

    /// `GET`s an answer as it is.
    pub(crate) async fn bytes(&self, path: &str) -> Result<Bytes, Failure> {
        self.exchange(Method::GET, path, Content::none()).await
    }

    /// `GET`s a page of a table as it is, and what the next page begins with.
    pub(crate) async fn page(&self, path: &str) -> Result<(Bytes, Option<String>), Failure> {
        let (answer, _driver) = self.open(Method::GET, path, Content::none(), None).await?;
        let next = answer.headers().get("nachtwacht-next").and_then(|next| {
            let (next, _) = url::form_urlencoded::parse(next.as_bytes()).next()?;
            Some(next.into_owned())
        });
        let body = answer.into_body().collect().await.context("the daemon's answer broke off")?.to_bytes();
        Ok((body, next))
    }

    /// `POST`s nothing and reads an answer as it is.
    pub(crate) async fn post(&self, path: &str) -> Result<Bytes, Failure> {
        self.exchange(Method::POST, path, Content::none()).await
    }

    /// Sends bytes of some media type and reads a JSON answer.
    pub(crate) async fn upload(
        &self,
        method: Method,
        path: &str,
        media_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<Value, Failure> {
        parsed(&self.exchange(method, path, Content { media_type, bytes }).await?)
    }

    /// Sends a JSON body, or none, and reads an answer of lines, each a JSON value, as they come.
    pub(crate) async fn lines(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        mut each: impl FnMut(Value),
    ) -> Result<(), Failure> {
        let (answer, _driver) = self.open(method, path, Content::json(body), None).await?;
        let mut body = answer.into_body();
        let mut rest = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.context("the daemon's answer broke off")?;
            rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                each(parsed(&line)?);
            }
        }
        Ok(())
    }

    /// `GET`s an answer piece by piece, from the byte at `offset` on.
    pub(crate) async fn stream(&self, path: &str, offset: u64) -> Result<(Response<Incoming>, Driver), Failure> {
        self.open(Method::GET, path, Content::none(), (offset > 0).then_some(offset)).await
    }

    /// `POST`s a JSON body and reads an answer piece by piece.
    pub(crate) async fn download(&self, path: &str, body: &Value) -> Result<(Response<Incoming>, Driver), Failure> {
        self.open(Method::POST, path, Content::json(Some(body)), None).await
    }

    /// Whether the daemon is told who asks, and does not go by who opens the socket.
    fn has_identity(&self) -> bool {
        self.identity.iter().any(|(name, _)| matches!(*name, "authorization" | "cookie"))
    }

    async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        parsed(&self.exchange(method, path, Content::json(body)).await?)
    }

    async fn exchange(&self, method: Method, path: &str, content: Content) -> Result<Bytes, Failure> {
        let (answer, _driver) = self.open(method, path, content, None).await?;
        Ok(answer.into_body().collect().await.context("the daemon's answer broke off")?.to_bytes())
    }

    /// Asks, and gives a good answer; the connection lives as long as what comes with it.
    async fn open(
        &self,
        method: Method,
        path: &str,
        content: Content,
        offset: Option<u64>,
    ) -> Result<(Response<Incoming>, Driver), Failure> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| Failure::NoDaemon { socket: self.socket.clone(), source })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("the daemon does not speak HTTP")?;
        let mut driver = Driver::new();
        driver.spawn(connection);
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("host", "nachtwacht");
        for (name, value) in &self.identity {
            request = request.header(*name, value);
        }
        if !content.media_type.is_empty() {
            request = request.header("content-type", content.media_type);
        }
        if let Some(offset) = offset {
            request = request.header("range", format!("bytes={offset}-"));
        }
        let request = request.body(Full::new(Bytes::from(content.bytes))).context("the request cannot be written")?;
        let response = sender.send_request(request).await.context("the daemon did not answer")?;
        let status = response.status();
        if status.is_success() {
            return Ok((response, driver));
        }
        let body = response.into_body().collect().await.context("the daemon's answer broke off")?.to_bytes();
        let mut problem = problem_of(status.as_u16(), &body);
        if !self.has_identity() && is_about_roles(&body) {
            problem += "; nobody is logged in here: `nachtwacht login NAME`";
        }
        Err(Failure::Refused(problem))
    }
}

/// What drives a connection; dropping it ends the connection.
pub(crate) type Driver = tokio::task::JoinSet<Result<(), hyper::Error>>;

/// The body of a request.
struct Content {
    /// Empty where there is no body.
    media_type: &'static str,
    bytes: Vec<u8>,
}

impl Content {
    fn json(body: Option<&Value>) -> Self {
        body.map_or_else(Self::none, |body| Self {
            media_type: "application/json",
            bytes: body.to_string().into_bytes(),
        })
    }

    const fn none() -> Self {
        Self { media_type: "", bytes: Vec::new() }
    }
}

fn parsed(bytes: &[u8]) -> Result<Value, Failure> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(bytes).context("the daemon's answer is not JSON")?)
}

/// Title and detail of a problem (RFC 9457).
fn problem_of(status: u16, body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    match (problem["title"].as_str(), problem["detail"].as_str()) {
        (_, Some(detail)) => detail.to_owned(),
        (Some(title), None) => title.to_owned(),
        (None, None) => format!("the daemon answered with status {status}"),
    }
}

/// Whether a problem may be due to what whoever asks may do: to those without a role in it, a theme does not exist.
fn is_about_roles(body: &[u8]) -> bool {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = problem["type"].as_str().and_then(|kind| kind.rsplit(':').next());
    matches!(kind, Some("unknown-theme" | "no-role" | "unauthenticated"))
}

/// A value as a part of a path or query (RFC 3986, section 2.1).
pub(crate) fn escaped(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A query string of the pairs, with its question mark; nothing where there are none.
pub(crate) fn query(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        assert_eq!(query(&[("q", "a & b=\"ë\"".into()), ("n", "1".into())]), "?q=a%20%26%20b%3D%22%C3%AB%22&n=1");
        assert_eq!(query(&[]), "");
    }

    #[test]
    fn a_problem_tells_its_detail() {
        assert_eq!(
            problem_of(400, br#"{"title":"Bad query","detail":"at character 3: a term was expected"}"#),
            "at character 3: a term was expected"
        );
        assert_eq!(problem_of(502, b"<html>"), "the daemon answered with status 502");
        assert!(is_about_roles(br#"{"type":"tag:nachtwacht,2026:unknown-theme"}"#));
        assert!(!is_about_roles(br#"{"type":"tag:nachtwacht,2026:wrong-password"}"#) && !is_about_roles(b"<html>"));
    }
}
