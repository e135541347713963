//! What people propose, applied and checked.

use model::{Host, InvalidTerms, Matter, Probe, Retention, Terms, ThemeId, Timestamp, Uri};

use crate::{
    api::{FoundIn, NewProbe, PaceSettings, ScopeSettings, TermsSettings},
    app::Running,
    refusal::Refusal,
    request::checked,
};

/// The time for which leave to probe lasts, where nothing is said, in days.
const PROBE_DAYS: u64 = 7;

/// The name of a target.
pub(crate) fn checked_name(name: &str) -> Result<String, Refusal> {
    checked("name", name)
}

/// The terms of a first proposal: what has no default must be there.
pub(crate) fn first_terms(settings: TermsSettings) -> Result<Terms, Refusal> {
    fn needed<T: Clone>(field: &'static str, value: Option<&T>) -> Result<T, Refusal> {
        value.cloned().ok_or_else(|| InvalidTerms::new(field, "is missing").into())
    }
    let terms = Terms {
        seeds: needed("seeds", settings.seeds.as_ref())?,
        scope: model::Scope::default(),
        pace: model::Pace::default(),
        grounds: needed("grounds", settings.grounds.as_ref())?,
        expected_value: needed("expected_value", settings.expected_value.as_ref())?,
        legal_basis: needed("legal_basis", settings.legal_basis.as_ref())?,
        necessity: needed("necessity", settings.necessity.as_ref())?,
        proportionality: needed("proportionality", settings.proportionality.as_ref())?,
        reliability: model::Reliability::default(),
        credibility: model::Credibility::default(),
        media: model::MediaPolicy::default(),
        robots: model::RobotsPolicy::default(),
        allows_exit: false,
        allows_proof_of_work: false,
        allows_conditional_requests: false,
        retention_days: None,
        review_at: needed("review_at", settings.review_at.as_ref())?,
        ends_at: needed("ends_at", settings.ends_at.as_ref())?,
    };
    Ok(changed_terms(terms, settings))
}

/// The terms with what a change names.
pub(crate) fn changed_terms(mut terms: Terms, change: TermsSettings) -> Terms {
    let TermsSettings {
        seeds,
        scope: ScopeSettings { hosts, include, exclude, max_depth, pages_per_day },
        pace: PaceSettings { delay_ms, concurrency, revisit_min_s, revisit_max_s },
        grounds,
        expected_value,
        legal_basis,
        necessity,
        proportionality,
        reliability,
        credibility,
        media,
        robots,
        allows_exit,
        allows_proof_of_work,
        allows_conditional_requests,
        retention_days,
        review_at,
        ends_at,
    } = change;
    set(&mut terms.seeds, seeds);
    set(&mut terms.scope.hosts, hosts);
    set(&mut terms.scope.include, include);
    set(&mut terms.scope.exclude, exclude);
    set(&mut terms.scope.max_depth, max_depth);
    set(&mut terms.scope.pages_per_day, pages_per_day);
    set(&mut terms.pace.delay_ms, delay_ms);
    set(&mut terms.pace.concurrency, concurrency);
    set(&mut terms.pace.revisit_min_s, revisit_min_s);
    set(&mut terms.pace.revisit_max_s, revisit_max_s);
    set(&mut terms.grounds, grounds);
    set(&mut terms.expected_value, expected_value);
    set(&mut terms.legal_basis, legal_basis);
    set(&mut terms.necessity, necessity);
    set(&mut terms.proportionality, proportionality);
    set(&mut terms.reliability, reliability);
    set(&mut terms.credibility, credibility);
    set(&mut terms.media, media);
    set(&mut terms.robots, robots);
    set(&mut terms.allows_exit, allows_exit);
    set(&mut terms.allows_proof_of_work, allows_proof_of_work);
    set(&mut terms.allows_conditional_requests, allows_conditional_requests);
    set(&mut terms.retention_days, retention_days.map(|days| (days > 0).then_some(days)));
    set(&mut terms.review_at, review_at);
    set(&mut terms.ends_at, ends_at);
    terms
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Checks terms against their theme and the clock, and brings their hosts into the canonical form.
pub(crate) fn checked_terms(running: &Running, theme: ThemeId, mut terms: Terms) -> Result<Matter, Refusal> {
    terms.validate(running.app.clock.now())?;
    check_patterns("scope.include", &terms.scope.include)?;
    check_patterns("scope.exclude", &terms.scope.exclude)?;
    let hosts = terms.scope.hosts.iter().map(|host| canonical_host(host, terms.allows_exit));
    terms.scope.hosts = hosts.collect::<Result<_, _>>()?;
    let known = running.theme(theme).ok_or(Refusal::NoTheme)?;
    check_retention(&terms, known.retention)?;
    Ok(Matter::Crawl(Box::new(terms)))
}

fn check_retention(terms: &Terms, theme: Retention) -> Result<(), Refusal> {
    match (terms.retention_days, theme.content_days) {
        (Some(own), Some(most)) if own >= most => {
            Err(InvalidTerms::new("retention_days", format!("{own} is not shorter than the {most} days of the theme"))
                .into())
        }
        _ => Ok(()),
    }
}

/// A probe that somebody proposes at `now`.
pub(crate) fn checked_probe(new: NewProbe, now: Timestamp) -> Result<Matter, Refusal> {
    let NewProbe { uri, grounds, legal_basis, allows_exit, ends_at } = new;
    let in_a_week = now.after(std::time::Duration::from_hours(24 * PROBE_DAYS));
    let probe = Probe { uri, grounds, legal_basis, allows_exit, ends_at: ends_at.unwrap_or(in_a_week) };
    probe.validate(now)?;
    Ok(Matter::Probe(probe))
}

/// Where a source was come by: it says something, and the capture is one of the theme.
pub(crate) fn checked_found_in(
    running: &Running,
    theme: ThemeId,
    found_in: Option<FoundIn>,
) -> Result<Option<model::FoundIn>, Refusal> {
    let Some(FoundIn { capture, service, link }) = found_in else { return Ok(None) };
    let invalid = |problem: &str| Refusal::from(InvalidTerms::new("found_in", problem));
    if capture.is_none() && service.is_none() && link.is_none() {
        return Err(invalid("say a capture, a service or a link"));
    }
    let newest = running.app.store.newest().borrow().get(&theme).copied().unwrap_or_default();
    if capture.is_some_and(|seq| seq.0 == 0 || seq > newest) {
        return Err(invalid("there is no such capture in this theme"));
    }
    let service = service.map(|service| checked("found_in", &service)).transpose()?;
    Ok(Some(model::FoundIn { capture, service, link }))
}

fn check_patterns(field: &'static str, patterns: &[String]) -> Result<(), Refusal> {
    Ok(crawl::check_patterns(patterns).map_err(|error| InvalidTerms::new(field, error.to_string()))?)
}

/// A host of a scope: a name and nothing else, and one that the decision lets the crawl reach.
fn canonical_host(text: &str, allows_exit: bool) -> Result<String, InvalidTerms> {
    let invalid = |problem: String| InvalidTerms::new("scope.hosts", problem);
    let uri: Uri = format!("http://{text}/").parse().map_err(|error| invalid(format!("{text:?}: {error}")))?;
    if uri.as_str() != format!("http://{}/", uri.host_str()) || !uri.host_str().eq_ignore_ascii_case(text) {
        return Err(invalid(format!("{text:?} is not the name of a host")));
    }
    match uri.host() {
        Host::ClearNet(name) if !allows_exit => {
            Err(invalid(format!("{name} is on the clear net, and allows_exit is not set")))
        }
        host => Ok(host.to_string()),
    }
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
