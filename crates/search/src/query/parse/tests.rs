use super::{super::Wanted, *};

fn words(words: &[&str]) -> Clause {
    words_in(Place::Page, words)
}

fn words_in(place: Place, words: &[&str]) -> Clause {
    Clause::Words { place, words: words.iter().map(|&word| word.to_owned()).collect() }
}

fn bare(word: &str) -> Clause {
    bare_in(Place::Page, word)
}

fn bare_in(place: Place, word: &str) -> Clause {
    Clause::Stemmed { place, word: word.to_owned() }
}

fn not(clause: Clause) -> Clause {
    Clause::Not(Box::new(clause))
}

fn check(text: &str, expect: Clause) {
    assert_eq!(parse(text), Ok(expect), "{text:?}");
}

fn check_error(text: &str, expect: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), expect, "{text:?}");
}

#[test]
fn words_join_by_and() {
    check("", Clause::All(vec![]));
    check(" \t ", Clause::All(vec![]));
    check("Één", bare("een"));
    check("one two", Clause::All(vec![bare("one"), bare("two")]));
    check("one AND two", Clause::All(vec![bare("one"), bare("two")]));
    check("and or not", Clause::All(vec![bare("and"), bare("or"), bare("not")]));
    check("well-known x@y.example", Clause::All(vec![words(&["well", "known"]), words(&["x", "y", "example"])]));
    check("12:30 note: http://a/b", Clause::All(vec![words(&["12", "30"]), bare("note"), words(&["http", "a", "b"])]));
}

#[test]
fn not_binds_closest_then_and_then_or() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(bare);
    check("a OR b c", Clause::Any(vec![a.clone(), Clause::All(vec![b.clone(), c.clone()])]));
    check("(a OR b) c", Clause::All(vec![Clause::Any(vec![a.clone(), b.clone()]), c.clone()]));
    check("NOT a b", Clause::All(vec![not(a.clone()), b.clone()]));
    check("-(a OR b)", not(Clause::Any(vec![a.clone(), b.clone()])));
    check("NOT NOT a", not(not(a.clone())));
    check("a AND NOT b OR c -d", Clause::Any(vec![Clause::All(vec![a, not(b)]), Clause::All(vec![c, not(d)])]));
    check("NOT(a)", not(bare("a")));
}

#[test]
fn quotation_marks_make_phrases() {
    check("\"Two  words\"", words(&["two", "words"]));
    check("\"AND\"", words(&["and"]));
    check("-\"not this\"x", Clause::All(vec![not(words(&["not", "this"])), bare("x")]));
    check("\"one\"", words(&["one"]));
    check(
        "\"Two  words\"~5",
        Clause::Near { place: Place::Page, words: vec!["two".into(), "words".into()], others: 5 },
    );
}

#[test]
fn stars_and_tildes_stand_for_more_than_a_word() {
    let prefix = |place, prefix: &str, at| Clause::Prefix { place, prefix: prefix.into(), at };
    let fuzzy = |word: &str, mistakes, at| Clause::Fuzzy { place: Place::Page, word: word.into(), mistakes, at };
    check("Pass*", prefix(Place::Page, "pass", 0));
    check("x title:pass*", Clause::All(vec![bare("x"), prefix(Place::Title, "pass", 8)]));
    check("lantern~", fuzzy("lantern", 1, 0));
    check("-lantern~1", not(fuzzy("lantern", 1, 1)));
    check("lantern~2", fuzzy("lantern", 2, 0));
    check("a~b ~c", Clause::All(vec![words(&["a", "b"]), bare("c")]));
    check_error("x p*", "at character 3: expected at least 2 letters before *");
    check_error("well-known*", "at character 1: expected a single word before *");
    check_error(
        "ab~",
        "at character 1: expected ~ or ~1 behind a word of three letters or more, or ~2 behind one of six or more",
    );
    check_error(
        "abcde~2",
        "at character 1: expected ~ or ~1 behind a word of three letters or more, or ~2 behind one of six or more",
    );
    check_error(
        "lantern~3",
        "at character 1: expected ~ or ~1 behind a word of three letters or more, or ~2 behind one of six or more",
    );
    check_error("\"a b\"~", "at character 7: expected a number of words up to 1000 after ~");
    check_error("\"a b\"~1001", "at character 7: expected a number of words up to 1000 after ~");
    check_error("*", "at character 1: \"*\" holds no letter or digit to look for");
}

#[test]
fn ranges_have_bounds_that_belong_to_them_or_do_not() {
    let seq = |from, until| Clause::Seq { from, until };
    check("seq:17", seq(17, Some(18)));
    check("seq:[17 TO 42]", seq(17, Some(43)));
    check("seq:{17  TO 42}", seq(18, Some(42)));
    check("seq:[* TO 42}", seq(0, Some(42)));
    check("seq:{17 TO *]", seq(18, None));
    let price = |from, until| Clause::Price { from, until };
    check("price:[10 TO 25.5}", price(1_000_000_000, Some(2_550_000_000)));
    check("price:[* TO *]", price(0, None));
    check("currency:xmr", Clause::Currency(price::currency("XMR").unwrap()));
    let (day, next) = ("2031-01-01T00:00:00Z".parse().unwrap(), "2031-01-02T00:00:00Z".parse().unwrap());
    check("captured:2031-01-01", Clause::All(vec![Clause::From(day), Clause::Until(next)]));
    check("captured:[2031-01-01 TO 2031-01-02}", Clause::All(vec![Clause::From(day), Clause::Until(next)]));
    check("captured:{2030-12-31 TO 2031-01-01]", Clause::All(vec![Clause::From(day), Clause::Until(next)]));
    check("captured:[2031-01-01 TO *]", Clause::All(vec![Clause::From(day)]));
    check_error("seq:[1 TO 2", "at character 5: expected a range such as [a TO b], and a bracket that closes it");
    check_error("seq:[1 2]", "at character 5: \"[1 2]\" is not a sequence such as 17, or a range such as [17 TO 42]");
    check_error("price:-1", "at character 7: \"-1\" is not an amount such as 25.50, or a range such as [10 TO 50}");
    check_error("currency:€", "at character 10: \"€\" is not a currency: letters such as EUR or XMR");
}

#[test]
fn what_is_joined_can_be_asked_for_anywhere() {
    let observable = |kind, value: Option<&str>| Clause::Observable(Observed { kind, value: value.map(str::to_owned) });
    let btc = Some(model::ObservableKind::Btc);
    check("observable:BTC", observable(btc, None));
    check("observable:btc=1Abc", observable(btc, Some("1Abc")));
    check("observable:\"http://x/?a=b\"", observable(None, Some("http://x/?a=b")));
    check("a OR -label:relevant", Clause::Any(vec![bare("a"), not(Clause::Label(model::Label::Relevant))]));
    check("indicator:\"two words\"", Clause::Indicator("two words".into()));
    check_error("label:good", "at character 7: \"good\" is not a label: relevant, not-relevant or unsure");
}

#[test]
fn fields_filter() {
    check("target:00000000000007F3", Clause::Target(model::TargetId::from_u64(0x7f3)));
    check("lang:NLD", Clause::Language("nld".into()));
    check("language:und", Clause::Language("und".into()));
    check("kind:anti-ddos", Clause::Kind(PageKind::AntiDdos));
    check("outcome:HttpError(404)", Clause::Outcome("httperror(404)".into()));
    check("(outcome:httperror)", Clause::Outcome("httperror".into()));
    check("(outcome:TimedOut(Body))", Clause::Outcome("timedout(body)".into()));
    check("outcome:\"ok\"", Clause::Outcome("ok".into()));
    check("Title:word", bare_in(Place::Title, "word"));
    check("text:\"two words\"", words_in(Place::Text, &["two", "words"]));
    check("uri:/a/b", words_in(Place::Uri, &["a", "b"]));
    check("after:2031-01-01", Clause::From("2031-01-01T00:00:00Z".parse().unwrap()));
    check("-before:2031-01-01t10:00:00z", not(Clause::Until("2031-01-01T10:00:00Z".parse().unwrap())));
}

#[test]
fn errors_say_where() {
    check_error("one AND", "at character 8: expected a term after AND");
    check_error("one AND  OR two", "at character 10: expected a term after AND");
    check_error("OR one", "at character 1: expected a term before OR");
    check_error("één NOT", "at character 8: expected a term after NOT");
    check_error("a - b", "at character 4: expected a term after -");
    check_error("a -)", "at character 4: expected a term after -");
    check_error("()", "at character 2: expected a term after an opening parenthesis");
    check_error("(a OR (b)", "at character 1: this parenthesis is never closed");
    check_error("a) b", "at character 2: this parenthesis closes nothing");
    check_error(")", "at character 1: expected a term before a closing parenthesis");
    check_error("a \"b c", "at character 3: this quotation mark is never closed");
    check_error("salt & water", "at character 6: \"&\" holds no letter or digit to look for");
    check_error("\"\"", "at character 1: \"\" holds no letter or digit to look for");
    check_error(
        "x chat:me",
        "at character 3: there is no field \"chat\"; put the text in quotation marks to look for it",
    );
    check_error("title: word", "at character 7: expected a value after title:");
    check_error("title:(a)", "at character 7: expected a value after title:");
    check_error("lang:dutch", "at character 6: \"dutch\" is not a language: three letters, ISO 639-3");
    check_error("target:7f3", "at character 8: \"7f3\" is not a target: 16 hexadecimal digits");
    check_error("kind:x", "at character 6: \"x\" is not a kind of page");
    check_error("outcome:HttpError(x)", "at character 9: \"HttpError(x)\" is not an outcome");
    check_error("after:soon", "at character 7: \"soon\" is not a day (2031-01-31) or a time (2031-01-31T12:00:00Z)");
}

#[test]
fn length_depth_and_words_are_bounded() {
    assert!(parse(&"é".repeat(100)).is_ok());
    check_error(&"a ".repeat(501), "at character 1001: the query is longer than 1000 characters");
    check_error(&"x".repeat(129), "at character 1: words longer than 128 characters are not indexed");
    assert!(parse(&format!("{}a{}", "(".repeat(32), ")".repeat(32))).is_ok());
    let deep = "more than 32 levels of parentheses and negations";
    check_error(&format!("{}a{}", "(".repeat(33), ")".repeat(33)), &format!("at character 34: {deep}"));
    check_error(&format!("{}a", "-".repeat(33)), &format!("at character 34: {deep}"));
    assert!(parse(&"a ".repeat(64)).is_ok());
    check_error(&"a ".repeat(65), "at character 129: more than 64 words");
    check_error(&format!("\"{}\"", "a ".repeat(65)), "at character 1: more than 64 words");
    check_error(&"kind:pgp ".repeat(65), "at character 577: more than 64 words");
}

#[test]
fn only_what_must_be_there_is_looked_for() {
    let clause = parse("a -b (\"c\" OR title:d) NOT NOT e lang:nld").unwrap();
    let words = |wanted: Wanted<'_>| match wanted {
        Wanted::Run(words) | Wanted::Near(words, _) => words.join(" "),
        Wanted::Stemmed(word) => format!("{word} and its forms"),
        Wanted::Any(words) => format!("{words:?}"),
    };
    let found: Vec<_> = clause.looked_for().into_iter().map(|(place, wanted)| (place, words(wanted))).collect();
    let expect = [(Place::Page, "a and its forms"), (Place::Page, "c"), (Place::Title, "d and its forms")];
    assert_eq!(found, expect.map(|(place, words)| (place, words.to_owned())));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,80}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_arrangement_of_the_grammar_is_too_strange(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "é", "AND", "OR", "NOT", "-", "(", ")", "\"", ":", "title:", "outcome:", "HttpError(", "lang:nld", " ", "after:", "2031-01-01",
                "*", "~", "~5", "seq:", "[", "]", "{", " TO ", "price:", "observable:", "btc=", "label:", "indicator:",
            ]),
            0..40,
        )
    ) {
        let text = parts.concat();
        if let Err(error) = parse(&text) {
            proptest::prop_assert!(error.at >= 1 && error.at <= text.chars().count() + 1, "{error} in {text:?}");
        }
    }
}
