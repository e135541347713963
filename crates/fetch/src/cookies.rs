//! The cookies of each target: those that its site sets, in memory only, and those that a person handed over.

use std::{collections::HashMap, ops::Range};

use model::{Digest, Host, Secret, TargetId, Timestamp, Uri};

/// The most cookies that are kept per target.
const MAX_COOKIES: usize = 50;

/// The longest cookie, name and value together, in bytes (RFC 6265, section 6.1).
const MAX_COOKIE_LEN: usize = 4096;

/// A cookie that a person handed over. Its value is a secret: it is sent, and a commitment is kept in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl std::fmt::Debug for LoginCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LoginCookie({}=…)", self.name)
    }
}

/// All cookies, by target.
#[derive(Default)]
pub(crate) struct Cookies(HashMap<TargetId, Jar>);

/// The cookies of one target.
#[derive(Default)]
struct Jar {
    /// The oldest first.
    set: Vec<Cookie>,
    login: Vec<LoginCookie>,
    login_hosts: Vec<String>,
}

/// A cookie that a site set.
struct Cookie {
    name: String,
    value: String,
    host: String,
    /// Whether subdomains of the host get it too.
    has_domain: bool,
    path: String,
    is_secure: bool,
    expires_at: Option<Timestamp>,
}

/// The value of a `Cookie` header, and where secrets lie in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CookieHeader {
    pub(crate) value: String,
    pub(crate) secrets: Vec<Range<usize>>,
}

impl Cookies {
    /// Takes the cookies of a login, which are sent to `hosts` only. The session that was there before ends.
    pub(crate) fn set_login(&mut self, target: TargetId, hosts: Vec<String>, login: Vec<LoginCookie>) {
        self.0.insert(target, Jar { set: Vec::new(), login, login_hosts: hosts });
    }

    pub(crate) fn forget(&mut self, target: TargetId) {
        self.0.remove(&target);
    }

    /// Takes what a response sets (RFC 6265, section 5.3).
    pub(crate) fn store<'a>(
        &mut self,
        target: TargetId,
        uri: &Uri,
        fields: impl Iterator<Item = &'a [u8]>,
        now: Timestamp,
    ) {
        for field in fields {
            if let Some(cookie) = Cookie::parse(&String::from_utf8_lossy(field), uri, now) {
                self.0.entry(target).or_default().put(cookie, now);
            }
        }
    }

    /// What a request for `uri` sends.
    pub(crate) fn header(&mut self, target: TargetId, uri: &Uri, now: Timestamp) -> Option<CookieHeader> {
        let jar = self.0.get_mut(&target)?;
        jar.set.retain(|cookie| !cookie.is_expired(now));
        // A longer path comes first (RFC 6265, section 5.4); the sort is stable, so that older cookies stay in front.
        let mut set: Vec<&Cookie> = jar.set.iter().filter(|cookie| cookie.is_for(uri)).collect();
        set.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        // What a login cookie is sent over must keep it: an onion service does, and so does TLS.
        let is_safe = uri.is_https() || matches!(uri.host(), Host::Onion(_));
        let gets_login =
            is_safe && jar.login_hosts.iter().any(|host| host == uri.host_str() || *host == uri.host().to_string());
        let mut header = CookieHeader::default();
        for cookie in &set {
            header.push(&cookie.name, &cookie.value, false);
        }
        // A cookie that the site has set anew takes the place of the one that was handed over, as in a browser.
        for cookie in jar.login.iter().filter(|_| gets_login) {
            if !set.iter().any(|set| set.name == cookie.name) {
                header.push(&cookie.name, &cookie.value, true);
            }
        }
        (!header.value.is_empty()).then_some(header)
    }
}

impl Jar {
    fn put(&mut self, cookie: Cookie, now: Timestamp) {
        let place = |old: &Cookie| old.name == cookie.name && old.host == cookie.host && old.path == cookie.path;
        let is_expired = cookie.is_expired(now);
        match self.set.iter().position(place) {
            Some(at) if is_expired => drop(self.set.remove(at)),
            Some(at) => {
                if let Some(old) = self.set.get_mut(at) {
                    *old = cookie;
                }
            }
            None if is_expired => {}
            None => {
                self.set.push(cookie);
                if self.set.len() > MAX_COOKIES {
                    self.set.remove(0);
                }
            }
        }
    }
}

impl Cookie {
    /// Reads a `Set-Cookie` field that came with `uri`.
    fn parse(field: &str, uri: &Uri, now: Timestamp) -> Option<Self> {
        let parsed = cookie::Cookie::parse(field).ok()?;
        let host = uri.host_str();
        let is_clean = |text: &str| text.bytes().all(|byte| byte > b' ' && byte < 0x7f && byte != b';');
        let is_kept = !parsed.name().is_empty()
            && parsed.name().len() + parsed.value().len() <= MAX_COOKIE_LEN
            && is_clean(parsed.name())
            && parsed.value().bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let domain =
            parsed.domain().map(|domain| domain.trim_start_matches('.').to_ascii_lowercase()).filter(|d| !d.is_empty());
        // Only the service itself or what is below it: a cookie for all of `onion` would tie sites together.
        let is_own = |domain: &String| *domain == host || host.ends_with(&format!(".{domain}")) && domain.contains('.');
        if !is_kept || domain.as_ref().is_some_and(|domain| !is_own(domain)) {
            return None;
        }
        let expires_at = match (parsed.max_age(), parsed.expires_datetime()) {
            (Some(age), _) => Some(match u64::try_from(age.whole_seconds()) {
                Ok(seconds) if seconds > 0 => now.after(std::time::Duration::from_secs(seconds.min(10 * 365 * 86_400))),
                _ => Timestamp::from_micros(i64::MIN),
            }),
            (None, Some(moment)) => Some(Timestamp::from_micros(moment.unix_timestamp().saturating_mul(1_000_000))),
            (None, None) => None,
        };
        Some(Self {
            name: parsed.name().to_owned(),
            value: parsed.value().to_owned(),
            has_domain: domain.is_some(),
            host: domain.unwrap_or_else(|| host.to_owned()),
            path: parsed.path().filter(|path| path.starts_with('/')).map_or_else(|| default_path(uri), str::to_owned),
            is_secure: parsed.secure().unwrap_or(false),
            expires_at,
        })
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether it is sent with a request for `uri` (RFC 6265, section 5.4). An onion service is as secure as TLS.
    fn is_for(&self, uri: &Uri) -> bool {
        let host = uri.host_str();
        let is_host = host == self.host || self.has_domain && host.ends_with(&format!(".{}", self.host));
        let is_path = uri
            .path()
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/'));
        is_host && is_path && (!self.is_secure || uri.is_https() || matches!(uri.host(), Host::Onion(_)))
    }
}

impl CookieHeader {
    fn push(&mut self, name: &str, value: &str, is_secret: bool) {
        if !self.value.is_empty() {
            self.value.push_str("; ");
        }
        self.value.push_str(name);
        self.value.push('=');
        let from = self.value.len();
        self.value.push_str(value);
        if is_secret && !value.is_empty() {
            self.secrets.push(from..self.value.len());
        }
    }

    /// Cuts the secrets out of a request as it was sent, and leaves a commitment for each (with these salts, in order).
    pub(crate) fn cut_out(&self, request: &mut Vec<u8>, salts: &[Digest]) -> Vec<Secret> {
        const NAME: &[u8] = b"\r\nCookie: ";
        let Some(start) = request.windows(NAME.len()).position(|bytes| bytes.eq_ignore_ascii_case(NAME)) else {
            return Vec::new();
        };
        let mut secrets = Vec::new();
        let mut removed = 0;
        for (range, salt) in self.secrets.iter().zip(salts) {
            // The request may have been sent in part only.
            let from = (start + NAME.len() + range.start - removed).min(request.len());
            let to = (from + range.len()).min(request.len());
            let secret: Vec<u8> = request.drain(from..to).collect();
            removed += secret.len();
            if !secret.is_empty() {
                let commitment = Digest::of_parts(&[salt.as_bytes(), &secret]);
                secrets.push(Secret { offset: from as u64, len: secret.len() as u64, commitment, salt: Some(*salt) });
            }
        }
        secrets
    }
}

/// The directory of the path (RFC 6265, section 5.1.4).
fn default_path(uri: &Uri) -> String {
    match uri.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(at) => uri.path().get(..at).unwrap_or("/").to_owned(),
    }
}

#[cfg(test)]
mod tests;
