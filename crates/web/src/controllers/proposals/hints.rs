//! What speaks for an address being a copy of a known service, or watched already.

use std::collections::BTreeSet;

use model::{Grant, OnionAddress, Phase, Proposal, Target};

use crate::{api::ProposalHint, app::Running, refusal::Refusal};

/// Hosts of a proposal that are looked at.
const MAX_HOSTS: usize = 16;

/// Addresses are made until their beginning looks like another's. One of these many characters takes a machine minutes; chance gives them to one pair in a
/// thousand million.
const LOOKS_ALIKE: usize = 6;

/// The hints: addresses, verdicts and how sure they are, and nothing of the pages.
pub(super) fn hints(
    running: &Running,
    grant: &Grant,
    target: &Target,
    proposal: &Proposal,
) -> Result<Vec<ProposalHint>, Refusal> {
    let store = &running.app.store;
    let mut known = Vec::new();
    for other in store.proposals(grant, target.theme, None)?.into_iter().filter(|other| other.target != target.id) {
        known.extend(other.matter.hosts().into_iter().map(|host| (host, other.target)));
    }
    let known: BTreeSet<_> = known.into_iter().collect();
    let insight = running.app.authority.grant(grant.who(), target.theme, Phase::Analysis);
    let mut hints = Vec::new();
    let hosts = proposal.matter.hosts();
    if let Some(unseen) = hosts.len().checked_sub(MAX_HOSTS).filter(|unseen| *unseen > 0) {
        hints.push(ProposalHint {
            kind: "cut".to_owned(),
            host: String::new(),
            other: String::new(),
            because: format!("{unseen} of its hosts were not looked at: propose them apart"),
        });
    }
    for host in hosts.into_iter().take(MAX_HOSTS) {
        for (other, of) in &known {
            hints.extend(of_addresses(&host, other, &of.to_string()));
        }
        for like in derive::alike(store, &insight, target.theme, &host)? {
            let (verdict, confidence) = (like.likeness.verdict.as_str(), like.likeness.confidence);
            hints.push(ProposalHint {
                kind: verdict.to_owned(),
                host: host.clone(),
                other: like.b.clone(),
                because: format!("its pages are like those of {}: {verdict}, {confidence} %", like.b),
            });
        }
    }
    Ok(hints)
}

/// What two addresses alone tell.
fn of_addresses(host: &str, other: &str, target: &str) -> Option<ProposalHint> {
    let hint = |kind: &str, because: String| ProposalHint {
        kind: kind.to_owned(),
        host: host.to_owned(),
        other: other.to_owned(),
        because,
    };
    if host == other {
        return Some(hint("duplicate", format!("it was proposed for target {target} already: see what became of it")));
    }
    let are_onions = [host, other].iter().all(|host| OnionAddress::from_host(host).is_ok());
    let begin_alike = host.get(..LOOKS_ALIKE) == other.get(..LOOKS_ALIKE);
    (are_onions && begin_alike).then(|| {
        hint("look-alike", format!("it begins like {other} of target {target}, as addresses of phishing copies do"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(host: &str, other: &str) -> Option<String> {
        of_addresses(host, other, "t").map(|hint| hint.kind)
    }

    #[test]
    fn an_address_that_begins_like_another_is_told() {
        let address = |key: u8, second: u8| {
            let mut bytes = [key; 32];
            bytes[31] = second;
            OnionAddress::from_public_key(bytes).to_string()
        };
        let (known, copy, other) = (address(1, 1), address(1, 2), address(9, 1));
        assert_eq!(kind(&copy, &known).as_deref(), Some("look-alike"));
        assert_eq!(kind(&known, &known).as_deref(), Some("duplicate"));
        assert_eq!(kind(&other, &known), None);
        assert_eq!(kind("example.com", "example.org"), None, "names of the clear net begin as their owners like");
    }
}
