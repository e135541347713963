use model::{CharsetSource, Digest, PageKind};
use proptest::prelude::*;

use super::{text::MOST_CHANGES, *};

fn uri(path: &str) -> Uri {
    format!("http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion{path}").parse().unwrap()
}

fn document(title: &str, text: &str, links: &[&str]) -> Document {
    let link = |path: &&str| Link { uri: uri(path), anchor: (*path).into(), rel: None };
    Document {
        extractor: 1,
        charset: "UTF-8".into(),
        charset_source: CharsetSource::Header,
        title: title.into(),
        text: text.into(),
        language: Some("eng".into()),
        languages: Vec::new(),
        hidden: Vec::new(),
        images: Vec::new(),
        shape: 0,
        kind: PageKind::Listing,
        links: links.iter().map(link).collect(),
        refresh: None,
        forms: Vec::new(),
        observables: Vec::new(),
        cues: Vec::new(),
        fields: model::Fields::default(),
        content_digest: Digest::of(text.as_bytes()),
        digest_rule: 1,
    }
}

fn texts(old: &str, new: &str) -> TextDifference {
    let page = uri("/");
    compare((&page, &document("", old, &[])), (&page, &document("", new, &[]))).text
}

/// The old text with every change made.
fn applied(old: &str, difference: &TextDifference) -> String {
    let chars: Vec<char> = old.chars().collect();
    let mut new = String::new();
    let mut at = 0;
    for change in &difference.changes {
        new.extend(&chars[at..change.old.start]);
        assert_eq!(new.chars().count(), change.new.start, "{change:?}");
        assert_eq!(chars[change.old.clone()].iter().collect::<String>(), change.deleted);
        new.push_str(&change.inserted);
        assert_eq!(new.chars().count(), change.new.end, "{change:?}");
        at = change.old.end;
    }
    new.extend(&chars[at..]);
    new
}

/// The changes as `before[-deleted-]{+inserted+}after`, with a `~` before noise.
fn check(old: &str, new: &str, expect: &[&str]) {
    let difference = texts(old, new);
    assert_eq!(difference.granularity, Granularity::Word);
    assert_eq!(applied(old, &difference), new);
    let shown = |change: &TextChange| {
        let noise = if change.is_noise { "~" } else { "" };
        format!("{noise}{}[-{}-]{{+{}+}}{}", change.before, change.deleted, change.inserted, change.after)
    };
    assert_eq!(difference.changes.iter().map(shown).collect::<Vec<_>>(), expect);
}

#[test]
fn a_word_that_changed_is_told_with_what_is_around_it() {
    check(
        "Apples\nPrice: 10 EUR a kilo\nend",
        "Apples\nPrice: 12 EUR a kilo\nend",
        &["Price: [-10-]{+12+} EUR a kilo"],
    );
    check("één appel, één peer", "één appel, twee peren", &["één appel, [-één peer-]{+twee peren+}"]);
    check("one\ntwo\nthree", "one\nthree", &["[-two\n-]{++}three"]);
    check("", "new", &["[--]{+new+}"]);
    check("the same", "the same", &[]);
    check("a b", "a  b", &["a [--]{+ +}b"]);
}

#[test]
fn what_the_digest_rule_takes_for_noise_is_marked() {
    check(
        "Server time: 2031-02-03 14:05:06 UTC, 3 left",
        "Server time: 2031-02-03 14:05:09 UTC, 3 left",
        &["~Server time: 2031-02-03 [-14:05:06-]{+14:05:09+} UTC, 3 left"],
    );
    check("(now 14:05:06), 3 left", "(now 14:07:09), 3 left", &["~(now [-14:05:06),-]{+14:07:09),+} 3 left"]);
    check(
        "at 14:05:06 only 3 left",
        "at 14:07:09 only 2 left",
        &["~at [-14:05:06-]{+14:07:09+} only 3 left", "at 14:05:06 only [-3-]{+2+} left"],
    );
}

#[test]
fn fields_and_links_that_differ_are_listed_and_tokens_are_not() {
    let (old_page, new_page) = (uri("/a"), uri("/a"));
    let old = document("Stall", "x", &["/one", "/two?id=2&csrf=abc", "/gone"]);
    let new = Document {
        kind: PageKind::Index,
        language: None,
        forms: vec![FormKind::Login, FormKind::Post],
        refresh: Some(Refresh { delay_s: 5, to: Some(Ok(uri("/next"))) }),
        ..document("Market", "x", &["/new", "/one", "/two?id=2&csrf=xyz", "/two?id=3"])
    };
    let comparison = compare((&old_page, &old), (&new_page, &new));
    let paths = |links: &[Link]| links.iter().map(|link| link.anchor.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&comparison.links_added), ["/new", "/two?id=3"]);
    assert_eq!(paths(&comparison.links_removed), ["/gone"]);
    let change = |field, old: Option<&str>, new: Option<&str>| FieldChange {
        field,
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    let next = format!("after 5 s to {}", uri("/next"));
    let expect = [
        change("title", Some("Stall"), Some("Market")),
        change("kind", Some("listing"), Some("index")),
        change("language", Some("eng"), None),
        change("forms", None, Some("login, post")),
        change("refresh", None, Some(&next)),
    ];
    assert_eq!(comparison.fields, expect);
    assert_eq!(comparison.text.changes, []);
}

/// Texts as hostile as they may come: each is compared, and the changes give the new text.
#[test]
fn texts_of_megabytes_are_compared_more_coarsely_and_say_so() {
    let of = |parts: usize, part: &dyn Fn(usize) -> String| (0..parts).map(part).collect::<String>();
    let one_line = |salt: usize| of(600_000, &|n| format!("w{} ", (n * salt) % 99_991));
    let short_lines = |salt: usize| of(1_000_000, &|n| format!("{}\n", (n * salt) % 7));
    let every_other = |word: &str| of(60_000, &|n| format!("a{n}\n{word}{n}\n"));
    let two_words = |first: &str, second: &str| format!("{}x", of(20_000, &|_| format!("{first} {second} ")));
    let cases = [
        (one_line(31), one_line(37), Granularity::Line),
        (short_lines(3), short_lines(5), Granularity::Whole),
        (every_other("x"), every_other("y"), Granularity::Whole),
        (two_words("a", "b"), two_words("b", "a"), Granularity::Word),
        ("a".repeat(4 << 20), "b".repeat(4 << 20), Granularity::Word),
        (" ".repeat(1 << 20), " ".repeat(1 << 19), Granularity::Line),
    ];
    for (number, (old, new, granularity)) in cases.into_iter().enumerate() {
        let difference = texts(&old, &new);
        assert_eq!(difference.granularity, granularity, "case {number}");
        assert!(difference.changes.len() <= MOST_CHANGES, "case {number}: {} changes", difference.changes.len());
        assert!(applied(&old, &difference) == new, "case {number}: the changes do not give the new text");
    }
}

#[test]
fn a_small_change_of_a_large_text_is_still_told_by_words() {
    let page = |price: u32| {
        let lines: String = (0..100_000u32).map(|n| format!("line {n} of {}\n", n.wrapping_mul(0x9e37_79b9))).collect();
        format!("{lines}Price: {price} EUR\n{lines}")
    };
    check(&page(10), &page(12), &["Price: [-10-]{+12+} EUR"]);
}

fn prose() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "één", "лампа", "€", "14:05", "\u{1f980}"]).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    let space = prop::sample::select(vec![" ", " ", " ", "\n", "\n", "  ", "\u{a0}", "\u{2003}", ""]);
    prop::collection::vec((word, space), 0..40)
        .prop_map(|parts| parts.into_iter().map(|(word, space)| word + space).collect())
}

proptest! {
    #[test]
    fn the_changes_of_any_text_give_the_new_one(old in prose(), new in prose()) {
        let difference = texts(&old, &new);
        prop_assert_eq!(applied(&old, &difference), new.clone());
        prop_assert_eq!(difference.changes.is_empty(), old == new);
        prop_assert_eq!(applied(&new, &texts(&new, &old)), old);
    }

    #[test]
    fn an_edit_changes_no_more_than_the_words_that_it_touches(before in prose(), old in "[a-z]{1,5}", new in "[A-Z]{1,5}", after in prose()) {
        let difference = texts(&format!("{before} {old} {after}"), &format!("{before} {new} {after}"));
        let changes: Vec<_> = difference.changes.iter().map(|change| (&change.deleted, &change.inserted)).collect();
        prop_assert_eq!(changes, [(&old, &new)]);
    }
}
