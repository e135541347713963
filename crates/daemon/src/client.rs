//! The command line's side of the API: HTTP/1.1 over the daemon's Unix socket.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::failure::Failure;

/// A daemon that may answer.
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
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
        self.exchange(Method::GET, path, None).await
    }

    async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let bytes = self.exchange(method, path, body).await?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&bytes).context("the daemon's answer is not JSON")?)
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Bytes, Failure> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| Failure::NoDaemon { socket: self.socket.clone(), source })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("the daemon does not speak HTTP")?;
        let mut driver = tokio::task::JoinSet::new();
        driver.spawn(connection);
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}")).header("host", "nachtwacht");
        let mut text = Vec::new();
        if let Some(body) = body {
            request = request.header("content-type", "application/json");
            text = serde_json::to_vec(body).context("the request cannot be written")?;
        }
        let request = request.body(Full::new(Bytes::from(text))).context("the request cannot be written")?;
        let response = sender.send_request(request).await.context("the daemon did not answer")?;
        let status = response.status();
        let body = response.into_body().collect().await.context("the daemon's answer broke off")?.to_bytes();
        if status.is_success() { Ok(body) } else { Err(Failure::Refused(problem_of(status.as_u16(), &body))) }
    }
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
    }
}
