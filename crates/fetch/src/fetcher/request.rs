//! The request head: the same for every target, in the configured order.

use http::{
    HeaderName, HeaderValue,
    header::{CONNECTION, COOKIE, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH},
};
use http_body_util::Empty;
use hyper::body::Bytes;

use crate::{Error, HttpConfig, Request, cookies::CookieHeader};

/// Fields that the fetcher sets itself, or that announce a body.
const RESERVED: [&str; 8] = [
    "host",
    "cookie",
    "if-none-match",
    "if-modified-since",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// A request as hyper takes it.
pub(crate) type Message = http::Request<Empty<Bytes>>;

/// The configured header fields, checked.
pub(crate) struct RequestHead(Vec<(HeaderName, HeaderValue)>);

impl RequestHead {
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, Error> {
        let mut fields: Vec<(HeaderName, HeaderValue)> = Vec::new();
        for (name, value) in &config.request_headers {
            let invalid = |problem: &str| Error::configuration("http.request_headers", format!("{name}: {problem}"));
            let name: HeaderName = name.parse().map_err(|_| invalid("not a field name"))?;
            let value = value.parse().map_err(|_| invalid("not a field value"))?;
            if RESERVED.contains(&name.as_str()) {
                return Err(invalid("is set by the fetcher itself"));
            }
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(invalid("is there twice"));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The request; a `Cookie` stands where browsers put it, behind `Connection`.
    pub(crate) fn build(&self, request: &Request, cookies: Option<&CookieHeader>) -> Result<Message, String> {
        let cookie = cookies.map(|cookies| value(&cookies.value)).transpose()?;
        let mut message =
            http::Request::get(request.uri.path_and_query()).header(HOST, value(&request.uri.authority())?);
        let mut cookie = cookie;
        for (name, value) in &self.0 {
            message = message.header(name, value);
            if *name == CONNECTION
                && let Some(cookie) = cookie.take()
            {
                message = message.header(COOKIE, cookie);
            }
        }
        if let Some(cookie) = cookie {
            message = message.header(COOKIE, cookie);
        }
        let validators = request.validators.as_ref();
        let conditions = [
            (IF_MODIFIED_SINCE, validators.and_then(|validators| validators.last_modified.as_deref())),
            (IF_NONE_MATCH, validators.and_then(|validators| validators.etag.as_deref())),
        ];
        for (name, condition) in conditions {
            // A validator came from the site: one that is no field value is left out.
            if let Some(condition) = condition.and_then(|condition| HeaderValue::from_str(condition).ok()) {
                message = message.header(name, condition);
            }
        }
        message.body(Empty::new()).map_err(|error| format!("the URI cannot be asked for: {error}"))
    }
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}
