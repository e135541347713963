use std::{fs, path::Path};

use model::{Document, Uri};

use super::*;
use crate::{Limits, document_of_site};

const PROFILE: &str = r#"
name = "quay"
hosts = ["quay.example.com"]
fingerprint = { title = " - Quay$" }

[[page]]
kind = "listing"
when = { selector = "h1.name" }
require = ["title", "price"]
fields = { title = "h1.name", price = { select = "p", pattern = "costs (.*)" }, ships_to = "li", vendor = { select = "img", attribute = "alt" } }

[[page]]
kind = "index"
when = { path = "^/list" }
each = "tr"
require = ["title"]
fields = { title = "td.t", price = "td.p", vendor = "td.v" }
"#;

fn read(address: &str, html: &str, profile: &str) -> Document {
    let uri: Uri = address.parse().unwrap();
    let page = Page {
        uri: &uri,
        status: 200,
        content_type: None,
        content_encoding: None,
        refresh: None,
        payload: html.as_bytes(),
    };
    document_of_site(&page, &Limits::default(), &[SiteProfile::parse(profile).unwrap()]).0
}

fn check_error(profile: &str, expect: &str) {
    let error = SiteProfile::parse(profile).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
}

const LISTING: &str = "<h1 class=name>Lamp</h1><p>It costs 5,00 EUR</p><ul><li>Spain<li>France</ul><img src=x alt=otto><dl><dt>In stock</dt><dd>7</dd></dl>";

#[test]
fn fields_stand_where_the_profile_says() {
    let found = read("http://quay.example.com/x", LISTING, PROFILE);
    let listing = found.fields.listing.unwrap();
    assert_eq!((found.kind, found.fields.profile.unwrap().matched), (PageKind::Listing, true));
    assert_eq!(
        listing.title.unwrap(),
        model::Field { value: "Lamp".to_owned(), confidence: 99, source: model::Source::Profile }
    );
    assert_eq!(listing.price.unwrap().value.to_string(), "5.00 EUR");
    assert_eq!(listing.ships_to.unwrap().value, ["Spain", "France"]);
    assert_eq!(listing.vendor.unwrap().value, "otto");
    // What it does not speak of is found without it.
    assert_eq!(listing.stock.unwrap().value, "7");
    let rows = read(
        "http://quay.example.com/list",
        "<table><tr><th>x<tr><td class=t>Lamp <b>one</b><td class=p>$3<td class=v>otto</table>",
        PROFILE,
    )
    .fields
    .rows;
    let row = rows.first().unwrap();
    assert_eq!((rows.len(), row.title.as_str(), row.vendor.as_deref()), (1, "Lamp one", Some("otto")));
}

#[test]
fn a_site_is_known_by_host_or_fingerprint() {
    let used = |address: &str, html: &str| read(address, html, PROFILE).fields.profile.is_some();
    assert!(used("http://quay.example.com/x", LISTING));
    assert!(used("http://moved.example.com/x", &format!("<title>Lamp - Quay</title>{LISTING}")));
    assert!(!used("http://moved.example.com/x", LISTING));
}

#[test]
fn a_page_that_has_changed_is_drift() {
    let matched =
        |html: &str| read("http://quay.example.com/x", html, PROFILE).fields.profile.map(|profile| profile.matched);
    assert_eq!(matched(LISTING), Some(true));
    assert_eq!(matched("<h1 class=name>Lamp</h1><p>Free of charge"), Some(false));
    let offer = "<h1>Lamp</h1><p>Price: 5 EUR<p>Seller: otto<p>Ships from: Spain<p>Ships to: Europe<p>In stock: 3";
    assert_eq!(matched(offer), Some(false));
    let listing = read("http://quay.example.com/x", offer, PROFILE).fields.listing.unwrap();
    assert_eq!(listing.vendor.unwrap().value, "otto");
    // It knows nothing of such pages; a wall is none of them.
    assert_eq!(matched("<h1>Rules</h1><p>Be kind."), None);
    assert_eq!(matched("<h1 class=name>Login</h1><form><input name=u><input type=password></form>"), None);
}

#[test]
fn what_is_wrong_with_a_profile_is_told() {
    check_error("name = 1", "name");
    check_error("name = 'a'\nhosts = ['a']\npage = []\ncolour = 1", "colour");
    check_error("name = 'a'\npage = []", "site profile a names no hosts");
    check_error("name = 'a'\nhosts = ['a']\npage = []", "wants between one and");
    let page = |rest: &str| format!("name = 'a'\nhosts = ['a']\n[[page]]\n{rest}");
    check_error(&page("kind = 'lamp'\nwhen = { path = 'x' }\nfields = {}"), "lamp");
    check_error(&page("kind = 'listing'\nwhen = {}\nfields = {}"), "page listing: when: fits every page");
    check_error(&page("kind = 'listing'\nwhen = { path = '(' }\nfields = {}"), "page listing: when: regex");
    check_error(
        &page("kind = 'listing'\nwhen = { path = 'x' }\nfields = { title = '<' }"),
        "page listing: title: `<` is no selector",
    );
    check_error(
        &page("kind = 'listing'\nwhen = { path = 'x' }\nfields = { colour = 'p' }"),
        "has no field `colour`; it may have title, price",
    );
    check_error(&page("kind = 'listing'\nwhen = { path = 'x' }\nrequire = ['title']\nfields = {}"), "requires `title`");
    check_error(&page("kind = 'listing'\nwhen = { path = 'x' }\neach = 'p'\nfields = {}"), "`each` is for lists");
    check_error(&page("kind = 'index'\nwhen = { path = 'x' }\nfields = {}"), "a list needs `each`");
    check_error(&page("kind = 'login'\nwhen = { path = 'x' }\nfields = {}"), "have no fields");
    check_error(&"#".repeat(100_000), "longer than");
}

#[test]
fn the_starter_set_reads_the_sites_of_the_private_network() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/sites");
    let profile = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let parsed = SiteProfile::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(Some(parsed.name()), path.file_stem().and_then(|stem| stem.to_str()));
    }
    let market = |title: &str, main: &str| {
        format!(
            "<title>{title} - Lantern Row</title><div class=top><img src=/l alt='Lantern Row'></div><div class=main>{main}</div>"
        )
    };
    let facts = "<p class=crumbs><a href=/>Lantern Row</a> » <a href=/category/pills>Pills</a></p><h1 class=listing-title>Orange Comet</h1><table class=facts>\
        <tr><th>Price</th><td class=price>5.00 EUR</td></tr><tr><th>Vendor</th><td class=vendor><a href=/vendor/k>k</a></td></tr><tr><th>Ships from</th><td>Spain</td></tr>\
        <tr><th>Ships to</th><td>Worldwide except Oceania</td></tr><tr><th>In stock</th><td>9</td></tr><tr><th>Payment</th><td>Escrow</td></tr></table>";
    let found = read("http://a.example.com/listing/1", &market("Orange Comet", facts), &profile("lantern-row.toml"));
    let listing = found.fields.listing.unwrap();
    assert!(found.fields.profile.unwrap().matched);
    assert_eq!(
        (listing.stock.unwrap().value.as_str(), listing.category.unwrap().value),
        ("9", vec!["Pills".to_owned()])
    );
    let card = "<h1>Pills</h1><div class=card><img src=/i alt=''><div><h2><a href=/listing/1>Comet</a></h2><div>Price: <span class=price>5.00 EUR</span> · \
        Vendor: <a href=/vendor/k>k</a></div></div></div>";
    let rows =
        read("http://a.example.com/category/pills", &market("Pills", card), &profile("lantern-row.toml")).fields.rows;
    assert_eq!((rows.len(), rows[0].vendor.as_deref(), rows[0].href.as_deref()), (1, Some("k"), Some("/listing/1")));
    let thread = "<title>Lamps - Night Ferry</title><div class=post><div class=who><a href=/user/k>k</a></div><div class=said><a href=#p0>#1</a> 2031-02-03 12:00<p>Mine hangs.</p></div></div>";
    let posts = read("http://a.example.com/thread/1", thread, &profile("night-ferry.toml")).fields.posts;
    assert_eq!(
        (posts[0].author.as_deref(), posts[0].time.as_deref(), posts[0].text.as_str()),
        (Some("k"), Some("2031-02-03 12:00"), "Mine hangs.")
    );
}
