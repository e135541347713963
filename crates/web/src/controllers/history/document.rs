//! The history of a target as one document: Markdown that reads as plain text. What people wrote stands in it as quotations, so that none of it becomes markup.

use std::fmt::Write as _;

use model::{Target, Timestamp};

use crate::api::{FoundIn, HistoryStep, TargetHistory, TermsChange};

/// The longest value that stands on the line of its field, in characters.
const ONE_LINE: usize = 80;

/// Writes the document as it is at `now`.
pub(super) fn write(target: &Target, history: &TargetHistory, now: Timestamp) -> String {
    let mut text = format!("# Decisions about {}\n\n", on_one_line(&history.name));
    line(&mut text, &format!("Theme {}, target {}, first proposed {}.", target.theme, target.id, target.added_at));
    line(&mut text, &format!("Written {now}. Each step is a leaf of the evidence log."));
    line(&mut text, &standing(target, now));
    for step in &history.steps {
        text.push('\n');
        write_step(&mut text, step);
    }
    text
}

/// How things stand with the last decision on crawling.
fn standing(target: &Target, now: Timestamp) -> String {
    let Some((decision, terms)) = target.last_decision() else { return "No decision to crawl it was made.".to_owned() };
    let number = decision.number;
    match &decision.ended {
        Some(ending) => format!("Decision {number} was ended {}. No decision is in force.", ending.at),
        None if terms.ends_at <= now => format!("Decision {number} lapsed {}. No decision is in force.", terms.ends_at),
        None => format!("Decision {number} is in force until {}; review by {}.", terms.ends_at, terms.review_at),
    }
}

fn write_step(text: &mut String, step: &HistoryStep) {
    let matter = step.matter.as_deref().map(|matter| format!(" ({matter})")).unwrap_or_default();
    line(text, &format!("## Leaf {}: {}{matter}", step.leaf, step.step));
    text.push('\n');
    let who = step.who.as_deref().map_or_else(|| "somebody whose name was erased".to_owned(), on_one_line);
    line(text, &format!("- when: {}", step.at));
    line(text, &format!("- who: {who}"));
    if let Some(proposal) = step.proposal.filter(|proposal| *proposal != step.leaf) {
        line(text, &format!("- proposal: {proposal}"));
    }
    if let Some(decision) = step.decision {
        line(text, &format!("- decision: {decision}"));
    }
    if let Some(name) = &step.name {
        line(text, &format!("- name: {}", on_one_line(name)));
    }
    if let Some(found_in) = &step.found_in {
        line(text, &format!("- found in: {}", found(found_in)));
    }
    for change in &step.changes {
        write_change(text, change);
    }
    if let Some(result) = &step.result {
        let outcome = result.outcome.map_or_else(|| "withheld".to_owned(), |outcome| outcome.to_string());
        line(text, &format!("- came to: capture {}, {outcome}", result.capture));
    }
    if let Some(reasons) = &step.reasons {
        line(text, "- reasons:");
        quote(text, reasons);
    }
}

fn write_change(text: &mut String, change: &TermsChange) {
    let is_short = |value: &str| value.chars().count() <= ONE_LINE && !value.contains('\n');
    let short = |value: &str| if value.is_empty() { "(nothing)".to_owned() } else { on_one_line(value) };
    match &change.from {
        Some(from) if is_short(from) && is_short(&change.to) => {
            line(text, &format!("- {}: {} → {}", change.field, short(from), short(&change.to)));
        }
        None if is_short(&change.to) => line(text, &format!("- {}: {}", change.field, short(&change.to))),
        from => {
            if let Some(from) = from {
                line(text, &format!("- {}, before:", change.field));
                quote(text, from);
            }
            line(text, &format!("- {}:", change.field));
            quote(text, &change.to);
        }
    }
}

fn found(found_in: &FoundIn) -> String {
    let capture = found_in.capture.map(|seq| format!("capture {seq}"));
    let service = found_in.service.as_deref().map(|service| format!("service {}", on_one_line(service)));
    let link = found_in.link.as_ref().map(|link| format!("link {link}"));
    [capture, service, link].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

fn quote(text: &mut String, words: &str) {
    for words in words.lines() {
        line(text, &format!("  > {}", on_one_line(words)));
    }
}

/// Words of somebody, so that whatever renders the document shows them and does nothing else: marks of Markdown and HTML are escaped (`CommonMark`, section
/// 2.4), and what would break the line or turn its direction is a space.
fn on_one_line(words: &str) -> String {
    let mut line = String::with_capacity(words.len());
    for char in words.chars() {
        match char {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '!' | '#' | '&' | '|' | '~' => line.extend(['\\', char]),
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.push(' ');
            }
            char if char.is_control() => line.push(' '),
            char => line.push(char),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_becomes_no_markup() {
        assert_eq!(
            on_one_line("![x](http://a.example/p) <img src=y>"),
            "\\!\\[x\\](http://a.example/p) \\<img src=y\\>"
        );
        assert_eq!(on_one_line("a\u{202e}b\u{2028}# c"), "a b \\# c");
    }
}
