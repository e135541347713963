//! Which URIs belong to a target, and which are a crawler trap.

use std::collections::HashSet;

use model::{Host, RobotsPolicy, Target, Uri};
use regex::{RegexSet, RegexSetBuilder};

use crate::Config;

/// Memory that one compiled pattern may take.
const PATTERN_BYTES: usize = 1 << 20;

/// A target's scope, compiled.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    hosts: HashSet<Host>,
    include: RegexSet,
    exclude: RegexSet,
    max_depth: u16,
    allows_exit: bool,
    obeys_robots: bool,
}

/// Why a URI is not admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It does not belong to the target.
    OutOfScope,
    /// It has the shape of a trap; the name of the shape is the reason.
    Trap(&'static str),
}

/// Checks that patterns of a scope compile within their bounds; the error names the pattern and the place.
pub fn check_patterns(patterns: &[String]) -> Result<(), regex::Error> {
    RegexSetBuilder::new(patterns).size_limit(PATTERN_BYTES).build().map(|_| ())
}

impl Scope {
    /// Fails with the pattern's own message when one cannot be compiled.
    pub(crate) fn compile(target: &Target) -> Result<Self, regex::Error> {
        // Where nothing is decided nothing belongs to the target.
        let Some(terms) = target.terms() else { return Ok(Self::default()) };
        let extra = terms.scope.hosts.iter().filter_map(|host| format!("http://{host}/").parse::<Uri>().ok());
        let hosts = terms.seeds.iter().cloned().chain(extra).map(|uri| uri.host()).collect();
        let set = |patterns: &[String]| RegexSetBuilder::new(patterns).size_limit(PATTERN_BYTES).build();
        Ok(Self {
            hosts,
            include: set(&terms.scope.include)?,
            exclude: set(&terms.scope.exclude)?,
            max_depth: terms.scope.max_depth,
            allows_exit: terms.allows_exit,
            obeys_robots: terms.robots == RobotsPolicy::Obey,
        })
    }

    pub(crate) fn check(&self, uri: &Uri, hops: u16, config: &Config) -> Result<(), Refusal> {
        let host = uri.host();
        let is_reachable = self.allows_exit || matches!(host, Host::Onion(_));
        if !is_reachable || !self.hosts.contains(&host) || hops > self.max_depth {
            return Err(Refusal::OutOfScope);
        }
        let path = uri.path_and_query();
        // Rules that bind are asked for whatever the patterns say.
        if self.obeys_robots && path == "/robots.txt" {
            return Ok(());
        }
        if (!self.include.is_empty() && !self.include.is_match(&path)) || self.exclude.is_match(&path) {
            return Err(Refusal::OutOfScope);
        }
        if uri.query().is_some_and(|query| query.len() > config.query_bytes) {
            return Err(Refusal::Trap("(a query that grows)"));
        }
        if repeats(uri.path()) > config.path_repeats {
            return Err(Refusal::Trap("(a path segment that repeats)"));
        }
        Ok(())
    }

    /// The hosts of the scope, as text, in order.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = self.hosts.iter().map(Host::to_string).collect();
        hosts.sort_unstable();
        hosts
    }
}

/// How often the commonest segment occurs in a path.
fn repeats(path: &str) -> usize {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    segments.sort_unstable();
    segments.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0)
}

/// The shape of a URI: numbers and tokens stand for all of their kind, and of the query only the names count.
pub(crate) fn template(uri: &Uri) -> String {
    let mut shape = uri.host().to_string();
    for segment in uri.path().split('/').skip(1) {
        shape.push('/');
        shape.push_str(&shape_of(segment));
    }
    for (at, pair) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        shape.push(if at == 0 { '?' } else { '&' });
        shape.push_str(pair.split('=').next().unwrap_or_default());
    }
    shape
}

/// A segment with each run of digits as `{n}`, or `{x}` for one that looks like a token.
fn shape_of(segment: &str) -> String {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let is_token = segment.len() >= 16
        && digits >= 3
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte));
    if is_token {
        return "{x}".to_owned();
    }
    let mut shape = String::with_capacity(segment.len());
    let mut in_number = false;
    for char in segment.chars() {
        if !char.is_ascii_digit() {
            shape.push(char);
        } else if !in_number {
            shape.push_str("{n}");
        }
        in_number = char.is_ascii_digit();
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::tests::{decide, target};

    const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

    fn uri(text: &str) -> Uri {
        text.replace("ONION", ONION).parse().unwrap()
    }

    fn check(target: &Target, text: &str, hops: u16) -> Result<(), Refusal> {
        Scope::compile(target).unwrap().check(
            &uri(text),
            hops,
            &Config { path_repeats: 2, query_bytes: 20, ..Config::default() },
        )
    }

    #[test]
    fn only_the_hosts_of_the_target_belong_to_it() {
        let mut target = target();
        assert_eq!(check(&target, "http://ONION/a", 0), Ok(()));
        assert_eq!(check(&target, "https://ONION:8443/a", 0), Ok(()), "another port is the same service");
        let other = "http://sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion/";
        assert_eq!(check(&target, other, 0), Err(Refusal::OutOfScope));
        decide(&mut target, |terms| terms.scope.hosts.push(uri(other).host_str().to_owned()));
        assert_eq!(check(&target, other, 0), Ok(()));
        decide(&mut target, |terms| terms.scope.hosts.push("example.com".into()));
        assert_eq!(
            check(&target, "http://example.com/", 0),
            Err(Refusal::OutOfScope),
            "the decision does not allow the exit"
        );
        decide(&mut target, |terms| terms.allows_exit = true);
        assert_eq!(check(&target, "http://example.com/", 0), Ok(()));
    }

    #[test]
    fn patterns_and_depth_bound_it() {
        let mut target = target();
        decide(&mut target, |terms| {
            terms.scope.include = vec!["^/shop/".into()];
            terms.scope.exclude = vec!["logout".into()];
            terms.scope.max_depth = 2;
        });
        assert_eq!(check(&target, "http://ONION/shop/a", 2), Ok(()));
        assert_eq!(check(&target, "http://ONION/shop/a", 3), Err(Refusal::OutOfScope));
        assert_eq!(check(&target, "http://ONION/other", 0), Err(Refusal::OutOfScope));
        assert_eq!(check(&target, "http://ONION/shop/logout", 0), Err(Refusal::OutOfScope));
        assert_eq!(check(&target, "http://ONION/robots.txt", 0), Err(Refusal::OutOfScope));
        decide(&mut target, |terms| terms.robots = RobotsPolicy::Obey);
        assert_eq!(check(&target, "http://ONION/robots.txt", 0), Ok(()), "rules that bind are asked for");
        decide(&mut target, |terms| terms.scope.include = vec!["(".into()]);
        assert!(Scope::compile(&target).is_err());
        target.decisions.clear();
        assert_eq!(check(&target, "http://ONION/shop/a", 0), Err(Refusal::OutOfScope), "nothing is decided");
    }

    #[test]
    fn shapes_of_traps_are_refused() {
        let target = target();
        assert!(matches!(check(&target, "http://ONION/a/a/b/a/", 0), Err(Refusal::Trap(_))));
        assert!(matches!(check(&target, "http://ONION/?q=aaaaaaaaaaaaaaaaaaaaaaaa", 0), Err(Refusal::Trap(_))));
    }

    #[test]
    fn templates_forget_numbers_and_tokens() {
        let of = |text: &str| template(&uri(text)).replace(ONION, "");
        assert_eq!(of("http://ONION/calendar/2031/01?x=1&y=2"), "/calendar/{n}/{n}?x&y");
        assert_eq!(of("http://ONION/s/0f9a8b7c6d5e4f3a/item-12.html"), "/s/{x}/item-{n}.html");
        assert_eq!(of("http://ONION/categories/household-things"), "/categories/household-things");
    }
}
