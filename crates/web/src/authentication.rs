//! Who asks. A bearer token (RFC 6750) over TCP; over the Unix socket its permissions have decided already.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header::AUTHORIZATION},
    middleware::Next,
    response::Response,
};
use model::Digest;
use subtle::ConstantTimeEq as _;

use crate::{app::Shared, refusal::Refusal};

/// An authenticated caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever has the bearer token.
    Token,
    /// Whoever may open the Unix socket. Only the server says so, of the connections of that socket.
    Socket,
}

impl Who {
    /// The name in grants and in the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Socket => "socket",
        }
    }
}

/// Lets those pass who are known, and notes who they are.
pub(crate) async fn authenticate(
    State(running): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if request.extensions().get::<Who>().is_none() {
        let token = bearer_token(request.headers()).ok_or(Refusal::Unauthenticated)?;
        if !is_right(token, &running.app.token) {
            return Err(Refusal::Unauthenticated);
        }
        request.extensions_mut().insert(Who::Token);
    }
    Ok(next.run(request).await)
}

/// The token of the `Authorization` field (RFC 6750, section 2.1). The scheme's case does not matter (RFC 9110, section
/// 11.1).
fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// Compares digests, in a time that does not depend on where they differ.
fn is_right(token: &[u8], digest: &Digest) -> bool {
    Digest::of(token).as_bytes().ct_eq(digest.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expect: Option<&str>) {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer_token(&headers), expect.map(str::as_bytes), "{value:?}");
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        check("Bearer nw_1", Some("nw_1"));
        check("bearer  nw_1 ", Some("nw_1"));
        check("Bearernw_1", None);
        check("Basic nw_1", None);
        check("nw_1", None);
        check("", None);
        assert_eq!(bearer_token(&HeaderMap::new()), None);
    }

    #[test]
    fn a_token_is_known_by_its_digest() {
        let digest = Digest::of(b"right");
        assert!(is_right(b"right", &digest));
        for wrong in [b"wrong".as_slice(), b"", b"righ", b"right ", digest.as_bytes()] {
            assert!(!is_right(wrong, &digest), "{wrong:?}");
        }
    }
}
