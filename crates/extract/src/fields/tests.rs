use model::{Field, Price, Uri};

use super::*;
use crate::{Limits, Page, parse, walk};

fn content(html: &str) -> Content {
    let uri: Uri = "http://shop.example.com/".parse().unwrap();
    let page = Page { uri: &uri, status: 200, content_type: None, content_encoding: None, refresh: None, payload: b"" };
    let limits = Limits::default();
    walk::walk(&parse::parse(html, &limits).html, &page, &limits)
}

fn of(kind: PageKind, content: &Content) -> Fields {
    Reading::of(content).fields(kind)
}

fn value<T: Clone>(field: Option<&Field<T>>) -> Option<T> {
    field.map(|field| field.value.clone())
}

/// Title, price, vendor, from, to.
fn check_listing(html: &str, expect: [&str; 5]) {
    let fields = of(PageKind::Listing, &content(html)).listing.unwrap();
    let text = |field: Option<String>| field.unwrap_or_default();
    let found = [
        text(value(fields.title.as_ref())),
        text(value(fields.price.as_ref()).map(|price: Price| price.to_string())),
        text(value(fields.vendor.as_ref())),
        text(value(fields.ships_from.as_ref())),
        value(fields.ships_to.as_ref()).unwrap_or_default().join("; "),
    ];
    assert_eq!(found, expect, "{html}");
}

/// Title, vendor, price of each row.
fn check_rows(html: &str, expect: &[[&str; 3]]) {
    let rows = of(PageKind::Index, &content(html)).rows;
    let found: Vec<[String; 3]> = rows
        .into_iter()
        .map(|row| {
            [row.title, row.vendor.unwrap_or_default(), row.price.map(|price| price.to_string()).unwrap_or_default()]
        })
        .collect();
    assert_eq!(found, expect, "{html}");
}

/// Author, time, text of each post.
fn check_posts(html: &str, expect: &[[&str; 3]]) {
    let posts = of(PageKind::Thread, &content(html)).posts;
    let found: Vec<[String; 3]> = posts
        .into_iter()
        .map(|post| [post.author.unwrap_or_default(), post.time.unwrap_or_default(), post.text])
        .collect();
    assert_eq!(found, expect, "{html}");
}

const NAV: &str = "<div class=header><h1><a href=/>Lamp Harbour</a></h1><a href=/products>Products</a> Logged in as <a href=/user/me>me</a> \
    BTC 9,120.40 USD</div>";

/// The search form that many sites put on each page.
const FORM: &str = "<form><b>Ships to:</b><br><select><option>Worldwide<option>Germany</select><b>Category:</b><select><option>Lamps</select>\
    <b>Price range:</b> From <input name=a> To <input name=b></form>";

#[test]
fn a_table_of_facts() {
    check_listing(
        &format!(
            "<title>Lamp Harbour - Brass lamp</title>{NAV}{FORM}<h2>Brass lamp</h2><p>Sold by <b><a href=/u/keeper>keeper</a> - </b>32 sold since May 1</p>\
             <table><tr><td><b>Class</b><td>Physical<td><b>Origin country</b><td>Latvia<tr><td><b>Quantity left</b><td>8<td><b>Ships to</b><td>World Wide, Asia</table>\
             <form><p><b>Purchase price:</b> <span>USD 1,054.00</span></p><p>0.005 BTC / 0.8 LTC</p><select><option>Post (3.00 USD)</select></form>\
             <h3>Brass lamp</h3><p>Price: from 900 EUR for ten. Seller: NO other.</p>"
        ),
        ["Brass lamp", "1054.00 USD", "keeper", "Latvia", "World Wide; Asia"],
    );
}

#[test]
fn labels_and_values_on_lines() {
    check_listing(
        &format!(
            "<title>Lamp Harbour</title>{NAV}<h2>Oil lamp, <i>two wicks</i></h2><div class=price_big>฿0.24</div>seller: <a href=/harbour/user/k8>lampier</a>(99)<br>\
             ships from: United States<br>ships to: undeclared<br>category: <a href=/c/lamps>Lamps</a><h3>Description</h3><p>Burns for 8 hours. $5 off.</p>"
        ),
        ["Oil lamp, two wicks", "0.24 BTC", "lampier", "United States", "undeclared"],
    );
    check_listing(
        "<title>Lantern | Market</title><h1>Lantern</h1><dl><dt>Preis</dt><dd>1.234,50 €</dd><dt>Verkäufer</dt><dd><a href='/seller/x'>Wächter</a></dd>\
         <dt>Versand aus</dt><dd>Deutschland</dd><dt>Versand nach</dt><dd>Deutschland, Österreich und Schweiz</dd></dl>",
        ["Lantern", "1234.50 EUR", "Wächter", "Deutschland", "Deutschland; Österreich; Schweiz"],
    );
    check_listing(
        "<h1>Лампа медная</h1><p>Цена: 1 200 руб.</p><p>Продавец: <a href='/shop/k'>Хранитель</a></p><p>Отправка из: Россия</p><p>Доставка в: Россия, Беларусь</p>",
        ["Лампа медная", "1200 RUB", "Хранитель", "Россия", "Россия; Беларусь"],
    );
    check_listing(
        "<h1>Koperen lamp</h1><table><tr><th>Prijs</th><td>€ 12,50</td></tr><tr><th>Verkoper</th><td>wachter (12)</td></tr><tr><th>Verzending vanuit</th><td>Nederland</td></tr>\
         <tr><th>Verzending naar</th><td>Nederland en België</td></tr></table>",
        ["Koperen lamp", "12.50 EUR", "wachter", "Nederland", "Nederland; België"],
    );
}

#[test]
fn labels_without_colons_in_boxes() {
    check_listing(
        "<title>Ship lamp - Quay</title><div class=breadcrumb><a href=/>Quay</a> / <a href=/category/3>Lamps</a></div><div class=title>Ship lamp</div>\
         <div class=row><div class=col>Vendor</div><div class=col><a href='contactMember?member=quayman'>quayman</a> (520) (4.98★)</div></div>\
         <div class=row><div class=col>Price</div><div class=col>฿0.0123 ($20.00)</div></div><div class=row><div class=col>Ships to</div><div class=col>Worldwide, Worldwide</div></div>\
         <div class=row><div class=col>Ships from</div><div class=col>Germany</div></div><div class=row><div class=col>Escrow</div><div class=col>Yes</div></div>",
        ["Ship lamp", "0.0123 BTC", "quayman", "Germany", "Worldwide; Worldwide"],
    );
}

#[test]
fn little_is_labelled() {
    check_listing(
        "<title>Agnes lamps</title><div id=single-product><h1>Storm lamp, green</h1><div class=product-price>0.1234 BTC</div><div class=ships>From Germany To Worldwide</div>\
         <div class=seller><a class=gen-user-link href='/vendor/agnes'>agnes</a> ~ 4.9/5, 25~40 deals</div><p>A lamp that was sold for 300 USD in its day, and for 0.5 BTC later on.</p></div>",
        ["Storm lamp, green", "0.1234 BTC", "agnes", "Germany", "Worldwide"],
    );
    check_listing(
        "<h3>Night lamp <small>by <a href=/profile/lux>lux</a></small></h3><p>Price per unit</p><p>$ 14.99</p><p>Shipping</p><p>US → US, CA</p>",
        ["Night lamp by lux", "14.99 USD", "lux", "US", "US; CA"],
    );
}

#[test]
fn heads_over_values() {
    check_listing(
        "<h1>Hall lamp</h1><table><thead><tr><th>Price</th><th>Seller</th><th>Ships from</th><th>Ships to</th><th>In stock</th></tr></thead>\
         <tbody><tr><td>45 EUR</td><td><a href=/u/7>otto</a></td><td>France</td><td>Europe</td><td>3</td></tr></tbody></table>",
        ["Hall lamp", "45 EUR", "otto", "France", "Europe"],
    );
}

#[test]
fn other_facts_of_an_offer() {
    let html = "<ol class=breadcrumb><li><a href=/>Home</a></li><li><a href=/category/1>Lamps</a></li><li><a href=/category/1/2>Oil lamps</a></li></ol><h1>Oil lamp</h1>\
        <p>Price: 5 USD</p><p>In stock: <b>Unlimited</b></p><p>Total sales: 1,067</p><p>FE or Escrow: <span>ESCROW</span></p>\
        <p>Accepted payments: <img src=a alt='Bitcoin (BTC)'> <img src=b alt='Monero (XMR)'></p>";
    let fields = of(PageKind::Listing, &content(html)).listing.unwrap();
    assert_eq!(value(fields.category.as_ref()).unwrap(), ["Lamps", "Oil lamps"]);
    assert_eq!(value(fields.stock.as_ref()).as_deref(), Some("Unlimited"));
    assert_eq!(value(fields.sold.as_ref()).as_deref(), Some("1067"));
    assert_eq!(value(fields.escrow.as_ref()).as_deref(), Some("ESCROW"));
    assert_eq!(value(fields.payment.as_ref()).unwrap(), ["Bitcoin (BTC)", "Monero (XMR)"]);
    let price = fields.price.unwrap();
    assert!(price.confidence >= 90, "{price:?}");
}

#[test]
fn rows_of_a_table() {
    let row = |n: u32| {
        format!(
            "<tr><td><a href=/product/{n}><img src=/i/{n}></a></td><td><a href=/product/{n}>Lamp number {n} £5</a><br>Bulk from 2.00 USD</td><td><span>Buy 1 for</span> \
             <div>{n}.50 USD/each</div><div>0.00{n} BTC</div></td><td><a href=/user/k>keeper</a> (12)</td></tr>"
        )
    };
    let rows: String = (1..4).map(row).collect();
    check_rows(
        &format!("{NAV}{FORM}<table><tr><td>Product<td>Price<td>Vendor</tr>{rows}</table>"),
        &[
            ["Lamp number 1 £5", "keeper", "1.50 USD"],
            ["Lamp number 2 £5", "keeper", "2.50 USD"],
            ["Lamp number 3 £5", "keeper", "3.50 USD"],
        ],
    );
}

#[test]
fn rows_of_cards() {
    let card = |n: u32| {
        format!(
            "<div class=col><div class=card><a href=/listing/{n}><img src=/i alt=''></a><h5 class=card-title><a href=/listing/{n}>Lamp {n}</a></h5><p>by <a href='/vendor/v{n}'>v{n}</a></p>\
             <span class=price>$1,{n}00.00</span><p>Ships from: Spain</p></div></div>"
        )
    };
    let cards: String = (1..4).map(card).collect();
    let expect = [["Lamp 1", "v1", "1100.00 USD"], ["Lamp 2", "v2", "1200.00 USD"], ["Lamp 3", "v3", "1300.00 USD"]];
    check_rows(&format!("{NAV}<div class=row>{cards}</div>"), &expect);
    // The whole card is a link, and the seller is named in words.
    let card = |n: u32| {
        format!(
            "<a class=card href='/item?id={n}'><div class=name>Lamp {n}</div><div>Vendor: v{n}</div><div>$1,{n}00.00</div></a>"
        )
    };
    let cards: String = (1..4).map(card).collect();
    check_rows(&format!("{NAV}{cards}"), &expect);
    // The name is no link.
    let card = |n: u32| {
        format!(
            "<li><h3>Lamp {n}</h3>Seller: <a href=/u/v{n}>v{n}</a> <b>$1,{n}00.00</b> <a href=/listing/{n}>View</a></li>"
        )
    };
    let cards: String = (1..4).map(card).collect();
    check_rows(&format!("{NAV}<ul>{cards}</ul>"), &expect);
}

#[test]
fn rows_whose_addresses_have_one_shape_with_those_of_people() {
    let row = |n: u32| {
        format!(
            "<div class=item><a href='/road/item/9f{n}'><img src=x></a><div><a href='/road/item/9f{n}'>Lamp {n}</a></div><div class=price_big>฿{n}.24</div>\
             <div>seller: <a href='/road/user/3c{n}'>otto {n}</a>(99)<br>ships from: Spain</div></div>"
        )
    };
    let rows: String = (1..4).map(row).collect();
    check_rows(
        &format!("<ul><li><a href=/road/categories/lamps>Lamps</a></ul>{rows}"),
        &[["Lamp 1", "otto 1", "1.24 BTC"], ["Lamp 2", "otto 2", "2.24 BTC"], ["Lamp 3", "otto 3", "3.24 BTC"]],
    );
}

#[test]
fn the_word_behind_a_label_is_its_value() {
    let html = "<h1>Lamp</h1><table><tr><td>Price<td>5 EUR<tr><td>Payment<td>Escrow<tr><td>Accepted currencies<td>BTC, XMR</table>\
        <div class=side><a href=/category/1>Lamps</a> 300</div><div class=side><a href=/category/2>Oils</a> 30</div>";
    let fields = of(PageKind::Listing, &content(html)).listing.unwrap();
    assert_eq!(value(fields.escrow.as_ref()).as_deref(), Some("Escrow"));
    assert_eq!(value(fields.payment.as_ref()).unwrap(), ["BTC", "XMR"]);
    assert_eq!(value(fields.category.as_ref()), None);
}

#[test]
fn rows_without_boxes() {
    let row =
        |n: u32| format!("<a href=/item/{n}>Lamp {n}</a><br>seller: <a href=/user/v{n}>v{n}</a><br>฿0.{n}<br><br>");
    let rows: String = (1..5).map(row).collect();
    check_rows(
        &format!("{NAV}<div>{rows}</div>"),
        &[
            ["Lamp 1", "v1", "0.1 BTC"],
            ["Lamp 2", "v2", "0.2 BTC"],
            ["Lamp 3", "v3", "0.3 BTC"],
            ["Lamp 4", "v4", "0.4 BTC"],
        ],
    );
    let heads = "<table><tr><th>Title</th><th>Seller</th><th>Price</th></tr>";
    let row = |n: u32| format!("<tr><td><a href=/p/x{n}>Lamp {n}</a></td><td>v{n}</td><td>{n} EUR</td></tr>");
    let rows: String = (1..4).map(row).collect();
    check_rows(
        &format!("{heads}{rows}</table>"),
        &[["Lamp 1", "v1", "1 EUR"], ["Lamp 2", "v2", "2 EUR"], ["Lamp 3", "v3", "3 EUR"]],
    );
}

#[test]
fn addresses_that_tell_nothing() {
    let row =
        |n: u32| format!("<tr><td><a href=/x/{n}00>Lamp {n}</a><td><a href=/y/otto{n}>otto{n}</a> (4)<td>{n} EUR</tr>");
    let rows: String = (1..4).map(row).collect();
    check_rows(
        &format!("<table>{rows}</table>"),
        &[["Lamp 1", "otto1", "1 EUR"], ["Lamp 2", "otto2", "2 EUR"], ["Lamp 3", "otto3", "3 EUR"]],
    );
    // Shown above for its picture alone, and again in the list: the record with the price counts.
    let rows = format!(
        "<a href=/item/2><img src=x alt=''></a><ul>{}</ul>",
        (1..4).map(|n| format!("<li><a href=/item/{n}>Lamp {n}</a> by v{n} $2</li>")).collect::<String>()
    );
    let found = of(PageKind::Index, &content(&rows)).rows;
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn a_title_without_a_heading() {
    let facts = "<table><tr><td>Price<td>5 EUR<tr><td>Vendor<td>otto</table>";
    let title = |html: &str| value(of(PageKind::Listing, &content(html)).listing.unwrap().title.as_ref());
    assert_eq!(title(&format!("<title>Quay - Brass lamp, old</title><div>Welcome to the quay, friend</div><div>Brass lamp, old</div>{facts}")).as_deref(), Some("Brass lamp, old"));
    assert_eq!(
        title(&format!("<title>Quay</title><a href=/>Quay market and more</a><div>Brass lamp, old</div>{facts}"))
            .as_deref(),
        Some("Brass lamp, old")
    );
    assert_eq!(title(&format!("<title>Quay - Brass lamp, old</title>{facts}")).as_deref(), Some("Brass lamp, old"));
    assert_eq!(title(""), None);
}

#[test]
fn what_is_no_list_of_offers_has_no_rows() {
    let menu: String = (1..9).map(|n| format!("<li><a href=/category/{n}>Lamps {n}</a> ({n})</li>")).collect();
    check_rows(&format!("{NAV}<ul>{menu}</ul><p>No products found. Rates: 5 USD</p>"), &[]);
    check_rows("", &[]);
}

#[test]
fn people() {
    let html = format!(
        "<title>Lamp Harbour - Profile</title>{NAV}<h2><span></span>&nbsp;keeper<span>&nbsp;(1490)</span> <span>LEVEL 2</span></h2><a href=/products/keeper>View listings</a>\
         <div><label>Positive:</label> <b>96.87%</b></div><div><label>Ships From:</label> Spain</div><div><label>Ships To:</label> Worldwide</div>\
         <div><label>Member since:</label> <span>2030-01-02 13:19:58</span></div><table><tr><td>Last online</td><td>Within the last 24 hours</td></tr></table>\
         <pre>-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----</pre>"
    );
    let fields = of(PageKind::Vendor, &content(&html)).vendor.unwrap();
    let found = [
        &fields.name,
        &fields.joined,
        &fields.last_seen,
        &fields.rating,
        &fields.sales,
        &fields.level,
        &fields.ships_from,
    ]
    .map(|field| value(field.as_ref()).unwrap_or_default());
    assert_eq!(
        found,
        ["keeper", "2030-01-02 13:19:58", "Within the last 24 hours", "96.87%", "1490", "LEVEL 2", "Spain"]
    );
    assert!(fields.keys[0].value.ends_with("END PGP PUBLIC KEY BLOCK-----"));
    let name = |heading: &str| {
        value(
            of(PageKind::Vendor, &content(&format!("{NAV}{heading}<p>Joined: 2030-01-02</p>")))
                .vendor
                .unwrap()
                .name
                .as_ref(),
        )
    };
    for heading in [
        "<h1>keeper</h1>",
        "<h1>Vendor profile: keeper</h1>",
        "<h1>keeper's Profile</h1>",
        "<h1>keeper <i>| User Profile</i></h1>",
        "<h1>Profile of keeper</h1>",
    ] {
        assert_eq!(name(heading).as_deref(), Some("keeper"), "{heading}");
    }
}

#[test]
fn posts_of_a_thread() {
    let post = |n: u32| {
        format!(
            "<div class=post id=p{n}><div class=who><img src=x alt=''><br><a href=/user/k{n}>keeper{n}</a><br>2029-01-0{n}</div><div class=said><a href='#p{n}'>#{n}</a> 2031-02-0{n} 12:00\n\
             <blockquote>keeper wrote:<br>Where?</blockquote><p>Mine hangs in the <b>hall</b>.</p><p>And burns.</p><div class=sig>lamps!</div></div></div>"
        )
    };
    let posts: String = (1..4).map(post).collect();
    check_posts(
        &format!("<h1>Where do you hang yours?</h1>{posts}<form><textarea></textarea></form>"),
        &[
            ["keeper1", "2031-02-01 12:00", "Mine hangs in the hall.\nAnd burns."],
            ["keeper2", "2031-02-02 12:00", "Mine hangs in the hall.\nAnd burns."],
            ["keeper3", "2031-02-03 12:00", "Mine hangs in the hall.\nAnd burns."],
        ],
    );
    let post = |n: u32| {
        format!(
            "<article><p>lampier{n} schreef op {n} februari 2031:</p><p>Die van mij hangt in de gang.</p><p>Citeren</p></article>"
        )
    };
    let posts: String = (1..3).map(post).collect();
    let fields = of(PageKind::Thread, &content(&posts)).posts;
    assert_eq!(
        (fields.len(), fields[0].author.as_deref(), fields[0].time.as_deref()),
        (2, Some("lampier1"), Some("1 februari 2031"))
    );
    check_posts("<p>Nothing said.</p>", &[]);
}

#[test]
fn hostile_pages_cost_what_their_length_allows() {
    let labels = "<tr><td>Price:<td>Ships from:</tr>".repeat(20_000);
    let nested =
        format!("{}{}", "<div>".repeat(400), "<a href=/item/1>x</a> 5 USD <a href=/item/2>y</a>".repeat(20_000));
    let prices = "USD 1 ".repeat(100_000);
    let rows: String = (0..20_000).map(|n| format!("<tr><td><a href=/item/{n}>Lamp {n}</a><td>{n} EUR")).collect();
    for html in [labels, nested, prices, format!("<table>{rows}")] {
        let content = content(&html);
        for kind in PageKind::ALL {
            let fields = of(kind, &content);
            assert!(fields.rows.len() <= 1000 && fields.posts.len() <= 1000);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_markup_is_read(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "<a href=/item/1>", "<a href=/item/2>", "<a href=/user/k>", "</a>", "<tr>", "<td>", "<th>", "<table>", "</table>", "<div class=post>", "</div>", "<h1>", "<h2>", "</h1>",
                "<b>", "</b>", "<br>", "<select>", "<option>", "<blockquote>", "Price:", "Price", "Vendor: ", "Sold by ", "Ships from", "Ships to: ", "US → NL, ", "Germany and ", "·", "|",
                "USD 5.00", "0,5 BTC ", "keeper (12) ", "2031-02-03 ", "LEVEL 3", "<img alt='x'>", "é", "😀", "<textarea>", "-----BEGIN PGP PUBLIC KEY BLOCK-----", "Lamp ", "  ", ":", "(", "'s profile",
            ]),
            0..60,
        ),
    ) {
        let content = content(&parts.concat());
        for kind in PageKind::ALL {
            proptest::prop_assert_eq!(of(kind, &content), of(kind, &content));
        }
    }
}
