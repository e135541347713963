use std::collections::BTreeSet;

use model::words::Words;

use super::*;

fn wanted(runs: &[Vec<String>]) -> Vec<Wanted<'_>> {
    runs.iter().map(|run| Wanted::Run(run)).collect()
}

fn runs(runs: &[&str]) -> Vec<Vec<String>> {
    runs.iter().map(|run| run.split(' ').map(str::to_owned).collect()).collect()
}

/// `expect` is the snippet with its highlights in brackets.
fn check(text: &str, wanted: &[&str], expect: &str) {
    let runs = runs(wanted);
    check_wanted(text, &self::wanted(&runs), None, expect);
}

fn check_wanted(text: &str, wanted: &[Wanted<'_>], language: Option<&str>, expect: &str) {
    let Snippet { text, highlights } = cut(text, wanted, language.and_then(Language::of_code));
    let mut shown: Vec<char> = text.chars().collect();
    for range in highlights.iter().rev() {
        shown.insert(range.end, ']');
        shown.insert(range.start, '[');
    }
    assert_eq!(shown.into_iter().collect::<String>(), expect);
}

#[test]
fn words_and_phrases_are_marked() {
    check("Eén kopje koffie.", &["koffie"], "Eén kopje [koffie].");
    check("Eén KÓPJE koffie", &["kopje koffie"], "Eén [KÓPJE koffie]");
    check("koffie kopje", &["kopje koffie"], "koffie kopje");
    check("a b a b c", &["a b c"], "a b [a b c]");
    check("a b c", &["a b", "b c", "b"], "[a b c]");
    check("a, b.", &["a", "b"], "[a], [b].");
    check("нож и ёлка", &["елка"], "нож и [ёлка]");
    check("nothing", &["else"], "nothing");
    check("nothing", &[], "nothing");
    check("", &["else"], "");
}

#[test]
fn other_forms_of_a_word_are_marked_in_its_language() {
    let word = "lantern".to_owned();
    let wanted = [Wanted::Stemmed(&word)];
    check_wanted("Lanterns, a lantern", &wanted, Some("eng"), "[Lanterns], a [lantern]");
    check_wanted("Lanterns, a lantern", &wanted, None, "Lanterns, a [lantern]");
    let any: BTreeSet<String> = ["pass", "passport"].map(str::to_owned).into();
    check_wanted("no passports, a passport, pass", &[Wanted::Any(&any)], None, "no passports, a [passport], [pass]");
}

#[test]
fn words_near_each_other_are_marked_where_they_are_near() {
    let words = ["a", "b"].map(str::to_owned);
    let near = [Wanted::Near(&words, 1)];
    check_wanted("a x x b x a", &near, None, "a x x [b] x [a]");
    check_wanted("b a x b", &near, None, "[b] [a] x [b]");
    let twice = ["a", "a"].map(str::to_owned);
    check_wanted("a x x a x a", &[Wanted::Near(&twice, 1)], None, "a x x [a] x [a]");
}

#[test]
fn lines_become_spaces_and_markup_stays_text() {
    check("one\ntwo\u{7}\t<b>three</b>", &["three"], "one two  <b>[three]</b>");
}

#[test]
fn the_densest_place_is_shown_with_whole_words() {
    let filler = "woord ".repeat(100);
    let text = format!("koffie {filler}koffie met koffie {filler}");
    let snippet = cut(&text, &wanted(&runs(&["koffie"])), None);
    assert_eq!(snippet.highlights.len(), 2);
    assert!(snippet.text.contains("koffie met koffie"));
    assert!(snippet.text.starts_with("woord ") && snippet.text.trim_end().ends_with(" woord"), "{}", snippet.text);
    assert!(snippet.text.chars().count() > 200);
}

#[test]
fn a_match_without_spaces_around_is_still_shown() {
    let long = "x".repeat(120);
    let text = format!("{}-{long}-{}", "ab,".repeat(200), "cd,".repeat(200));
    let snippet = cut(&text, &wanted(&runs(&[&long])), None);
    assert_eq!(snippet.highlights.len(), 1);
    let shown: String =
        snippet.text.chars().skip(snippet.highlights[0].start).take(snippet.highlights[0].len()).collect();
    assert_eq!(shown, long);
}

#[test]
fn a_phrase_longer_than_the_window_is_cut() {
    let long = vec!["w".repeat(100); 4];
    let snippet = cut(&long.join(" "), &[Wanted::Run(&long)], None);
    assert_eq!(snippet.highlights.len(), 1);
    assert_eq!(snippet.highlights[0], 0..MAX_CHARS);
    assert_eq!(snippet.text.chars().count(), MAX_CHARS);
}

proptest::proptest! {
    #[test]
    fn highlights_are_the_wanted_words(text in "([ab]|é| |\n|x{1,90}|,){0,200}", wanted in proptest::collection::vec("[ab]{1,2}|x|e", 0..4)) {
        let runs: Vec<Vec<String>> = wanted.into_iter().map(|word| vec![word]).collect();
        let wanted = self::wanted(&runs);
        let snippet = cut(&text, &wanted, None);
        proptest::prop_assert!(snippet.text.chars().count() <= MAX_CHARS);
        let is_any = !mark(&text, &wanted, None).is_empty();
        proptest::prop_assert_eq!(is_any, !snippet.highlights.is_empty());
        for range in snippet.highlights {
            let shown: String = snippet.text.chars().skip(range.start).take(range.len()).collect();
            let mut words = Words::of(&shown);
            let word = words.advance().and_then(|word| word.folded.map(str::to_owned));
            proptest::prop_assert!(word.is_some_and(|word| runs.iter().any(|run| run[0] == word)), "{shown:?}");
        }
    }
}
