use super::*;

const RULE: &str = r#"
name = "lamps"
why = "Offers of lamps."
threshold = 2

[[any]]
terms = ["lamp"]
language = "nld"
weight = 2

[[none]]
terms = ["olielamp"]

[[example]]
flags = true
text = "Mooie lampen te koop."

[[example]]
flags = false
text = "Een olielamp en een lamp."
"#;

/// That a rule with this condition under `any` is refused with these words.
fn refuse(condition: &str, words: &str) {
    let text = format!("name = \"a\"\nwhy = \"b\"\n[[any]]\nterms = [\"c\"]\n[[any]]\n{condition}");
    let error = Indicator::parse(&text).unwrap_err().to_string();
    assert!(error.contains(words), "{condition}: {error}");
}

/// That a whole rule is refused with these words.
fn refuse_all(text: &str, words: &str) {
    let error = Indicator::parse(text).unwrap_err().to_string();
    assert!(error.contains(words) && error.len() < 1_500, "{error:.1500}");
}

#[test]
fn a_rule_is_read_and_its_examples_are_tried() {
    let rule = Indicator::parse(RULE).unwrap();
    assert_eq!((rule.name(), rule.why(), rule.threshold()), ("lamps", "Offers of lamps.", 2));
    assert_eq!(rule.check(), []);
    let results = rule.test();
    assert_eq!(results.iter().map(|result| (result.number, result.flags)).collect::<Vec<_>>(), [(1, true), (2, false)]);
    assert!(results[0].finding.is_some() && results[1].finding.is_none());
}

#[test]
fn examples_that_do_not_come_out_are_told() {
    let rule = Indicator::parse(&RULE.replace("flags = false", "flags = true")).unwrap();
    let failed = rule.check();
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].number, failed[0].flags, &failed[0].finding), (2, true, &None));
}

#[test]
fn examples_have_fields_and_observables() {
    let rule = Indicator::parse(
        r#"
        name = "all-of-it"
        why = "Fields and observables of examples."
        [[all]]
        field = "listing.price"
        above = 100
        currency = "EUR"
        [[all]]
        field = "listing.ships_to"
        is = ["Netherlands"]
        [[all]]
        field = "rows.price"
        below = "0.5"
        currency = "BTC"
        [[all]]
        terms = ["somebody"]
        place = "posts.author"
        [[all]]
        observable = "email"
        values = ["Somebody@example.org"]
        [[example]]
        flags = true
        text = "Write to somebody@example.org now."
        fields = { "listing.price" = ["120.50 EUR"], "listing.ships_to" = ["Belgium", "NETHERLANDS"], "rows.price" = ["3 BTC", "0.4 BTC"], "posts.author" = ["x", "Somebody else"] }
        observables = { email = ["somebody@example.org"] }
        "#,
    )
    .unwrap();
    let finding = rule.test().remove(0).finding.unwrap();
    let spans: Vec<_> =
        finding.contributions.iter().map(|held| (held.spans[0].place.clone(), held.spans[0].at.clone())).collect();
    let field = |name: &str, item| model::Place::Field { name: name.to_owned(), item };
    assert_eq!(
        spans,
        [
            (field("listing.price", 0), 0..6),
            (field("listing.ships_to", 1), 0..11),
            (field("rows.price", 1), 0..3),
            (field("posts.author", 1), 0..8),
            (model::Place::Text, 9..29),
        ]
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    refuse("", "any 2: has none of `terms`");
    refuse("terms = [\"a\"]\npattern = 'b'", "any 2: has terms and pattern at once");
    refuse("terms = []", "any 2: `terms`: is an empty list");
    refuse("terms = [\"...\"]", "any 2: `terms`: has \"...\", which has no letter");
    refuse(
        "terms = [\"a\"]\nlanguage = \"dutch\"",
        "any 2: `language`: has \"dutch\", whose words cannot be stemmed; known are dan, deu",
    );
    refuse("terms = [\"a\"]\nexact = true", "any 2: `exact`: needs a `language`");
    refuse("terms = [\"a\"]\ndistance = 3", "any 2: `distance`: does not go with `terms`");
    refuse("terms = [\"a\"]\nplace = \"body\"", "any 2: `place`: is none of title, text, topic, listing.title");
    refuse("terms = [\"a\"]\nweight = 1001", "any 2: `weight`: is not between -1000 and 1000");
    refuse("terms = [\"a\"]\nwieght = 1", "unknown field `wieght`");
    refuse("stems = {}", "any 2: `stems`: is an empty list");
    refuse("stems = { eng = [] }", "any 2: `stems`: is an empty list");
    refuse("stems = { en = [\"a\"] }", "any 2: `stems`: has \"en\"");
    refuse("stems = { eng = [\"a\"] }\nlanguage = \"eng\"", "any 2: `language`: goes with `terms`");
    refuse("near = [\"a\"]\ndistance = 3", "any 2: `near`: has 1 terms; expected 2 to 8");
    refuse("near = [\"a\", \"b\"]", "any 2: `distance`: is missing");
    refuse("near = [\"cats\", \"cat\"]\ndistance = 3\nlanguage = \"eng\"", "any 2: `near`: names a term twice");
    refuse("pattern = '('", "any 2: `pattern`: regex parse error");
    refuse("pattern = 'a*'", "any 2: `pattern`: matches where nothing stands");
    refuse(r"pattern = '\pL{50}\pL{50}\pL{50}'", "any 2: `pattern`: Compiled regex exceeds size limit");
    refuse("observable = \"bitcoin\"", "unknown variant `bitcoin`");
    refuse("observable = \"btc\"\nvalues = []", "any 2: `values`: is an empty list");
    refuse(
        "field = \"listing.colour\"\nis = [\"a\"]",
        "any 2: `field`: is none of listing.price, rows.price, listing.title",
    );
    refuse("field = \"listing.title\"", "any 2: `is`: is missing");
    refuse("field = \"listing.title\"\nabove = 1", "any 2: `field`: listing.title holds text");
    refuse("field = \"listing.price\"\nis = [\"1\"]", "any 2: `is`: does not go with listing.price");
    refuse("field = \"listing.price\"\nabove = 1", "any 2: `currency`: is missing");
    refuse("field = \"listing.price\"\ncurrency = \"EUR\"", "any 2: has neither `above` nor `below`");
    refuse(
        "field = \"listing.price\"\nabove = 0.5\ncurrency = \"EUR\"",
        "any 2: `above`: is no amount; write a whole number, or decimals in quotes",
    );
    refuse("field = \"listing.price\"\nabove = -5\ncurrency = \"EUR\"", "any 2: `above`: is \"-5\"; expected digits");
    refuse(
        "field = \"listing.price\"\nabove = 5\nbelow = \"5.0\"\ncurrency = \"EUR\"",
        "any 2: `below`: is not more than `above`",
    );
    refuse("kind = []", "any 2: `kind`: is an empty list");
    refuse("kind = [\"shop\"]", "unknown variant `shop`");
    refuse("page_language = [\"nl\"]", "any 2: `page_language`: has \"nl\"; expected codes");
}

#[test]
fn a_rule_as_a_whole_must_make_sense() {
    refuse_all(&RULE.replace("\"lamps\"", "\"Lamps\""), "indicator Lamps: `name`: is not made of a-z");
    refuse_all(&RULE.replace("\"lamps\"", &format!("\"{}\"", "a".repeat(65))), "`name`");
    refuse_all(&RULE.replace("Offers of lamps.", " "), "indicator lamps: `why`");
    refuse_all(&RULE.replace("threshold = 2", "threshold = 0"), "`threshold`: is not between 1");
    refuse_all(
        &RULE.replace("threshold = 2", "threshold = 3"),
        "`threshold`: is 3, but all weights together come to 2",
    );
    refuse_all("name = \"a\"\nwhy = \"b\"\n[[none]]\nterms = [\"c\"]", "nothing could hold");
    refuse_all(&RULE.replace("[\"olielamp\"]", "[\"olielamp\"]\nweight = 1"), "none 1: `weight`");
    refuse_all("why = \"b\"", "missing field `name`");
    refuse_all(
        &RULE.replace("text = \"Mooie", "fields = { \"listing.colour\" = [\"red\"] }\ntext = \"Mooie"),
        "example 1: `fields`: has no field listing.colour",
    );
    refuse_all(
        &RULE.replace("text = \"Mooie", "fields = { \"listing.price\" = [\"cheap\"] }\ntext = \"Mooie"),
        "example 1: `listing.price`: is no list of prices",
    );
}

#[test]
fn a_rule_is_bounded() {
    refuse_all(&"#".repeat(MAX_TEXT + 1), "longer than 8388608 bytes");
    let many = |count: usize, one: &str| format!("name = \"a\"\nwhy = \"b\"\n{}", one.repeat(count));
    assert!(Indicator::parse(&many(1_000, "[[any]]\nterms = [\"c\"]\n")).is_ok());
    refuse_all(&many(1_001, "[[any]]\nterms = [\"c\"]\n"), "at most 1000 conditions");
    refuse_all(&many(101, "[[any]]\npattern = 'c'\n"), "at most 100");
    refuse_all(&many(1, &format!("[[any]]\nterms = [{}]\n", "\"c\",".repeat(20_001))), "at most 20000 terms");
    refuse_all(&many(1, &format!("[[any]]\nterms = [\"{}\"]\n", "c ".repeat(21))), "has a term of 21 words");
    refuse_all(&many(1, &format!("[[any]]\nterms = [\"{}\"]\n", "c".repeat(129))), "more than 128 characters");
    refuse_all(&many(1, &format!("[[any]]\npattern = '{}'\n", "c".repeat(1_001))), "has 1001 bytes");
    refuse_all(
        &many(1, &format!("[[any]]\nobservable = \"btc\"\nvalues = [{}]\n", "\"c\",".repeat(100_001))),
        "at most 100000 values",
    );
    refuse_all(&many(1, &format!("a = {}", "[".repeat(100_000))), "line 3: cannot recurse further");
    refuse_all(&format!("a = \"{}\" 1", "b".repeat(1 << 20)), "line 1: ");
}

#[test]
fn a_file_is_cut_into_the_rules_that_it_holds() {
    let of = |name: &str| {
        RULE.replace("lamps\"", &format!("{name}\""))
            .replace("[[", "[[indicator.")
            .replace("\nname", "\n[[indicator]]\nname")
    };
    let file = format!("# Lamps.\n{}\n# More lamps.\n{}", of("lamps"), of("other-lamps"));
    let set = parse_set(&file).unwrap();
    let names: Vec<&str> = set.iter().map(|(_, rule)| rule.name()).collect();
    assert_eq!(names, ["lamps", "other-lamps"]);
    assert_eq!(set[0].0, format!("{}\n", RULE.trim()));
    assert!(set.iter().all(|(text, rule)| Indicator::parse(text).unwrap().name() == rule.name()));
    assert!(parse_set("").unwrap().is_empty());
    let alone = parse_set(RULE).unwrap();
    assert_eq!((alone.len(), alone[0].0.as_str(), alone[0].1.name()), (1, RULE, "lamps"));
}

#[test]
fn a_file_that_cannot_be_cut_is_refused() {
    let refuse = |file: &str, words: &str| {
        let error = parse_set(file).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let rule = "[[indicator]]\nname = \"a\"\nwhy = \"b\"\n[[indicator.any]]\nterms = [\"c\"]\n";
    refuse(&format!("{rule}{rule}"), "indicator a stands twice");
    refuse(
        &rule.replace("[[indicator]]", "[[ indicator ]]"),
        "indicator 1 of the file, counted from 1, cannot be cut out",
    );
    refuse("indicator = [{ name = \"a\", why = \"b\", any = [{ terms = [\"c\"] }] }]", "cannot be cut out");
    let within = rule.replace("\"b\"", "\"\"\"\n[[indicator.any]]\n\"\"\"");
    refuse(&within, "cannot be cut out");
    refuse(&format!("title = \"x\"\n{rule}"), "unknown field `title`");
    refuse(&rule.replace("terms", "term"), "unknown field `term`");
    refuse(&"#".repeat(MAX_SET + 1), "file of indicators is longer");
}

#[test]
fn the_example_of_the_documentation_comes_out() {
    let page = include_str!("../../../../docs/indicators.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let rule = Indicator::parse(example).unwrap();
    assert_eq!(rule.test().len(), 2);
    assert_eq!(rule.check(), []);
}

#[test]
fn every_starter_indicator_comes_out_as_its_examples_say() {
    let sets = [
        include_str!("../../../../config/indicators/marketplace.toml"),
        include_str!("../../../../config/indicators/cybercrime.toml"),
    ];
    for set in sets {
        let set = parse_set(set).unwrap();
        assert!(set.len() >= 12);
        for (_, rule) in set {
            let results = rule.test();
            let said: Vec<bool> = results.iter().map(|result| result.flags).collect();
            assert!(said.contains(&true) && said.contains(&false), "{} has not both kinds of example", rule.name());
            let wrong: Vec<usize> = rule.check().iter().map(|result| result.number).collect();
            assert!(wrong.is_empty(), "{}: examples {wrong:?} do not come out as they say", rule.name());
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Indicator::parse(&text).map_err(|error| error.to_string());
        let _ = parse_set(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn any_rule_like_text_is_read_or_refused(lines in proptest::collection::vec(
        "\\[\\[(indicator|indicator\\.any|any|all|none|example)\\]\\]|(terms|near|is|values|kind) = \\[(\"\\PC{0,5}\")?\\]|(name|why|pattern|field|observable|place) = '(a|btc|title|listing\\.price|\\PC{0,9})'|(weight|above|distance) = -?[0-9]{1,20}|flags = true",
        0..30,
    )) {
        let text = lines.join("\n");
        for text in [format!("name = \"a\"\nwhy = \"b\"\n{text}"), text] {
            let _ = Indicator::parse(&text).map_err(|error| error.to_string());
            let _ = parse_set(&text).map_err(|error| error.to_string());
        }
    }
}
