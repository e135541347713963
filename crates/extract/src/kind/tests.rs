use std::ops::Range;

use model::Uri;

use super::*;
use crate::{Limits, document};

fn check(path: &str, status: u16, html: &str, expect: PageKind) {
    let uri: Uri = format!("http://shop.example.com{path}").parse().unwrap();
    let page = Page {
        uri: &uri,
        status,
        content_type: Some(b"text/html; charset=utf-8"),
        content_encoding: None,
        refresh: None,
        payload: html.as_bytes(),
    };
    assert_eq!(document(&page, &Limits::default()).0.kind, expect, "{path} {status} {html}");
}

fn each(numbers: Range<u32>, row: impl Fn(u32) -> String) -> String {
    numbers.map(row).collect()
}

fn cues(html: &str) -> Vec<String> {
    let uri: Uri = "http://shop.example.com/".parse().unwrap();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: None,
        content_encoding: None,
        refresh: None,
        payload: html.as_bytes(),
    };
    document(&page, &Limits::default()).0.cues.iter().map(|cue| format!("{} {}", cue.weight, cue.what)).collect()
}

const LOGIN: &str = "<form method=post><input name=u><input type=password name=p><button>Go</button></form>";

/// A front page with plenty to read.
fn front() -> String {
    let rows: String = each(0..12, |n| {
        format!(
            "<tr><td><a href='/product/{n}'>Brass lamp number {n}</a><td><a href='/vendor/v{n}'>keeper{n}</a><td>{n}.50 EUR<td>ships from Utopia</tr>"
        )
    });
    format!("<h1>Lamps</h1><table>{rows}</table>")
}

#[test]
fn statuses() {
    check("/x", 404, "<h1>Lamps</h1>", PageKind::NotFound);
    check("/x", 410, "", PageKind::NotFound);
    check("/x", 500, "<h1>Oops</h1>", PageKind::Error);
    check(
        "/x",
        200,
        "<title>404 Not Found</title><p>The page does not exist.</p><a href=/>home</a>",
        PageKind::NotFound,
    );
    check("/x", 200, "<h1>Страница не найдена</h1>", PageKind::NotFound);
    check("/", 200, "", PageKind::Other);
}

#[test]
fn a_login_wall_asks_for_a_password_and_little_else() {
    check(
        "/login",
        200,
        &format!("<title>Lamps - Login</title><h1>Login</h1>{LOGIN}<a href=/register>Register</a>"),
        PageKind::Login,
    );
    check("/", 401, &format!("<h1>Inloggen</h1>{LOGIN}"), PageKind::Login);
    check("/", 200, &format!("<h2>Войти</h2>{LOGIN}<img src=/captcha.png><input name=code>"), PageKind::Login);
    check("/", 200, &format!("<p>Welcome</p>{LOGIN}"), PageKind::Login);
}

#[test]
fn a_login_box_above_content_is_no_wall() {
    check("/", 200, &format!("<title>Lamps</title>{LOGIN}{}", front()), PageKind::Index);
    let article = "<p>Lamps were lit along the harbour while the ships came in from the sea, one after another, until midnight.</p>".repeat(5);
    check("/news", 200, &format!("<title>Harbour news</title>{LOGIN}{article}"), PageKind::Other);
    check(
        "/register",
        200,
        "<title>Register</title><form><input name=u><input type=password><input type=password><input name=captcha></form>",
        PageKind::Other,
    );
}

#[test]
fn a_challenge_asks_for_proof_of_being_human() {
    check(
        "/",
        200,
        "<title>Lamps</title><form><img src=/captcha.png><input name=answer><button>Go</button></form>",
        PageKind::Captcha,
    );
    check(
        "/",
        403,
        "<p>Voer de code in</p><form><img src=/x.png><input name=k81><button>Verder</button></form>",
        PageKind::Captcha,
    );
    check(
        "/",
        200,
        "<h1>DDoS protection</h1><p>Solve the captcha</p><form><img src=/c><input name=x maxlength=6><input type=submit></form>",
        PageKind::Captcha,
    );
    let contact = "<h1>Contact</h1><form><input name=subject><textarea name=body></textarea><img src=/captcha.png><input name=captcha></form>";
    check("/contact", 200, contact, PageKind::Other);
    let small = "<form><input name=captcha></form>".to_owned() + &front();
    check("/", 200, &small, PageKind::Index);
}

#[test]
fn a_waiting_room_asks_for_patience() {
    check(
        "/",
        200,
        "<title>DDoS Protection</title><meta http-equiv=refresh content='2; /in'><p>Redirecting...",
        PageKind::AntiDdos,
    );
    check("/", 503, "<h1>Checking your browser</h1><p>Please wait a few seconds.</p>", PageKind::AntiDdos);
    check("/", 200, "<p>Вы в очереди, подождите.</p><meta http-equiv=refresh content=10>", PageKind::AntiDdos);
    check(
        "/",
        200,
        "<p>U staat in de wachtrij. Even geduld.</p><meta http-equiv=refresh content=10>",
        PageKind::AntiDdos,
    );
    let news = format!("<h1>Harbour news</h1>{}", "<p>A ddos attack on the lamp shop was fought off, and please wait for more, said the keeper of the harbour.</p>".repeat(10));
    check("/news", 200, &news, PageKind::Other);
}

#[test]
fn a_refresh_with_next_to_no_text() {
    check("/", 200, "<meta http-equiv=refresh content='0; url=/home'>", PageKind::MetaRefresh);
    check("/", 200, "<meta http-equiv=refresh content='0; url=http://127.0.0.1/'>", PageKind::MetaRefresh);
    check("/home", 200, "<meta http-equiv=refresh content='60'><p>Quiet.</p>", PageKind::Other);
    check("/", 200, &format!("<meta http-equiv=refresh content='60; url=/home'>{}", front()), PageKind::Index);
}

#[test]
fn lists_of_goods() {
    check("/category/lamps?page=2", 200, &front(), PageKind::Index);
    check("/search?q=lamp", 200, &format!("<h1>Search results for lamp</h1>{}", front()), PageKind::Search);
    check("/search?q=zzz", 200, "<h1>Search results</h1><p>No results found.</p>", PageKind::Search);
}

#[test]
fn one_thing_for_sale() {
    let english = "<h1>Brass lamp</h1><p>Price: 12.50 EUR</p><p>Vendor: <a href=/vendor/k>keeper</a></p><p>Ships from: Utopia</p><p>Ships to: Worldwide</p><p>In stock: 4</p><button>Buy now</button>";
    check("/x/7", 200, english, PageKind::Listing);
    let dutch = "<h1>Koperen lamp</h1><p>Prijs: € 12,50</p><p>Verkoper: <a href=/v/k>k</a></p><p>Verzonden vanuit: Utopia</p><p>Voorraad: 4</p><button>Bestellen</button>";
    check("/x/7", 200, dutch, PageKind::Listing);
    let russian = "<h1>Лампа</h1><p>Цена: 1200 руб</p><p>Продавец: <a href=/v/k>k</a></p><p>Отправка из: Утопия</p><p>В наличии: 4</p><button>Купить</button>";
    check("/x/7", 200, russian, PageKind::Listing);
}

#[test]
fn people_and_what_is_said_of_them() {
    let profile = "<h1>Vendor profile: keeper</h1><p>Member since: 2030-01-02</p><p>Last seen: 2031-02-03</p><p>Trust level 4</p><p>Sales: 120</p><p>PGP</p>";
    check("/vendor/keeper", 200, profile, PageKind::Vendor);
    let shop = "<h1>keeper</h1><p>Member since: 2030-01-02</p>".to_owned() + &front();
    check("/vendor/keeper", 200, &shop, PageKind::Vendor);
    let member =
        "<h1>keeper</h1><p>Joined: 2030-01-02</p><ul><li><a href=/thread/1>a</a><li><a href=/thread/2>b</a></ul>";
    check("/user/keeper", 200, member, PageKind::Other);
    check(
        "/feedback",
        200,
        "<h1>Feedback</h1><form><textarea name=t></textarea><button>Send</button></form>",
        PageKind::Other,
    );
    let prose = "<p>Feedback is left after each of the sales, disputes are settled by PGP signed mail within a week of them.</p>".repeat(4);
    check("/rules", 200, &format!("<h1>Rules</h1>{prose}"), PageKind::Other);
    let rows: String =
        each(1..9, |n| format!("<tr class=feedback><td>good lamp<td>k***{n}<td>2031-02-0{n}<td>4.0{n} EUR</tr>"));
    check(
        "/vendor/keeper/feedback",
        200,
        &format!("<h1>Feedback for keeper</h1><table>{rows}</table>"),
        PageKind::Feedback,
    );
}

#[test]
fn keys() {
    let key = format!(
        "<pre>-----BEGIN PGP PUBLIC KEY BLOCK-----\n{}-----END PGP PUBLIC KEY BLOCK-----</pre>",
        "mQENBFuuB44BCADheTq2d8hBn70TUBk0QcXGBac3\n".repeat(20)
    );
    check("/x", 200, &format!("<h1>Keys</h1>{key}"), PageKind::Pgp);
    let words = "<p>Lamps were lit along the harbour while the ships came in from the sea, one after another, until midnight.</p>".repeat(20);
    check("/seller/k/pgp", 200, &format!("<h1>Public key of k</h1>{key}{words}"), PageKind::Pgp);
    check("/contact", 200, &format!("<h1>Contact</h1>{key}{words}"), PageKind::Other);
}

#[test]
fn boards_and_threads() {
    let topics: String = each(0..9, |n| {
        format!(
            "<tr><td><a href='/thread/{n}'>About lamps {n}</a><td>{n} replies<td>last post 2031-02-0{} by keeper</tr>",
            n + 1
        )
    });
    check("/board/3", 200, &format!("<h1>Lamps</h1><table>{topics}</table>"), PageKind::Board);
    let posts: String = each(1..6, |n| {
        format!(
            "<div class=post><b><a href=/user/{n}>keeper{n}</a></b> 2031-02-0{n} 12:00<p>Mine hangs in the hall.</p><a href=/quote/{n}>Quote</a></div>"
        )
    });
    check("/thread/7", 200, &format!("<h1>Where do you hang yours?</h1>{posts}"), PageKind::Thread);
    let dutch: String = each(1..6, |n| {
        format!(
            "<article><p>lampier{n} schreef op {n} februari 2031:</p><p>Die van mij hangt in de gang.</p><p>Citeren</p></article>"
        )
    });
    check(
        "/thread/7?page=2",
        200,
        "<h1>Waar hangt die van jou?</h1><div class=post>k 2031-02-01<p>Nergens.</p></div>",
        PageKind::Thread,
    );
    check("/thread/7", 200, &format!("<h1>Waar hangt die van jou?</h1>{dutch}"), PageKind::Thread);
}

#[test]
fn a_kind_says_why() {
    let offer = "<h1>Lamp</h1><p>Price: 5 EUR</p><p>Seller: <a href=/u/k>keeper</a></p><form><input name=qty><input type=submit value='Buy now'></form>";
    assert_eq!(
        cues(offer),
        ["4 facts of one offer: price, seller, where it goes", "4 a button to buy", "2 a field for how many"]
    );
    assert_eq!(cues(LOGIN), ["0 a password is asked for, and there is little else"]);
    assert_eq!(cues("<p>Nothing.</p>"), Vec::<String>::new());
}

#[test]
fn an_address_may_tell_nothing() {
    // One offer beside others: what stands apart from the list counts.
    let others: String = each(0..8, |n| format!("<li><a href=/x/{n}>Lamp {n}</a> {n}.00 EUR</li>"));
    let offer = format!(
        "<h1>Brass lamp</h1><p>Price: 5 EUR</p><p>Seller: keeper</p><p>Ships from: Spain</p><p>Ships to: Europe</p><p>In stock: 4</p>\
         <h3>More like it</h3><ul>{others}</ul>"
    );
    check("/a/1", 200, &offer, PageKind::Listing);
    let row =
        |n: u32| format!("<tr><td><a href=/item/{n}>Lamp {n}</a><td><a href=/u/k{n}>k{n}</a><td>{n} EUR<td>Buy</tr>");
    check("/a/2", 200, &format!("<table>{}</table>", each(1..3, row)), PageKind::Index);
    let shop =
        format!("<h2>keeper</h2><p>Joined: 2030-01-02</p><p>Last seen: today</p><p>Level: 3</p><ul>{others}</ul>");
    check("/a/3", 200, &shop, PageKind::Vendor);
    check("/a/4", 200, "<title>Product details</title><h1>Lamp</h1><a>Report this listing</a>", PageKind::Listing);
}

#[test]
fn an_offer_that_labels_little() {
    let offer = "<a href=/home>Home</a> 1 BTC = 350 USD<h1>Storm lamp</h1><p>Fine lamp, never more than 0.5 BTC worth at once.</p>\
        <div class=price>0.12340000 BTC</div><div>From UK</div><div>To Worldwide</div><a href=/p/a8/buy>Add to cart</a>\
        <div>Vendor <a href=/vendor/agnes>agnes</a></div>";
    check("/x", 200, offer, PageKind::Listing);
}

#[test]
fn what_was_bought_is_no_list_of_offers() {
    let row = |n: u32| {
        format!("<tr><td>5/5<td>Fast<td>a***{n}<td><a href=/listing/{n}>Lamp {n}</a> {n}.00 EUR<td>2031-02-0{n}</tr>")
    };
    check(
        "/x",
        200,
        &format!("<h3>keeper</h3><h4>Feedback</h4><table>{}</table>", each(1..6, row)),
        PageKind::Feedback,
    );
}

#[test]
fn walls_in_other_words() {
    let puzzle = "<h2>Please solve the puzzle to continue</h2><form><img src=x><input name=x maxlength=6><input type=submit></form>";
    check("/", 200, puzzle, PageKind::Captcha);
    check(
        "/",
        200,
        "<meta http-equiv=refresh content=15><h3>You are in the queue</h3><p>Estimated waiting time: 2 minutes.</p>",
        PageKind::AntiDdos,
    );
}
