use std::collections::HashSet;

use model::{
    CharsetSource, Contribution, Digest, Document, Fields, Finding, Grade, Language, Observable, ObservableKind,
    PageKind, Place, words::Words,
};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::Needs;

fn page(title: &str, text: &str) -> Document {
    Document {
        extractor: 1,
        charset: "UTF-8".to_owned(),
        charset_source: CharsetSource::Header,
        title: title.to_owned(),
        text: text.to_owned(),
        language: None,
        kind: PageKind::Listing,
        cues: Vec::new(),
        fields: Fields::default(),
        links: Vec::new(),
        refresh: None,
        forms: Vec::new(),
        observables: Vec::new(),
        hidden: Vec::new(),
        languages: Vec::new(),
        images: Vec::new(),
        shape: 0,
        content_digest: Digest::of(b""),
        digest_rule: 1,
    }
}

fn rule(conditions: &str) -> Indicator {
    Indicator::parse(&format!("name = \"rule\"\nwhy = \"A test.\"\n{conditions}")).unwrap()
}

fn finding(conditions: &str, document: &Document) -> Option<Finding> {
    RuleSet::new([(7, rule(conditions))]).assess(document).pop()
}

/// What a contribution points at.
fn shown<'a>(contribution: &Contribution, document: &'a Document) -> Vec<&'a str> {
    let spans = contribution.spans.iter();
    spans
        .map(|span| {
            let place = match span.place {
                Place::Title => &document.title,
                Place::Text => &document.text,
                Place::Field { .. } => panic!("no field is looked at here"),
            };
            &place[span.at.start as usize..span.at.end as usize]
        })
        .collect()
}

/// What the conditions point at, in title and then in text.
fn check(conditions: &str, title: &str, text: &str, expect: &[&str]) {
    let document = page(title, text);
    let found = finding(conditions, &document);
    let contributions = found.iter().flat_map(|finding| &finding.contributions);
    let places: Vec<&str> = contributions.flat_map(|contribution| shown(contribution, &document)).collect();
    assert_eq!(places, expect, "{conditions} on {title} / {text}");
}

#[test]
fn terms_are_found_whole_and_folded() {
    check("[[any]]\nterms = [\"cafe\"]", "Le CAFÉ", "café, cafes, ca\u{200b}fe", &["CAFÉ", "café", "ca\u{200b}fe"]);
    check("[[any]]\nterms = [\"Te  Koop\"]", "", "te koop; te, koop; te nu koop", &["te koop", "te, koop"]);
    check("[[any]]\nterms = [\"a a\"]", "", "a a a", &["a a", "a a"]);
    check("[[any]]\nterms = [\"b\"]\nplace = \"title\"", "b", "b", &["b"]);
    check("[[any]]\nterms = [\"b\"]\nplace = \"text\"", "b", "c", &[]);
    check("[[any]]\nterms = [\"c b\"]", "c", "b", &[]);
}

#[test]
fn terms_are_stemmed_by_their_language() {
    let stemmed = |term: &str, code: &str| format!("[[any]]\nterms = [\"{term}\"]\nlanguage = \"{code}\"");
    check(&stemmed("vuurwapen", "nld"), "", "Twee vuurwapens, een vuurwapen.", &["vuurwapens", "vuurwapen"]);
    check(&stemmed("stolen card", "eng"), "", "Stolen cards here", &["Stolen cards"]);
    check(&stemmed("поддельный паспорт", "rus"), "", "Поддельные паспорта", &["Поддельные паспорта"]);
    let several = "[[any]]\nterms = [\"glock\"]\nstems = { nld = [\"pistool\"], rus = [\"пистолет\"] }";
    check(several, "", "Glock, pistolen, пистолеты, glocks", &["Glock", "pistolen", "пистолеты"]);
    let told = &finding(several, &page("", "glock")).unwrap().contributions[0].condition;
    assert_eq!(
        told,
        "one of the terms \"glock\" (exact) or \"pistool\" (Dutch, stemmed) or \"пистолет\" (Russian, stemmed)"
    );
    check(&format!("{}\nexact = true", stemmed("vuurwapen", "nld")), "", "vuurwapens vuurwapen", &["vuurwapen"]);
}

#[test]
fn near_terms_are_within_their_distance() {
    let near = "[[any]]\nnear = [\"glock\", \"te koop\"]\ndistance = 3";
    check(near, "", "glock een twee te koop", &["glock een twee te koop"]);
    check(near, "", "te koop: glock", &["te koop: glock"]);
    check(near, "", "glock een twee drie te koop", &[]);
    check(near, "glock", "te koop", &[]);
    check(near, "", "glock glock te koop glock a b c d te koop", &["glock te koop"]);
    let three = "[[any]]\nnear = [\"a\", \"b\", \"c\"]\ndistance = 2";
    check(three, "", "a b x c b a, c a b", &["c b a", "c a b"]);
}

#[test]
fn patterns_tell_cases_apart_and_do_not_match_nothing() {
    check(
        r"[[any]]
pattern = '\bAK-?47\b'",
        "",
        "AK47, AK-47, ak47, MAK47",
        &["AK47", "AK-47"],
    );
    check(
        r"[[any]]
pattern = '(?i)ключ\d'",
        "",
        "КЛЮЧ1 ключ2",
        &["КЛЮЧ1", "ключ2"],
    );
    check(
        r"[[any]]
pattern = '\b'",
        "",
        "one two",
        &[],
    );
    let many = finding("[[any]]\npattern = 'a'", &page("", &"a".repeat(500))).unwrap();
    assert_eq!(many.contributions[0].spans.len(), Contribution::MAX_SPANS);
}

#[test]
fn a_score_is_the_sum_of_what_held() {
    let rule = "threshold = 4\n[[all]]\nkind = [\"listing\", \"index\"]\n[[any]]\nterms = [\"a\"]\nweight = 3\n[[any]]\nterms = [\"b\"]\nweight = 2\n[[any]]\nterms = [\"c\"]\nweight = -4";
    let found = finding(rule, &page("", "a b a b")).unwrap();
    assert_eq!((found.indicator.as_str(), found.version, found.score), ("rule", 7, 5));
    let told: Vec<_> =
        found.contributions.iter().map(|held| (held.condition.as_str(), held.weight, held.matches)).collect();
    assert_eq!(
        told,
        [("page kind listing or index", 0, 1), ("term \"a\" (exact)", 3, 2), ("term \"b\" (exact)", 2, 2)]
    );
    assert_eq!(finding(rule, &page("", "a")), None);
    assert_eq!(finding(rule, &page("", "a b c")), None);
    let mut vendor = page("", "a b");
    vendor.kind = PageKind::Vendor;
    assert_eq!(finding(rule, &vendor), None);
}

#[test]
fn all_any_and_none_are_what_they_say() {
    let rule =
        "[[all]]\nterms = [\"a\"]\n[[any]]\nterms = [\"b\"]\n[[any]]\nterms = [\"c\"]\n[[none]]\nterms = [\"d\"]";
    let flags = |text| finding(rule, &page("", text)).is_some();
    assert!(flags("a b") && flags("c a"));
    assert!(!flags("a") && !flags("b c") && !flags("a b d"));
    assert!(finding("[[all]]\nterms = [\"a\"]\n[[all]]\nterms = [\"b\"]", &page("a", "b")).is_some());
}

#[test]
fn a_page_language_is_a_condition() {
    let mut document = page("", "a");
    let rule = "[[all]]\npage_language = [\"nld\", \"afr\"]\n[[all]]\nterms = [\"a\"]";
    assert_eq!(finding(rule, &document), None);
    document.language = Some("nld".to_owned());
    assert!(finding(rule, &document).is_some());
}

fn observable(kind: ObservableKind, grade: Grade, value: &str, start: u32) -> Observable {
    let end = start + u32::try_from(value.len()).unwrap();
    Observable { kind, grade, value: value.to_owned(), at: start..end, key: None }
}

#[test]
fn observables_are_told_by_kind_grade_and_value() {
    let mut document = page("", "somebody somebody@example.org");
    document.observables = vec![
        observable(ObservableKind::Telegram, Grade::Contextual, "somebody", 0),
        observable(ObservableKind::Email, Grade::Verified, "somebody@example.org", 9),
    ];
    let places = |rule: &str| finding(rule, &document).map(|found| shown(&found.contributions[0], &document).concat());
    assert_eq!(places("[[any]]\nobservable = \"telegram\"").unwrap(), "somebody");
    assert_eq!(places("[[any]]\nobservable = \"telegram\"\ngrade = \"contextual\"").unwrap(), "somebody");
    assert_eq!(places("[[any]]\nobservable = \"telegram\"\ngrade = \"verified\""), None);
    assert_eq!(
        places("[[any]]\nobservable = \"email\"\nvalues = [\"x\", \"SOMEBODY@example.org\"]").unwrap(),
        "somebody@example.org"
    );
    assert_eq!(places("[[any]]\nobservable = \"email\"\nvalues = [\"x@example.org\"]"), None);
    assert_eq!(places("[[any]]\nobservable = \"btc\""), None);
}

#[test]
fn a_list_of_many_values_finds_the_last_of_them() {
    let values: Vec<String> = (0..100_000).map(|n| format!("\"user{n}@example.org\"")).collect();
    let rules = RuleSet::new([(1, rule(&format!("[[any]]\nobservable = \"email\"\nvalues = [{}]", values.join(","))))]);
    let mut document = page("", "user99999@example.org");
    let found = |document: &Document| rules.assess(document).len();
    document.observables = vec![observable(ObservableKind::Email, Grade::Verified, "user99999@example.org", 0)];
    assert_eq!(found(&document), 1);
    document.observables = vec![observable(ObservableKind::Email, Grade::Verified, "user100000@example.org", 0)];
    assert_eq!(found(&document), 0);
}

#[test]
fn prices_are_compared_as_decimals_in_one_currency() {
    let flags = |rule: &str, price: &str| {
        let text = format!(
            "{rule}\ncurrency = \"EUR\"\n[[example]]\nflags = true\nfields = {{ \"listing.price\" = [\"{price}\"] }}"
        );
        Indicator::parse(&format!("name = \"a\"\nwhy = \"b\"\n[[any]]\nfield = \"listing.price\"\n{text}"))
            .unwrap()
            .check()
            .is_empty()
    };
    assert!(flags("above = 100", "100.01 EUR") && flags("above = 100", "1000 eur"));
    assert!(!flags("above = 100", "100 EUR") && !flags("above = 100", "99.99 EUR"));
    assert!(flags("below = \"0.1\"", "0.0999999999999999999999 EUR") && !flags("below = \"0.1\"", "0.10 EUR"));
    assert!(flags("above = 1\nbelow = 3", "2 EUR") && !flags("above = 1\nbelow = 3", "3 EUR"));
    assert!(!flags("above = 1", "2 USD"));
}

#[test]
fn values_of_a_field_do_not_run_together() {
    let mut document = page("", "");
    crate::field::TextField::ListingShipsTo
        .set(&mut document.fields, &["New".to_owned(), "York".to_owned(), "New Zealand".to_owned()]);
    let at = |rule: &str| finding(rule, &document).map(|found| found.contributions[0].spans.clone());
    let span = |item, at| model::Span { place: Place::Field { name: "listing.ships_to".to_owned(), item }, at };
    assert_eq!(at("[[any]]\nterms = [\"new york\"]\nplace = \"listing.ships_to\""), None);
    assert_eq!(at("[[any]]\nterms = [\"zealand\"]\nplace = \"listing.ships_to\""), Some(vec![span(2, 4..11)]));
    assert_eq!(at("[[any]]\npattern = 'Zea'\nplace = \"listing.ships_to\""), Some(vec![span(2, 4..7)]));
    assert_eq!(at("[[any]]\nfield = \"listing.ships_to\"\nis = [\"new zealand\"]"), Some(vec![span(2, 0..11)]));
    assert_eq!(at("[[any]]\nfield = \"listing.ships_to\"\nis = [\"zealand\"]"), None);
    assert_eq!(at("[[any]]\nterms = [\"new\"]"), None);
}

#[test]
fn the_topic_is_what_is_offered_and_not_the_menu() {
    use crate::field::TextField;
    let rule = "[[any]]\nterms = [\"lamps\"]\nplace = \"topic\"";
    let flags = |document: &Document| finding(rule, document).is_some();
    let menu = "Chairs\nLamps\nTables\nOak chair";
    // Where no offer was read, all of the text may be the topic.
    assert!(flags(&page("", menu)) && flags(&page("Lamps", "Chairs")));
    let mut chair = page("", menu);
    TextField::ListingTitle.set(&mut chair.fields, &["Oak chair".to_owned()]);
    assert!(!flags(&chair));
    TextField::ListingCategory.set(&mut chair.fields, &["House".to_owned(), "Lamps".to_owned()]);
    assert!(flags(&chair));
    let mut list = page("", menu);
    TextField::RowsTitle.set(&mut list.fields, &["Oak chair".to_owned()]);
    assert!(!flags(&list));
    TextField::RowsTitle.set(&mut list.fields, &["Oak chair".to_owned(), "Two lamps".to_owned()]);
    let place = Place::Field { name: "rows.title".to_owned(), item: 1 };
    assert_eq!(finding(rule, &list).unwrap().contributions[0].spans, [model::Span { place, at: 4..9 }]);
    // A field that was read from what is not shown has no say, so that the words of the page are enough to find candidates.
    list.text = "Chairs\nTables".to_owned();
    assert!(!flags(&list));
    let mut post = page("", "Chairs\nwe sell lamps");
    TextField::PostsText.set(&mut post.fields, &["we sell lamps".to_owned()]);
    assert!(flags(&post));
}

#[test]
fn findings_are_bounded_and_count_what_they_leave_out() {
    let found = finding("[[any]]\nterms = [\"a\"]", &page("", &"a ".repeat(200_000))).unwrap();
    let held = &found.contributions[0];
    assert_eq!((held.spans.len(), held.matches), (Contribution::MAX_SPANS, 100_000));
    let long: Vec<String> = (0..50).map(|n| format!("\"{}{n}\"", "w".repeat(100))).collect();
    let found = finding(&format!("[[any]]\nterms = [{}, \"a\"]", long.join(",")), &page("", "a")).unwrap();
    assert!(found.contributions[0].condition.chars().count() <= 301);
    assert!(found.contributions[0].condition.ends_with('…'));
}

#[test]
fn a_finding_has_one_shape() {
    let found = finding("[[any]]\nterms = [\"a\"]", &page("a", "")).unwrap();
    let text = r#"{"indicator":"rule","version":7,"score":1,"contributions":[{"condition":"term \"a\" (exact)","weight":1,"spans":[{"place":"title","at":{"start":0,"end":1}}],"matches":1}]}"#;
    assert_eq!(serde_json::to_string(&found).unwrap(), text);
    assert_eq!(serde_json::from_str::<Finding>(text).unwrap(), found);
}

#[test]
fn indicators_do_not_disturb_each_other() {
    let one = rule("[[any]]\nterms = [\"a\"]");
    let other = rule("[[any]]\nterms = [\"lamps\", \"a\"]\nlanguage = \"eng\"");
    let document = page("", "a lamp");
    let together = RuleSet::new([(1, one.clone()), (2, other.clone())]).assess(&document);
    let apart = [RuleSet::new([(1, one)]).assess(&document), RuleSet::new([(2, other)]).assess(&document)].concat();
    assert_eq!(together, apart);
    assert_eq!(together.len(), 2);
    assert!(RuleSet::new([]).is_empty() && RuleSet::new([]).assess(&document).is_empty());
}

#[test]
fn what_was_seen_in_other_documents_changes_nothing() {
    let rules = RuleSet::new([(1, rule("[[any]]\nterms = [\"lamp\"]\nlanguage = \"eng\""))]);
    let document = page("", "two lamps");
    let found = rules.assess(&document);
    assert_eq!(found.len(), 1);
    let many: Vec<String> = (0..70_000).map(|n| format!("w{n}")).collect();
    assert!(rules.assess(&page("", &many.join(" "))).is_empty());
    assert_eq!(rules.assess(&document), found);
}

#[test]
fn needs_are_the_words_that_must_be_there() {
    let check = |conditions: &str, expect: &str| {
        let needs = rule(conditions).needs();
        assert_eq!(needs.map_or_else(|| "none".to_owned(), |needs| told(&needs)), expect, "{conditions}");
    };
    check("[[any]]\nterms = [\"Café\", \"te koop\"]", "(cafe | (te & koop))");
    check("[[any]]\nterms = [\"lamps\"]\nlanguage = \"eng\"", "eng:lamp");
    check(
        "[[all]]\nkind = [\"listing\"]\n[[all]]\nterms = [\"a\"]\n[[any]]\nterms = [\"b\"]\n[[any]]\nnear = [\"c\", \"d\"]\ndistance = 2",
        "(a & (b | (c & d)))",
    );
    check("[[any]]\nterms = [\"a\"]\n[[any]]\npattern = 'b'", "none");
    check("[[any]]\nobservable = \"btc\"", "none");
    check("[[all]]\nterms = [\"a\"]\nplace = \"rows.title\"", "none");
    check("[[all]]\nterms = [\"a b\"]\nplace = \"topic\"", "(a & b)");
    // The pattern alone does not reach the score.
    check("threshold = 2\n[[any]]\nterms = [\"a\"]\nweight = 2\n[[any]]\npattern = 'b'", "a");
    check(
        "threshold = 2\n[[any]]\nterms = [\"a\"]\nweight = 2\n[[any]]\npattern = 'b'\n[[any]]\npattern = 'c'",
        "none",
    );
    check(
        "threshold = 2\n[[all]]\nkind = [\"listing\"]\nweight = 1\n[[any]]\nterms = [\"a\"]\nweight = 2\n[[any]]\npattern = 'b'",
        "none",
    );
}

fn told(needs: &Needs) -> String {
    let join = |needs: &[Needs], word: &str| format!("({})", needs.iter().map(told).collect::<Vec<_>>().join(word));
    match needs {
        Needs::Word(word) => word.clone(),
        Needs::Stem(language, stem) => format!("{}:{stem}", language.code()),
        Needs::All(needs) => join(needs, " & "),
        Needs::Any(needs) => join(needs, " | "),
    }
}

/// Conditions over few words, so that they often hold.
fn a_condition() -> impl Strategy<Value = String> {
    let term = "(lamp|lamps|pistool|pistolen|книга|книги|é|a|b)( (lamp|a|b))?";
    let terms = (vec(term, 1..3), "|nld|eng|rus", "|title|text|topic|rows.title", -2_i64..4).prop_map(
        |(terms, language, place, weight)| {
            let language = if language.is_empty() { String::new() } else { format!("language = \"{language}\"\n") };
            let place = if place.is_empty() { String::new() } else { format!("place = \"{place}\"\n") };
            format!("terms = {terms:?}\n{language}{place}weight = {weight}\n")
        },
    );
    let near = (vec(term, 2..4), 1_u32..6, -2_i64..4)
        .prop_map(|(terms, distance, weight)| format!("near = {terms:?}\ndistance = {distance}\nweight = {weight}\n"));
    let other = prop_oneof![
        Just("pattern = 'a+'\n".to_owned()),
        Just("pattern = '(?i)[é-]л?'\nweight = 2\n".to_owned()),
        Just("kind = [\"listing\"]\n".to_owned()),
        Just("observable = \"icq\"\n".to_owned()),
        Just("field = \"rows.title\"\nis = [\"a\"]\n".to_owned()),
    ];
    prop_oneof![4 => terms, 1 => near, 1 => other]
}

fn an_indicator() -> impl Strategy<Value = Indicator> {
    let list = |name: &'static str, most| {
        vec(a_condition(), 0..most)
            .prop_map(move |conditions| conditions.iter().map(|text| format!("[[{name}]]\n{text}")).collect::<String>())
    };
    (1_i64..4, list("all", 2), list("any", 4), list("none", 2)).prop_filter_map(
        "no rule",
        |(threshold, all, any, none)| {
            Indicator::parse(&format!("name = \"rule\"\nwhy = \"A test.\"\nthreshold = {threshold}\n{all}{any}{none}"))
                .ok()
        },
    )
}

fn a_document() -> impl Strategy<Value = Document> {
    let words = "((lamp|Lamps|LÁMP|pistool|pistolen|книга|КНИГИ|é|a|b|aa|\\PC{1,4})[ ,.\n-]{1,2}){0,20}";
    (words, words, vec(words, 0..3), any::<bool>()).prop_map(|(title, text, rows, has_icq)| {
        let mut document = page(&title, &text);
        crate::field::TextField::RowsTitle.set(&mut document.fields, &rows);
        document.observables =
            has_icq.then(|| observable(ObservableKind::Icq, Grade::Contextual, "1", 0)).into_iter().collect();
        document
    })
}

/// The folded words of title and text.
fn words_of(document: &Document) -> HashSet<String> {
    let mut all = HashSet::new();
    for text in [&document.title, &document.text] {
        let mut words = Words::of(text);
        while let Some(word) = words.advance() {
            all.extend(word.folded.map(str::to_owned));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_flagged_meets_the_needs(indicator in an_indicator(), document in a_document()) {
        let words = words_of(&document);
        let has = |language: Option<Language>, wanted: &str| match language {
            None => words.contains(wanted),
            Some(language) => words.iter().any(|word| language.stem(word) == wanted),
        };
        let needs = indicator.needs();
        if !RuleSet::new([(1, indicator)]).assess(&document).is_empty() {
            prop_assert!(needs.is_none_or(|needs| needs.are_met(&has)));
        }
    }

    #[test]
    fn terms_are_near_where_any_choice_of_them_is(words in vec("[abcx]", 0..14), distance in 1_u32..6) {
        let at = |term: &str| words.iter().enumerate().filter(|(_, word)| *word == term).map(|(at, _)| at).collect::<Vec<_>>();
        let (a, b, c) = (at("a"), at("b"), at("c"));
        let choices = a.iter().flat_map(|&a| b.iter().flat_map({ let c = &c; move |&b| c.iter().map(move |&c| [a, b, c]) }));
        let spread = |choice: &[usize; 3]| choice.iter().max().unwrap() - choice.iter().min().unwrap();
        let is_near = choices.map(|choice| spread(&choice)).min().is_some_and(|least| least <= distance as usize);
        let rule = format!("[[any]]\nnear = [\"a\", \"b\", \"c\"]\ndistance = {distance}");
        prop_assert_eq!(finding(&rule, &page("", &words.join(" "))).is_some(), is_near);
    }

    #[test]
    fn findings_add_up_and_point_into_the_page(indicators in vec(an_indicator(), 1..4), document in a_document()) {
        let rules = RuleSet::new((1..).zip(indicators));
        for found in rules.assess(&document) {
            prop_assert_eq!(found.score, found.contributions.iter().map(|held| held.weight).sum::<i64>());
            for held in &found.contributions {
                prop_assert!(held.matches >= 1 && held.matches as usize >= held.spans.len());
                prop_assert!(held.spans.len() <= Contribution::MAX_SPANS);
                for span in &held.spans {
                    let text = match &span.place {
                        Place::Title => &document.title,
                        Place::Text => &document.text,
                        Place::Field { item, .. } => &document.fields.rows[*item as usize].title,
                    };
                    let is_observable = held.condition.starts_with("observable");
                    prop_assert!(is_observable || text.get(span.at.start as usize..span.at.end as usize).is_some_and(|shown| !shown.is_empty()));
                }
            }
        }
    }
}
