//! Rules and labels: every version is an act, and what was said stays.

use model::Label;
use proof::{Fact, Leaf, LeafKind};

use super::*;
use crate::{Depth, Labelling, NewLabel, RuleChange, RuleKind};

fn market() -> ThemeId {
    theme("marketplace")
}

fn seconds(n: i64) -> Timestamp {
    Timestamp::from_micros(n * 1_000_000)
}

fn of_market() -> Grant {
    model::Authority::of_this_process().grant("person", market(), model::Phase::Analysis)
}

#[expect(clippy::option_option, reason = "whatever is there, nothing, or this version")]
fn change(store: &Store, name: &str, text: Option<&str>, replaces: Option<Option<u64>>) -> Result<u64, Error> {
    let change = RuleChange { kind: RuleKind::Indicator, name, text, author: "ann", replaces, at: seconds(5) };
    store.change_rule(&reader(), market(), &change)
}

#[tokio::test]
async fn each_version_of_a_rule_is_an_act_and_is_for_what_was_captured_by_then() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    change(&store, "axes", Some("another"), None).unwrap();
    let first = change(&store, "knives", Some("one"), None).unwrap();
    for payload in [b"a", b"b"] {
        store.record(finished("marketplace", "/a", payload)).await.unwrap();
    }
    assert_eq!(change(&store, "knives", Some("one"), None).unwrap(), first, "nothing has changed");
    let second = change(&store, "knives", Some("two"), Some(Some(first))).unwrap();
    store.record(finished("marketplace", "/a", b"c")).await.unwrap();
    let third = change(&store, "knives", None, None).unwrap();
    drop(store);
    let store = open(dir.path());

    let rule = store.rule(&reader(), market(), RuleKind::Indicator, "knives").unwrap().unwrap();
    let versions: Vec<_> =
        rule.versions.iter().map(|v| (v.leaf, v.from.0, v.until.map(|seq| seq.0), v.is_removal)).collect();
    assert_eq!(versions, [(first, 0, Some(2), false), (second, 2, Some(3), false), (third, 3, None, true)]);
    assert_eq!(rule.present(), None);
    assert_eq!([2, 3].map(|seq| rule.versions[0].covers(Seq(seq))), [true, false]);
    let written = store.rule_text(&reader(), market(), second).unwrap();
    assert_eq!(
        (written.text.as_deref(), written.author.as_deref(), written.at),
        (Some("two"), Some("ann"), seconds(5))
    );
    assert_eq!(store.rule_text(&reader(), market(), third).unwrap().text, None);

    let leaf = Leaf::decode(&store.log_leaf(second).unwrap().unwrap()).unwrap();
    assert_eq!(
        (leaf.kind, &leaf.facts["after"], &leaf.facts["removed"]),
        (LeafKind::Indicator, &Fact::Int(2), &Fact::Bool(false))
    );
    assert!(leaf.parts.contains_key("text"), "the leaf commits to the text");
    let report = store.verify(Depth::Full, &mut |_| true).unwrap();
    assert!(report.is_sound() && report.acts == 4, "{:?}", report.findings);
}

#[test]
fn a_change_that_has_not_seen_the_newest_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let refused = |result: Result<u64, Error>| match result {
        Err(Error::RuleChanged(present)) => present,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(change(&store, "knives", None, None)), None, "there is nothing to take away");
    let first = change(&store, "knives", Some("one"), Some(None)).unwrap();
    assert_eq!(refused(change(&store, "knives", Some("two"), Some(None))), Some(first));
    assert_eq!(refused(change(&store, "knives", Some("two"), Some(Some(first + 1)))), Some(first));
    assert_eq!(store.log_head().size, first + 1, "what is refused leaves no trace");
    change(&store, "knives", None, Some(Some(first))).unwrap();
    change(&store, "knives", Some("again"), Some(None)).unwrap();
}

#[test]
fn rules_are_of_one_theme_and_one_kind() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    change(&store, "b", Some("rule"), None).unwrap();
    change(&store, "a", Some("rule"), None).unwrap();
    let names = |theme, kind| -> Vec<String> {
        store.rules(&reader(), theme, kind).unwrap().into_iter().map(|rule| rule.name).collect()
    };
    assert_eq!(names(market(), RuleKind::Indicator), ["a", "b"]);
    assert!(names(market(), RuleKind::SiteProfile).is_empty());
    assert!(names(theme("cybercrime"), RuleKind::Indicator).is_empty());
    assert!(matches!(store.rules(&of_market(), theme("cybercrime"), RuleKind::Indicator), Err(Error::NotGranted(_))));
}

#[test]
fn a_label_is_its_authors_and_stays_in_the_history() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = CaptureId { theme: market(), seq: Seq(4) };
    let say = |author, label, indicator: Option<&str>, note: Option<&str>| {
        let new = NewLabel { label, indicator, author, note, at: seconds(1) };
        store.label_version(&reader(), id, uri("/a").id(), &new).unwrap()
    };
    say("ann", Some(Label::Relevant), None, Some("see the photograph"));
    say("bob", Some(Label::NotRelevant), None, None);
    say("ann", Some(Label::Unsure), None, None);
    say("ann", Some(Label::Relevant), Some("knives"), None);
    say("bob", None, None, None);
    let all = store.labellings(&reader(), market(), uri("/a").id(), (Seq(2), Seq(4))).unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!((all[0].note.as_deref(), all[0].label), (Some("see the photograph"), Some(Label::Relevant)));
    assert!(store.labellings(&reader(), market(), uri("/a").id(), (Seq(2), Seq(3))).unwrap().is_empty());
    assert_eq!(store.all_labellings(&reader(), market()).unwrap(), all);
    assert!(store.all_labellings(&reader(), theme("cybercrime")).unwrap().is_empty());
    let present = Labelling::present(all);
    let said: Vec<_> =
        present.iter().map(|l| (l.author.as_deref().unwrap(), l.label, l.indicator.as_deref())).collect();
    assert_eq!(said, [("ann", Some(Label::Unsure), None), ("ann", Some(Label::Relevant), Some("knives"))]);
    assert!(store.verify(Depth::Full, &mut |_| true).unwrap().is_sound());
}
