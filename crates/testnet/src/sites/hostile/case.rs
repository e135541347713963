use crate::sites::hostile::script::Script;

/// One misbehaviour of the hostile site.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Path, and query if any, where it is to be met.
    pub path: &'static str,
    /// What is sent there, in one line.
    pub what: &'static str,
    /// Whether the front page links there. Not linked is what would end a crawl of the whole site: walls, long bans, and what is worth
    /// meeting only on purpose.
    pub linked: bool,
    /// Paths that begin so belong to the case as well.
    pub(crate) tree: Option<&'static str>,
    pub(crate) answer: fn(&Request) -> Script,
}

impl Case {
    pub(crate) const fn new(path: &'static str, what: &'static str, answer: fn(&Request) -> Script) -> Self {
        Self { path, what, linked: true, tree: None, answer }
    }

    pub(crate) const fn unlinked(mut self) -> Self {
        self.linked = false;
        self
    }

    pub(crate) const fn with_tree(mut self, prefix: &'static str) -> Self {
        self.tree = Some(prefix);
        self
    }
}

/// A request, in so far as an answer depends on it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) host: String,
    pub(crate) cookies: String,
    /// Whether the client asks that the connection be closed after the answer.
    pub(crate) wants_close: bool,
    /// The how-manieth request on its connection it is, from 1.
    pub(crate) turn: u64,
    /// The how-manieth request for its target it is, from 1.
    pub(crate) load: u64,
}

impl Request {
    /// Reads the head of a request, up to and without the empty line. `None` where there is no request line.
    pub(crate) fn parse(head: &str) -> Option<Self> {
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut request =
            Self { path: path.to_owned(), query: query.to_owned(), method, target: target.clone(), ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match name.to_ascii_lowercase().as_str() {
                "host" => value.trim().clone_into(&mut request.host),
                "cookie" => {
                    request.cookies.push_str(value.trim());
                    request.cookies.push(';');
                }
                "connection" => request.wants_close = value.trim().eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        Some(request)
    }

    /// Whether the request carries a cookie as `name=value`.
    pub(crate) fn has_cookie(&self, pair: &str) -> bool {
        self.cookies.split(';').any(|cookie| cookie.trim() == pair)
    }
}
