//! What people hand in, applied and checked.

use model::{Decision, Host, Target, Timestamp, Uri};

use crate::{
    api::{NewDecision, PaceSettings, ScopeSettings, TargetChange},
    refusal::Refusal,
};

/// The most seeds, hosts or patterns of a target.
const MAX_ENTRIES: usize = 1_000;

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// The longest grounds, legal basis or author, in characters.
const MAX_TEXT: usize = 10_000;

/// The decision that somebody has made at `now`.
pub(crate) fn decided(new: NewDecision, number: u32, now: Timestamp) -> Decision {
    Decision {
        number,
        grounds: new.grounds,
        legal_basis: new.legal_basis,
        author: new.author,
        made_at: now,
        ends_at: new.ends_at,
        robots: new.robots,
        allows_exit: new.allows_exit,
        allows_proof_of_work: new.allows_proof_of_work,
        allows_conditional_requests: new.allows_conditional_requests,
    }
}

/// Applies what a change names.
pub(super) fn apply(change: TargetChange, target: &mut Target) {
    let TargetChange { name, seeds, scope, pace } = change;
    set(&mut target.name, name.map(|name| name.trim().to_owned()));
    set(&mut target.seeds, seeds);
    let ScopeSettings { hosts, include, exclude, max_depth, pages_per_day } = scope;
    set(&mut target.scope.hosts, hosts);
    set(&mut target.scope.include, include);
    set(&mut target.scope.exclude, exclude);
    set(&mut target.scope.max_depth, max_depth);
    set(&mut target.scope.pages_per_day, pages_per_day);
    let PaceSettings { delay_ms, concurrency, revisit_min_s, revisit_max_s } = pace;
    set(&mut target.pace.delay_ms, delay_ms);
    set(&mut target.pace.concurrency, concurrency);
    set(&mut target.pace.revisit_min_s, revisit_min_s);
    set(&mut target.pace.revisit_max_s, revisit_max_s);
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Checks all that people hand in of a target, and brings its hosts into their canonical form.
pub(super) fn check(target: &mut Target) -> Result<(), Refusal> {
    check_size("seeds", target.seeds.len(), MAX_ENTRIES, "entries")?;
    check_size("scope.hosts", target.scope.hosts.len(), MAX_ENTRIES, "entries")?;
    target.validate()?;
    check_size("name", target.name.chars().count(), MAX_NAME, "characters")?;
    if target.name.chars().any(char::is_control) {
        return Err(invalid("name", "control characters do not belong in it"));
    }
    check_patterns("scope.include", &target.scope.include)?;
    check_patterns("scope.exclude", &target.scope.exclude)?;
    let Some(decision) = target.decisions.last() else { return Ok(()) };
    for (field, text) in
        [("grounds", &decision.grounds), ("legal_basis", &decision.legal_basis), ("author", &decision.author)]
    {
        check_size(field, text.chars().count(), MAX_TEXT, "characters")?;
    }
    let hosts = target.scope.hosts.iter().map(|host| canonical_host(host, decision.allows_exit));
    target.scope.hosts = hosts.collect::<Result<_, _>>()?;
    Ok(())
}

fn check_patterns(field: &'static str, patterns: &[String]) -> Result<(), Refusal> {
    check_size(field, patterns.len(), MAX_ENTRIES, "entries")?;
    crawl::check_patterns(patterns).map_err(|error| invalid(field, error.to_string()))
}

/// A host of a scope: a name and nothing else, and one that the decision lets the crawl reach.
fn canonical_host(text: &str, allows_exit: bool) -> Result<String, Refusal> {
    let uri: Uri =
        format!("http://{text}/").parse().map_err(|error| invalid("scope.hosts", format!("{text:?}: {error}")))?;
    if uri.as_str() != format!("http://{}/", uri.host_str()) || !uri.host_str().eq_ignore_ascii_case(text) {
        return Err(invalid("scope.hosts", format!("{text:?} is not the name of a host")));
    }
    match uri.host() {
        Host::ClearNet(name) if !allows_exit => {
            Err(invalid("scope.hosts", format!("{name} is on the clear net, and the decision does not allow the exit")))
        }
        host => Ok(host.to_string()),
    }
}

fn check_size(field: &'static str, size: usize, most: usize, of: &str) -> Result<(), Refusal> {
    if size > most { Err(invalid(field, format!("{size} {of} are more than {most}"))) } else { Ok(()) }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> Refusal {
    Refusal::Invalid { field, problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

    fn check(text: &str, allows_exit: bool) -> Option<String> {
        canonical_host(text, allows_exit).ok()
    }

    #[test]
    fn a_host_is_a_name_and_nothing_else() {
        assert_eq!(check(ONION, false).as_deref(), Some(ONION));
        assert_eq!(check(&ONION.to_uppercase(), false).as_deref(), Some(ONION));
        assert_eq!(check(&format!("www.{ONION}"), false).as_deref(), Some(ONION), "subdomains are the same service");
        assert_eq!(check("Example.com", true).as_deref(), Some("example.com"));
        for bad in [
            "example.com/path",
            "example.com:8080",
            "user@example.com",
            "a b",
            "127.0.0.1",
            "localhost",
            "",
            "example.com?x",
            "http://example.com",
        ] {
            assert_eq!(check(bad, true), None, "{bad:?}");
        }
        assert_eq!(check("example.com", false), None, "the decision does not allow the exit");
    }
}
