use std::fmt::Write as _;

use model::{Refresh, Uri};

use super::*;

fn uri() -> Uri {
    "http://shop.example.com/item/7".parse().unwrap()
}

fn read(content_type: &str, payload: &[u8]) -> (Document, Vec<Problem>) {
    let uri = uri();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: Some(content_type.as_bytes()),
        content_encoding: None,
        refresh: None,
        payload,
    };
    document(&page, &Limits::default())
}

fn html(payload: &str) -> Document {
    read("text/html; charset=utf-8", payload.as_bytes()).0
}

#[test]
fn a_page_becomes_a_document() {
    let (found, problems) = read(
        "text/html",
        "<meta charset=utf-8><title>Lamp</title><h1>Lamp</h1><p>Price: €12</p><a href=/seller/x>seller</a><form><input name=q></form>".as_bytes(),
    );
    assert_eq!(problems, []);
    insta::assert_debug_snapshot!((found.charset, found.charset_source, found.title, found.text, found.links, found.forms), @r#"
    (
        "UTF-8",
        Meta,
        "Lamp",
        "Lamp\nPrice: €12\nseller",
        [
            Link {
                uri: Uri(http://shop.example.com/seller/x),
                anchor: "seller",
                rel: None,
            },
        ],
        [
            Search,
        ],
    )
    "#);
}

#[test]
fn a_board_in_an_undeclared_cyrillic_encoding() {
    let page = "<html><head><title>Доска</title></head><body><p>Этот товар отправляется из Германии в течение двух дней, продавец отвечает на каждое сообщение до вечера.</p></body></html>";
    let (bytes, _, _) = encoding_rs::WINDOWS_1251.encode(page);
    let (found, problems) = read("text/html", &bytes);
    assert_eq!(
        (found.title.as_str(), found.charset.as_str(), found.charset_source),
        ("Доска", "windows-1251", CharsetSource::Guess)
    );
    assert!(found.text.starts_with("Этот товар отправляется"));
    assert_eq!((found.language.as_deref(), problems), (Some("rus"), vec![]));
}

#[test]
fn other_text_is_kept_as_it_stands() {
    let (found, _) = read("application/json", b"{\"a\":\n  \"<b>\"}");
    assert_eq!((found.text.as_str(), found.links.len()), ("{\"a\":\n\"<b>\"}", 0));
    let (found, _) = read("text/xml", b"<a href='/x'>y</a>");
    assert_eq!((found.text.as_str(), found.links.len()), ("<a href='/x'>y</a>", 0));
}

#[test]
fn observables_stand_in_the_text_also_where_it_is_hidden() {
    let found = html(
        "<p>Jabber: a@example.org</p><div style=display:none>b [at] example.org</div><textarea>c@example.org\n</textarea>",
    );
    let raw: Vec<&str> = found
        .observables
        .iter()
        .map(|found_at| &found.text[found_at.at.start as usize..found_at.at.end as usize])
        .collect();
    assert_eq!(raw, ["a@example.org", "c@example.org", "b [at] example.org"]);
    let hidden: Vec<&str> = found.hidden.iter().map(|at| &found.text[at.start as usize..at.end as usize]).collect();
    assert_eq!(hidden, ["b [at] example.org"]);
}

#[test]
fn what_is_hidden_changes_neither_kind_nor_fields_nor_digest_nor_language() {
    let trap = "<div style='display:none'><h1>404 Not Found</h1>Отправка из Нидерландов, продавец отвечает в течение суток. Price: 1 EUR\
                <a href='/trap/9'>x</a><form><input type=password></form></div>";
    let page = listing("120.00 EUR", "aa11", "2031-02-03 14:05:06 UTC", "12");
    let (bare, trapped) = (html(&page), html(&page.replace("<h1>", &format!("{trap}<h1>"))));
    assert!(trapped.text.starts_with(&bare.text) && trapped.text.ends_with("Price: 1 EURx"));
    assert_eq!(
        (bare.kind, bare.fields, bare.content_digest, bare.language, bare.shape),
        (trapped.kind, trapped.fields, trapped.content_digest, trapped.language, trapped.shape)
    );
    assert_eq!((bare.forms, trapped.forms), (vec![FormKind::Post], vec![FormKind::Post, FormKind::Login]));
    assert_ne!(
        html(&page.replace("<h1>", &format!("{}<h1>", trap.replace("none", "block")))).content_digest,
        bare.content_digest
    );
}

#[test]
fn what_is_hidden_takes_the_room_that_is_left() {
    let uri = uri();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: Some(b"text/html"),
        content_encoding: None,
        refresh: None,
        payload: b"<p hidden>ab</p><p hidden>cde</p><p>seen",
    };
    let text = |text_bytes: usize| {
        let (found, problems) = document(&page, &Limits { text_bytes, ..Limits::default() });
        (found.text, found.hidden.into_iter().map(|at| (at.start, at.end)).collect::<Vec<_>>(), problems)
    };
    assert_eq!(text(11), ("seen\nab\ncde".to_owned(), vec![(5, 7), (8, 11)], vec![]));
    assert_eq!(text(9), ("seen\nab\nc".to_owned(), vec![(5, 7), (8, 9)], vec![Problem::TooLong]));
    assert_eq!(text(8), ("seen\nab".to_owned(), vec![(5, 7)], vec![Problem::TooLong]));
    assert_eq!(text(4), ("seen".to_owned(), vec![], vec![Problem::TooLong]));
}

#[test]
fn names_of_authors_are_observables() {
    let post = |who: &str| {
        format!(
            "<div class=post><a href=/user/{who}>{who}</a> <time>2031-02-03 14:05</time><p>The lamp burns, says everybody here today.</div>"
        )
    };
    let page = format!("<h1>Lamps</h1>{}{}{}", post("Wick"), post("Keeper"), post("Wick"));
    let names = |limits: &Limits| {
        let uri: Uri = "http://board.example.com/thread/7".parse().unwrap();
        let page = Page {
            uri: &uri,
            status: 200,
            content_type: Some(b"text/html"),
            content_encoding: None,
            refresh: None,
            payload: page.as_bytes(),
        };
        let found = document(&page, limits).0;
        let name =
            |one: &Observable| (one.value.clone(), found.text[one.at.start as usize..one.at.end as usize].to_owned());
        found.observables.iter().filter(|one| one.kind == ObservableKind::UserName).map(name).collect::<Vec<_>>()
    };
    let pair = |value: &str, raw: &str| (value.to_owned(), raw.to_owned());
    assert_eq!(names(&Limits::default()), [pair("wick", "Wick"), pair("keeper", "Keeper")]);
    let mut limits = Limits::default();
    limits.keep.kinds.remove(&ObservableKind::UserName);
    assert_eq!(names(&limits), []);
}

#[test]
fn a_theme_says_which_observables_are_kept_and_a_limit_how_many() {
    let uri = uri();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: Some(b"text/plain"),
        content_encoding: None,
        refresh: None,
        payload: b"a@example.org b@example.org http://example.org/",
    };
    let kept = |limits: &Limits| {
        let (document, problems) = document(&page, limits);
        (document.observables.into_iter().map(|found| found.value).collect::<Vec<_>>(), problems)
    };
    let (all, problems) = kept(&Limits::default());
    assert_eq!((all.len(), problems), (3, vec![]));
    let mut limits = Limits::default();
    limits.keep.kinds = [model::ObservableKind::Url].into();
    assert_eq!(kept(&limits).0, ["http://example.org/"]);
    let limits = Limits { observables: 2, ..Limits::default() };
    assert_eq!(
        kept(&limits),
        (vec!["a@example.org".into(), "b@example.org".into()], vec![Problem::TooManyObservables])
    );
}

#[test]
fn nothing_and_no_text() {
    let (found, problems) = read("text/html", b"");
    assert_eq!((found.text.as_str(), problems), ("", vec![]));
    let (found, problems) = read("text/html", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\0");
    assert_eq!((found.text.as_str(), found.kind, problems), ("", PageKind::Other, vec![Problem::NotText]));
    assert_ne!(found.content_digest, read("text/html", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x01").0.content_digest);
}

#[test]
fn the_header_refreshes_where_the_page_does_not() {
    let uri = uri();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: Some(b"text/html"),
        content_encoding: None,
        refresh: Some(b"4; url=/h"),
        payload: b"<p>x",
    };
    let to = |path: &str| Some(Ok(uri.join(path).unwrap()));
    assert_eq!(document(&page, &Limits::default()).0.refresh, Some(Refresh { delay_s: 4, to: to("/h") }));
    let page = Page { payload: b"<meta http-equiv=refresh content='1; /m'>", ..page };
    assert_eq!(document(&page, &Limits::default()).0.refresh, Some(Refresh { delay_s: 1, to: to("/m") }));
}

/// A listing as a market serves it, with all that changes on each load.
fn listing(price: &str, csrf: &str, clock: &str, took: &str) -> String {
    format!(
        "<html><head><title>Lamp</title><meta name=csrf content={csrf}></head><body><h1>Lamp</h1><p>Price: {price}</p><p>In stock: 4</p>\
         <form method=post><input type=hidden name=csrf value={csrf}><button>Buy</button></form><a href='/cart/add?id=7&csrf={csrf}'>add</a>\
         <footer>Server time: {clock}<br>Page generated in {took} ms</footer></body></html>"
    )
}

#[test]
fn a_clock_is_no_change_and_a_price_is() {
    let digest = |page: String| html(&page).content_digest;
    let first = digest(listing("120.00 EUR", "aa11", "2031-02-03 14:05:06 UTC", "12"));
    assert_eq!(
        first,
        digest(listing("120.00 EUR", "9f86d081884c7d659a2feaa0c55ad015", "2031-02-03 14:05:59 UTC", "7"))
    );
    assert_ne!(first, digest(listing("121.00 EUR", "aa11", "2031-02-03 14:05:06 UTC", "12")));
    assert_ne!(
        first,
        digest(listing("120.00 EUR", "aa11", "2031-02-03 14:05:06 UTC", "12").replace("In stock: 4", "In stock: 3"))
    );
}

#[test]
fn hostile_pages_cost_what_their_length_allows() {
    let nested = html(&("<div>".repeat(100_000) + "deep"));
    assert_eq!(nested.text, "deep");
    let line = html(&format!("<p>{}</p>", "x".repeat(2 << 20)));
    assert_eq!(line.text.len(), 2 << 20);
    let mut page = String::new();
    for n in 0..300_000 {
        let _ = writeln!(page, "<a href='/l/{n}'>{n}</a>");
    }
    let (found, problems) = read("text/html", page.as_bytes());
    assert_eq!((found.links.len(), problems), (5000, vec![Problem::TooManyLinks]));
    assert!(found.text.ends_with("299999"));
}

#[test]
fn a_bomb_is_read_up_to_the_limit() {
    let bomb = zstd::encode_all(&*b"<p>bomb ".repeat(1 << 20), 1).unwrap();
    let uri = uri();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: Some(b"text/html"),
        content_encoding: Some(b"zstd"),
        refresh: None,
        payload: &bomb,
    };
    let limits = Limits { decoded_bytes: 1000, ..Limits::default() };
    let (found, problems) = document(&page, &limits);
    assert_eq!((found.text.lines().count(), problems), (125, vec![Problem::TooLong]));
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of markup, which find more than bytes alone do.
    fn markup() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "<",
                ">",
                "<a href=",
                "'/x'>",
                "</a>",
                "<p>",
                "<b>",
                "</b>",
                "<table>",
                "<td>",
                "<form>",
                "</form>",
                "<svg>",
                "<math>",
                "<template>",
                "<select>",
                "<option>",
                "<title>",
                "</title>",
                "<script>",
                "</script>",
                "<!--",
                "-->",
                "<base href=//h.example.com/>",
                "<meta http-equiv=refresh content='0;url=/'>",
                "<h1>",
                "&amp;",
                "&#0;",
                "<input type=password>",
                "<frameset>",
                "<body>",
                "<p hidden>",
                "<b style='display:none'>",
                "<img src='x'>",
                "<dialog>",
                "</body>",
                "<html>",
                "<plaintext>",
                "\0",
                "é",
                "x ",
                "12:30",
                "USD 5 ",
                "-----BEGIN PGP ",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..8),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn never_panic_and_keep_the_bounds(
            payload in markup(),
            content_type in prop::option::of(prop_oneof![Just(b"text/html".to_vec()), prop::collection::vec(any::<u8>(), 0..30)]),
            content_encoding in prop::option::of(prop::sample::select(vec!["gzip", "br", "deflate", "zstd", "x, y"])),
            refresh in prop::option::of(prop::collection::vec(any::<u8>(), 0..20)),
            status: u16,
        ) {
            let uri = uri();
            let page = Page {
                uri: &uri,
                status,
                content_type: content_type.as_deref(),
                content_encoding: content_encoding.map(str::as_bytes),
                refresh: refresh.as_deref(),
                payload: &payload,
            };
            let limits = Limits { decoded_bytes: 400, depth: 4, links: 2, observables: 1, text_bytes: 50, ..Limits::default() };
            let (found, problems) = document(&page, &limits);
            prop_assert!(found.links.len() <= 2 && found.text.len() <= 50);
            let in_order = |ranges: &[Range<u32>]| {
                ranges.iter().all(|at| at.start < at.end && found.text.get(at.start as usize..at.end as usize).is_some())
                    && ranges.windows(2).all(|pair| pair[0].end <= pair[1].start)
            };
            prop_assert!(in_order(&found.hidden), "{:?}", found.hidden);
            let languages: Vec<Range<u32>> = found.languages.iter().map(|run| run.at.clone()).collect();
            prop_assert!(in_order(&languages), "{languages:?}");
            prop_assert!(found.links.iter().all(|link| link.anchor.chars().count() <= 200));
            prop_assert!(problems.iter().enumerate().all(|(at, problem)| !problems[..at].contains(problem)));
            prop_assert_eq!(document(&page, &limits), (found, problems));
        }

        #[test]
        fn refresh_reads_any_text(value in ".{0,40}") {
            if let Some(Refresh { to: Some(Err(place)), .. }) = crate::refresh(&value, &uri()) {
                prop_assert!(!place.is_empty());
            }
        }
    }
}
