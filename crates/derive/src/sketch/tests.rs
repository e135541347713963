use model::{Digest, Link, Uri};
use proptest::prelude::*;

use super::*;

const OWN: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
const OTHER: &str = "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion";
const THIRD: &str = "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion";

fn document(title: &str, text: &str) -> Document {
    Document {
        extractor: 1,
        charset: "UTF-8".into(),
        charset_source: model::CharsetSource::Header,
        title: title.into(),
        text: text.into(),
        language: None,
        kind: PageKind::Other,
        links: Vec::new(),
        refresh: None,
        forms: Vec::new(),
        observables: extract::observables(text, &model::ObservableSettings::default()),
        hidden: Vec::new(),
        languages: Vec::new(),
        images: Vec::new(),
        shape: 0,
        cues: Vec::new(),
        fields: model::Fields::default(),
        content_digest: Digest::of(text.as_bytes()),
        digest_rule: 1,
    }
}

fn hash(text: &str) -> u64 {
    simhash(&words(text, &document("", text)))
}

#[test]
fn what_moves_on_and_what_a_clone_puts_in_does_not_change_the_text() {
    let text = |price: &str, mail: &str, time: &str| {
        format!(
            "Fine lamp oil from the harbour. Price {price} EUR, write to {mail} before you order. Server time: {time}"
        )
    };
    let first = hash(&text("17.50", "a@example.org", "2031-02-03 14:05:06"));
    assert_eq!(first, hash(&text("1900", "somebody.else@example.net", "2032-01-01 01:00:00")));
    assert_ne!(first, hash("Fine lamp wicks from the mill. Price 17.50 EUR, write to a@example.org before you order."));
}

fn called(title: &str, text: &str, links: &[(&str, &str)]) -> Vec<(String, bool)> {
    let link = |(host, anchor): &(&str, &str)| {
        let uri: Uri = format!("http://{host}/").parse().unwrap();
        Link { uri, anchor: (*anchor).into(), rel: None }
    };
    let document = Document { links: links.iter().map(link).collect(), ..document(title, text) };
    mentions(OWN, text, &document).into_iter().map(|it| (it.host, it.is_called_mirror)).collect()
}

#[test]
fn other_services_are_told_apart_by_what_they_are_called() {
    let check = |title: &str, text: &str, links: &[(&str, &str)], expect: &[(&str, bool)]| {
        let expect: Vec<(String, bool)> = expect.iter().map(|(host, is)| ((*host).to_owned(), *is)).collect();
        assert_eq!(called(title, text, links), expect, "{title} {text} {links:?}");
    };
    check("", &format!("We are {OWN}"), &[(OWN, "home")], &[]);
    check("", &format!("Our mirror: {OTHER}"), &[], &[(OTHER, true)]);
    check("", &format!("Зеркало: {OTHER}"), &[], &[(OTHER, true)]);
    check("", &format!("A forum: {OTHER}"), &[], &[(OTHER, false)]);
    check("Mirrors", &format!("{OWN}\n{OTHER}\n{THIRD}"), &[], &[(OTHER, true), (THIRD, true)]);
    // All of a row are called what the first one is, however long it is.
    let row = format!("Mirrors:\n{OWN}\n{OWN}\n{OWN}\n{OWN}\n{OTHER}");
    check("", &row, &[], &[(OTHER, true)]);
    check("", "", &[(OTHER, "Spiegel 2"), (THIRD, "forum")], &[(OTHER, true), (THIRD, false)]);
    let signed = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\n{OTHER}\n-----BEGIN PGP SIGNATURE-----\n{}\n{THIRD}",
        "x ".repeat(200)
    );
    check("", &signed, &[], &[(OTHER, true), (THIRD, false)]);
}

proptest! {
    #[test]
    fn texts_that_differ_in_a_word_differ_in_few_bits(at in 0usize..400) {
        let word = |n: usize| ["harbour", "lamp", "salt", "mill", "owl", "stone", "rope"][n * n % 7].to_owned() + ["a", "e", "i"][n % 3];
        let plain: Vec<String> = (0..400).map(word).collect();
        let mut other = plain.clone();
        other[at] = "different".into();
        let distance = (hash(&plain.join(" ")) ^ hash(&other.join(" "))).count_ones();
        prop_assert!(distance <= 6, "{distance}");
    }

    #[test]
    fn any_text_has_a_sketch(title in ".{0,40}", text in "(?s).{0,400}") {
        let document = document(&title, &text);
        let words = words(&text, &document);
        prop_assert!(least_runs(&words).len() <= RUNS);
        prop_assert!(words.len() <= text.len());
        mentions(OWN, &text, &document);
    }
}
