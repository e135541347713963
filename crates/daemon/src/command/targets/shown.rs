//! Targets and proposals as people read them.

use serde_json::Value;

use super::{items, text};
use crate::print;

/// What people want of a target, or what it wants of them.
pub(super) fn state(target: &Value) -> String {
    if !target["attention"].is_null() {
        "needs attention".into()
    } else if !target["crawl"]["review_overdue"].is_null() {
        "review is overdue".into()
    } else if target["decision_in_force"].is_null() && target["state"] == "active" {
        "no decision in force".into()
    } else {
        text(&target["state"])
    }
}

pub(super) fn target(target: &Value) {
    print::line(&format!("{} {}  {}", text(&target["theme"]), text(&target["id"]), text(&target["name"])));
    print::line(&format!("state     {}", text(&target["state"])));
    if !target["attention"].is_null() {
        print::line(&format!(
            "attention {} (since {})",
            text(&target["attention"]["reason"]),
            text(&target["attention"]["since"])
        ));
    }
    for decision in items(&target["decisions"]) {
        show_decision(decision);
    }
    for proposal in items(&target["open_proposals"]) {
        print::line(&format!(
            "proposal  {} by {} at {}, awaits a second person",
            text(&proposal["proposal"]),
            text(&proposal["by"]),
            text(&proposal["at"]),
        ));
        show_changes(proposal);
    }
    show_crawl(target);
}

fn show_crawl(target: &Value) {
    let crawl = &target["crawl"];
    print::line(&format!(
        "crawl     {} captures, {} queued, {} in flight, last outcome {} at {}",
        text(&crawl["captures"]),
        text(&crawl["queued"]),
        text(&crawl["in_flight"]),
        text(&crawl["last_outcome"]),
        text(&crawl["last_at"]),
    ));
    if let Some(reason) = crawl["waits_because"].as_str() {
        print::line(&format!("waits     {reason}"));
    }
    if let Some(since) = crawl["review_overdue"].as_str() {
        print::line(&format!("review    overdue since {since}: propose what it should become, or end the decision"));
    }
    for drift in items(&target["drifts"]) {
        print::line(&format!(
            "drift     site profile {} does not fit {} of the newest {} pages that it should read; see capture {}",
            text(&drift["profile"]),
            text(&drift["missed"]),
            text(&drift["of"]),
            text(&drift["seen_in"]),
        ));
    }
    for trap in items(&target["traps"]) {
        print::line(&format!("trap      {} ({} refused)", text(&trap["template"]), text(&trap["refused"])));
    }
}

fn show_decision(decision: &Value) {
    let (terms, probe) = (&decision["terms"], &decision["probe"]);
    let (what, of) = if probe.is_null() { ("crawl", terms) } else { ("probe", probe) };
    print::line(&format!(
        "decision  {} ({what}), proposed by {}, approved by {}, until {}: {} ({})",
        text(&decision["number"]),
        text(&decision["proposed_by"]),
        text(&decision["approved_by"]),
        text(&of["ends_at"]),
        text(&of["grounds"]),
        text(&of["legal_basis"]),
    ));
    for seed in items(&terms["seeds"]) {
        print::line(&format!("  seed    {}", text(seed)));
    }
    if !probe.is_null() {
        print::line(&format!("  page    {}", text(&probe["uri"])));
    }
    let result = &decision["result"];
    if !result.is_null() {
        print::line(&format!("  came to capture {}, {}", text(&result["capture"]), text(&result["outcome"])));
    }
    let ended = &decision["ended"];
    if !ended.is_null() {
        print::line(&format!("  ended   {} by {}: {}", text(&ended["at"]), text(&ended["by"]), text(&ended["reason"])));
    }
}

pub(super) fn proposal(proposal: &Value) {
    print::line(&format!(
        "{} {}  {}, proposal {}: {}",
        text(&proposal["theme"]),
        text(&proposal["target"]),
        text(&proposal["name"]),
        text(&proposal["proposal"]),
        text(&proposal["state"]),
    ));
    print::line(&format!("by        {} at {}", text(&proposal["by"]), text(&proposal["at"])));
    let found = &proposal["found_in"];
    if !found.is_null() {
        let (capture, service, link) = (text(&found["capture"]), text(&found["service"]), text(&found["link"]));
        print::line(&format!("found in  capture {capture}, service {service}, link {link}"));
    }
    show_changes(proposal);
    let answer = &proposal["answer"];
    if !answer.is_null() {
        print::line(&format!(
            "answer    {} by {} at {}: {}",
            text(&proposal["state"]),
            text(&answer["by"]),
            text(&answer["at"]),
            text(&answer["reasons"]),
        ));
    }
    for hint in items(&proposal["hints"]) {
        print::line(&format!("hint      {}: {}: {}", text(&hint["kind"]), text(&hint["host"]), text(&hint["because"])));
    }
    for probe in items(&proposal["probes"]) {
        show_decision(probe);
    }
}

fn show_changes(proposal: &Value) {
    for change in items(&proposal["changes"]) {
        let from = change["from"].as_str().map(|from| format!("{from} → ")).unwrap_or_default();
        print::line(&format!("  {}: {from}{}", text(&change["field"]), text(&change["to"])));
    }
}
