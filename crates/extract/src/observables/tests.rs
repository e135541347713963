use model::{Grade, Observable, ObservableKind as Kind, ObservableSettings};
use proptest::prelude::*;

use super::{observables, words::work};

mod standards;

fn settings() -> ObservableSettings {
    ObservableSettings { regions: vec!["NL".into(), "US".into()], ..ObservableSettings::default() }
}

fn found(text: &str) -> Vec<Observable> {
    observables(text, &settings())
}

#[track_caller]
fn check(text: &str, expect: &[(Kind, &str)]) {
    let found = found(text);
    let mut found: Vec<(Kind, &str)> = found.iter().map(|found| (found.kind, found.value.as_str())).collect();
    let mut expect = expect.to_vec();
    found.sort_unstable();
    expect.sort_unstable();
    assert_eq!(found, expect, "{text}");
}

const BTC: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

#[test]
fn addresses_of_mailboxes_however_written() {
    for text in [
        "j.doe@example.com",
        "Mail: j.doe@example.com.",
        "<j.doe@Example.COM>",
        "mailto:j.doe@example.com?subject=x",
        "j.doe [at] example.com",
        "j.doe(at)example(dot)com",
        "j.doe [at] example [dot] com",
        "j [dot] doe {at} example {dot} com",
        "j.doe at example dot com",
        "j.doe AT example DOT com",
        "j.doe @ example . com",
        "j.doe[@]example[.]com",
        "j.doe (собака) example точка com",
        "Ask j.doe@example.com.Then wait",
    ] {
        check(text, &[(Kind::Email, "j.doe@example.com")]);
    }
    check("e-mail: jdoe at example.com", &[(Kind::Email, "jdoe@example.com")]);
    check("reach jdoe7 at protonmail.com", &[(Kind::Email, "jdoe7@protonmail.com")]);
}

#[test]
fn words_around_a_name_are_no_mailbox() {
    check("Find us at example.com today", &[(Kind::Domain, "example.com")]);
    check("OUR SUBFORUM AT dreadditevelidot dot onion/d/x", &[(Kind::OnionV2, "dreadditevelidot.onion")]);
    for text in [
        "5 @ 10.00 each",
        "meet at noon dot",
        "a@b",
        "@name.",
        "x @ y",
        "user@localhost",
        "price.It is",
        "polka dot com boom",
    ] {
        check(text, &[]);
    }
}

#[test]
fn an_address_of_xmpp_is_told_by_its_label_or_server() {
    check("Jabber: a.b@example.org", &[(Kind::Xmpp, "a.b@example.org")]);
    check("XMPP/Jabber ID:\na.b@example.org", &[(Kind::Xmpp, "a.b@example.org")]);
    check(
        "a.b@jabber.example.org or c@exploit.im",
        &[(Kind::Xmpp, "a.b@jabber.example.org"), (Kind::Xmpp, "c@exploit.im")],
    );
    check(
        "Jabber: a@example.org email: b@example.org",
        &[(Kind::Xmpp, "a@example.org"), (Kind::Email, "b@example.org")],
    );
    check("I have no jabber. Ask a@example.org", &[(Kind::Email, "a@example.org")]);
    check("A foxtrot for a@example.org", &[(Kind::Email, "a@example.org")]);
    check("Жабер - a [at] example.org", &[(Kind::Xmpp, "a@example.org")]);
}

#[test]
fn urls_end_where_their_sentence_goes_on() {
    for (text, url) in [
        ("see http://example.com/a_(b), or", "http://example.com/a_(b)"),
        ("(see https://example.com/a?b=c&d=e#f).", "https://example.com/a?b=c&d=e#f"),
        ("hxxps://example[.]com/x", "https://example.com/x"),
        ("http[:]//example.com:8080/", "http://example.com:8080/"),
        ("HTTP://EXAMPLE.COM/Path!", "http://example.com/Path"),
        ("http://192.0.2.7/x", "http://192.0.2.7/x"),
        ("www.example.com★", "www.example.com"),
        ("example.com/drogen/speed/ for", "example.com/drogen/speed/"),
        ("https://example.com.", "https://example.com"),
        ("http://example.com/a…", "http://example.com/a"),
        ("http://example.com/a;", "http://example.com/a"),
    ] {
        check(text, &[(Kind::Url, url)]);
    }
    for text in
        ["and/or", "1.00/g", "www.epic games", "http://", "http:// x", "e.g./x", "www.live football", "3.eu list"]
    {
        check(text, &[]);
    }
}

#[test]
fn services_of_hidden_networks_stand_within_urls_and_addresses() {
    let url = format!("http://{ONION}/x");
    check(&url, &[(Kind::OnionV3, ONION), (Kind::Url, &url)]);
    let mail = format!("a@{ONION}");
    check(&mail, &[(Kind::Email, &mail), (Kind::OnionV3, ONION)]);
    check(&format!("www.{ONION}"), &[(Kind::OnionV3, ONION), (Kind::Url, &format!("www.{ONION}"))]);
    check(ONION.trim_end_matches(".onion"), &[(Kind::OnionV3, ONION)]);
    check("EXPYUZZ4WQQYQHJN.ONION", &[(Kind::OnionV2, "expyuzz4wqqyqhjn.onion")]);
    check("expyuzz4wqqyqhjn[.]onion", &[(Kind::OnionV2, "expyuzz4wqqyqhjn.onion")]);
    check(
        "stats.i2p or ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
        &[(Kind::I2p, "stats.i2p"), (Kind::I2p, "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p")],
    );
    check("link.onion/product/9 and word.onion", &[]);
}

#[test]
fn names_after_labels() {
    for (text, kind, name) in [
        ("Wickr: johndoe", Kind::Wickr, "johndoe"),
        ("wickr me: johndoe", Kind::Wickr, "johndoe"),
        ("WICKR ID - johndoe", Kind::Wickr, "johndoe"),
        ("W1CKR AT : johndoe44", Kind::Wickr, "johndoe44"),
        ("w!ckr: johndoe", Kind::Wickr, "johndoe"),
        ("Wickr…Johndoe710", Kind::Wickr, "Johndoe710"),
        ("wickrâ\u{80}¦ johndoe3", Kind::Wickr, "johndoe3"),
        ("We have Wikr assistance 24/7 â\u{80}\u{93} johndoelive", Kind::Wickr, "johndoelive"),
        ("feel free to ask via wickr johndoefood", Kind::Wickr, "johndoefood"),
        ("Wicker me - john12", Kind::Wickr, "john12"),
        ("My Wickr username is john_doe", Kind::Wickr, "john_doe"),
        ("Telegram@Johndoe0", Kind::Telegram, "Johndoe0"),
        ("telegram: @johndoe", Kind::Telegram, "johndoe"),
        ("@johndoe on Telegram", Kind::Telegram, "johndoe"),
        ("@johndoe (telegram)", Kind::Telegram, "johndoe"),
        ("Телеграм: @johndoe", Kind::Telegram, "johndoe"),
        ("TG - @johndoe", Kind::Telegram, "johndoe"),
        ("Telegram johndoe3", Kind::Telegram, "johndoe3"),
        ("Telegram:\njohndoe", Kind::Telegram, "johndoe"),
        ("my wickr username johndoe", Kind::Wickr, "johndoe"),
        ("My wickr is johndoe", Kind::Wickr, "johndoe"),
        ("Wickr (johndoe)", Kind::Wickr, "johndoe"),
        ("Wickr\tjohndoe", Kind::Wickr, "johndoe"),
        ("Wickr\njohndoe77\nnext", Kind::Wickr, "johndoe77"),
        ("Kik: john.doe", Kind::Kik, "john.doe"),
        ("ICQ: 7 0 9 1 7 0 5 8 7 **Remove", Kind::Icq, "709170587"),
        ("icq#709-170-587", Kind::Icq, "709170587"),
        ("Download ICQ app and add my username:.745679392 Contact", Kind::Icq, "745679392"),
        ("Threema ID: ABCD1234", Kind::Threema, "ABCD1234"),
        ("Signal: johndoe.42", Kind::Signal, "johndoe.42"),
        ("Twitter: @john_doe", Kind::Twitter, "john_doe"),
        ("Dread: /u/JohnDoe", Kind::Dread, "JohnDoe"),
        ("find me on dread u/johndoe", Kind::Dread, "johndoe"),
    ] {
        check(text, &[(kind, name)]);
    }
    check("Wickr / Telegram: johndoe", &[(Kind::Telegram, "johndoe"), (Kind::Wickr, "johndoe")]);
    check(
        "wickr…johndoe3 kik…johndoe4 ..Telegram johndoe5",
        &[(Kind::Wickr, "johndoe3"), (Kind::Kik, "johndoe4"), (Kind::Telegram, "johndoe5")],
    );
    check("https://t.me/johndoe", &[(Kind::Telegram, "johndoe"), (Kind::Url, "https://t.me/johndoe")]);
    check("Telegram: t.me/johndoe", &[(Kind::Url, "t.me/johndoe"), (Kind::Telegram, "johndoe")]);
}

#[test]
fn a_label_in_a_sentence_names_nobody() {
    for text in [
        "Message us on wickr for a faster response",
        "Wickr: Message or email us for Wickr",
        "Wickr now available for customers with multiple purchases!",
        "add me using the Wickr ID bellow.",
        "WE DON’T HAVE WICKR",
        "Telegram channel",
        "Telegram: don't ask",
        "buy Telegram members 24h x100",
        "Twitter account GearBest account",
        "a dread session with a signal to stop",
        "Kik 100g",
        "icq or jabber",
        "ICQ: ask me, from 10000 on",
        "Signal: strong",
        "Session: 30 minutes",
        "my wickr is available",
        "Telegram (preferred)",
        "Telegram\nLogin",
        "Wickr\nversion 2 of it",
    ] {
        check(text, &[]);
    }
}

#[test]
fn telephone_numbers_in_any_notation() {
    for text in [
        "+31 6 1234 5678",
        "+31612345678",
        "+31 (0)6-12345678",
        "0031 6 12 34 56 78",
        "06-12345678",
        "06 1234 5678",
        "(06) 12345678",
        "06.12.34.56.78",
        "bel 06 12 34 56 78 nu",
        "+31 6 1234 5678 100 pieces",
        "zero six one two three four five six seven eight",
        "nul zes 12 drie vier vijf zes zeven acht",
        "ноль шесть один два три четыре пять шесть семь восемь",
        "plus three one six 12 34 five six seven eight",
    ] {
        check(text, &[(Kind::Phone, "+31612345678")]);
    }
    check("(212) 555-0123 or 212-555-0123", &[(Kind::Phone, "+12125550123"), (Kind::Phone, "+12125550123")]);
    check("WhatsApp……..+14249001139", &[(Kind::Whatsapp, "+14249001139"), (Kind::Phone, "+14249001139")]);
    check("https://wa.me/31612345678", &[(Kind::Url, "https://wa.me/31612345678"), (Kind::Whatsapp, "+31612345678")]);
    for text in [
        "0.05199685 BTC",
        "2019-04-15 22:46:36",
        "12.34.56",
        "1,234,567",
        "100 200 300 pills",
        "one two three",
        "#0612345678",
        "+1 2",
    ] {
        check(text, &[]);
    }
    let russian = ObservableSettings { regions: vec!["RU".into()], ..ObservableSettings::default() };
    assert_eq!(observables("8 (912) 345-67-89", &russian)[0].value, "+79123456789");
    for text in ["12 (4.95) 200", "5200 (494) 200", "(0.695596"] {
        check(text, &[]);
    }
    let nowhere = ObservableSettings::default();
    assert_eq!(observables("06-12345678", &nowhere), []);
}

#[test]
fn a_finding_tells_its_place_and_its_grade() {
    let text = format!("é Jabber: a@b.org, pay {BTC} or 0x52908400098527886e0f7030069857d2e4169ee7");
    let found = found(&text);
    let parts: Vec<(&str, Grade)> =
        found.iter().map(|found| (&text[found.at.start as usize..found.at.end as usize], found.grade)).collect();
    assert_eq!(
        parts,
        [
            ("a@b.org", Grade::Contextual),
            (BTC, Grade::Verified),
            ("0x52908400098527886e0f7030069857d2e4169ee7", Grade::ShapeOnly)
        ]
    );
}

#[test]
fn of_two_readings_of_one_place_one_stays() {
    check(
        "http://example.com/0123456789abcdef0123456789abcdef",
        &[(Kind::Url, "http://example.com/0123456789abcdef0123456789abcdef")],
    );
    check(&format!("bitcoin:{BTC}?amount=1"), &[(Kind::Btc, BTC)]);
    check(
        &format!("https://example.com/{BTC}"),
        &[(Kind::Url, &format!("https://example.com/{BTC}")), (Kind::Btc, BTC)],
    );
    check("someone@example.com", &[(Kind::Email, "someone@example.com")]);
    check("4111 1111 1111 1111", &[(Kind::PaymentCard, "411111******1111")]);
}

#[test]
fn what_is_not_listed_is_not_kept_and_uncovers_nothing() {
    let text = format!("a@{ONION} http://example.com/x 4111111111111111 CVE-2024-3094");
    let kinds = |kinds: &[Kind]| {
        let settings = ObservableSettings { kinds: kinds.iter().copied().collect(), ..ObservableSettings::default() };
        observables(&text, &settings).into_iter().map(|found| (found.kind, found.value)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&[]), []);
    assert_eq!(kinds(&[Kind::Domain, Kind::Cve]), [(Kind::Cve, "CVE-2024-3094".to_owned())]);
    let whole = ObservableSettings { whole_cards: true, ..ObservableSettings::default() };
    assert_eq!(observables("4111111111111111", &whole)[0].value, "4111111111111111");
}

#[test]
fn armour_holds_keys_and_nothing_else() {
    let block = "-----BEGIN PGP MESSAGE-----\nComment: a@example.com\n\nhQEMA\n-----END PGP MESSAGE-----";
    check(&format!("{block} b@example.com"), &[(Kind::Email, "b@example.com")]);
}

#[test]
fn a_hostile_text_gets_no_more_than_so_many() {
    let text = format!("{} {BTC}", "a.co ".repeat(60_000));
    let found = found(&text);
    assert_eq!(found.len(), 50_001);
    assert_eq!(found.last().map(|found| found.kind), Some(Kind::Btc));
}

/// What a search looks at, in bytes, for one and for twice as much of the same.
fn work_of(part: &str) -> (usize, usize) {
    let cost = |text: &str| {
        work::take();
        found(text);
        work::take()
    };
    (cost(&part.repeat(2000)), cost(&part.repeat(4000)))
}

#[test]
fn work_grows_with_the_text_and_no_faster() {
    for part in [
        "@",
        "a@",
        "a.",
        "a-",
        "a ",
        "wickr ",
        "wickr:",
        "+1 ",
        "1 ",
        "1",
        "a",
        "http://",
        "www.",
        "(at)",
        " at ",
        "a dot ",
        "one ",
        "abcd ",
        ":",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\nmDME",
        "t.me/",
        "4111 ",
        "NL91 ",
        "u/",
        "a+",
        "1.2.",
        "@a on telegram ",
        "é",
        "â\u{80}",
    ] {
        let (once, twice) = work_of(part);
        assert!(twice <= 2 * once + 50_000, "{part:?}: {once} bytes, then {twice}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read(text: String) {
        let found = found(&text);
        for found in &found {
            let raw = text.get(found.at.start as usize..found.at.end as usize);
            prop_assert!(raw.is_some_and(|raw| !raw.is_empty()), "{found:?}");
            prop_assert!(!found.value.is_empty());
        }
        prop_assert!(found.is_sorted_by_key(|found| found.at.start));
    }

    #[test]
    fn pieces_of_observables_in_any_order_are_read(
        parts in proptest::collection::vec(proptest::sample::select(vec![
            "a", "@", ".", "com", "onion", " ", "\n", "\t", "wickr", "telegram", ":", "[at]", "(dot)", " dot ", " at ", "http://", "hxxps", "www.", "t.me/", "/u/",
            "+31", "06", "12345678", "0031", "zero", "six", "двa", "NL91", "ABNA", "0417164300", "4111", "1111", "CVE-2024-", "0x", "5290", "bc1q", BTC, ONION,
            "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----", "mDMEU/NfCxYJKwYBBAHaRw8BAQdA", "=abcd", "é", "â\u{80}", "…", "собака", "(", ")", "BM-", "🙂", "i2p",
            "::", "fe80", "192.0.2.1", "icq", "whatsapp", "kik", "dread", "'", "’",
        ]), 0..24),
        regions in proptest::sample::subsequence(vec!["NL", "RU", "US"], 0..3),
    ) {
        let text = parts.concat();
        let settings = ObservableSettings { regions: regions.into_iter().map(str::to_owned).collect(), ..ObservableSettings::default() };
        for found in observables(&text, &settings) {
            prop_assert!(text.get(found.at.start as usize..found.at.end as usize).is_some_and(|raw| !raw.is_empty()), "{found:?}");
        }
    }

    #[test]
    fn any_row_of_digits_is_read(text in "[+0(]{0,2}[0-9]{1,17}") {
        found(&text);
    }
}
