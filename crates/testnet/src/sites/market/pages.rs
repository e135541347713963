use crate::sites::{
    book::Pages,
    chance::Chance,
    handle,
    html::{TOKEN, escape, link, paged, pager, paragraphs},
    market::{
        catalogue::{CATEGORIES, Catalogue, Offer, Review, Vendor},
        shell::{page, vendor_link},
    },
    pgp, prose,
};

const OFFERS_PER_PAGE: usize = 10;
const REVIEWS_PER_PAGE: usize = 20;
/// How many of the youngest offers the front page shows.
const NEWEST: usize = 12;

/// Every page of the market at a step.
pub(super) fn write(catalogue: &Catalogue, step: u32) -> Pages {
    let newcomers = catalogue.newcomers(step);
    let offers = catalogue.offers(&newcomers, step);
    let mut pages = Pages::new();
    pages.insert("/".to_owned(), page(catalogue, "Front page", &front(catalogue, &offers)));
    pages.insert("/vendors".to_owned(), page(catalogue, "Vendors", &vendors(catalogue)));
    write_house_pages(catalogue, &mut pages);
    write_categories(catalogue, &offers, &mut pages);
    for offer in &offers {
        pages.insert(path_of(offer), page(catalogue, &offer.listing.title, &listing(catalogue, offer)));
    }
    for (number, vendor) in catalogue.vendors.iter().enumerate() {
        let theirs: Vec<&Offer<'_>> = offers.iter().filter(|offer| offer.listing.vendor == number).collect();
        write_vendor(catalogue, vendor, &theirs, &mut pages);
    }
    pages
}

fn path_of(offer: &Offer<'_>) -> String {
    format!("/listing/{}", offer.listing.slug)
}

fn front(catalogue: &Catalogue, offers: &[Offer<'_>]) -> String {
    let mut html = String::from("<h1>Welcome to Lantern Row</h1>\n");
    html.push_str(&paragraphs(&prose::rules(&mut Chance::of(catalogue.seed, "front", 0), 8)));
    html.push_str("<h2>New on the market</h2>\n");
    for offer in offers.iter().rev().take(NEWEST) {
        html.push_str(&card(catalogue, offer));
    }
    html
}

fn write_house_pages(catalogue: &Catalogue, pages: &mut Pages) {
    let titles =
        [("/rules", "Rules"), ("/help", "Help"), ("/fees", "Fees"), ("/canary", "Canary"), ("/contact", "Contact")];
    for ((path, title), number) in titles.into_iter().zip(1..) {
        let chance = &mut Chance::of(catalogue.seed, "house", number);
        let mut html = format!("<h1>{title}</h1>\n<a name=\"escrow\"></a>\n{}", paragraphs(&prose::rules(chance, 40)));
        if path == "/contact" {
            html.push_str(&format!("<p>Staff: {}</p>\n", escape(&handle::contact(chance, "lanternrow"))));
        }
        let key =
            pgp::public_key_block(&mut Chance::of(catalogue.seed, "market key", 0), "Lantern Row <staff@post.example>");
        html.push_str(&format!("<h2>Key of this market</h2>\n<pre>{key}</pre>\n"));
        pages.insert(path.to_owned(), page(catalogue, title, &html));
    }
}

fn write_categories(catalogue: &Catalogue, offers: &[Offer<'_>], pages: &mut Pages) {
    for (number, category) in CATEGORIES.iter().enumerate() {
        let path = format!("/category/{}", category.slug);
        let inside: Vec<&Offer<'_>> = offers.iter().filter(|offer| offer.listing.category == number).collect();
        // An empty category still has its first page.
        let count = inside.len().div_ceil(OFFERS_PER_PAGE).max(1);
        for at in 1..=count {
            let mut html =
                format!("<h1>{}</h1>\n<p>{} listings, page {at} of {count}</p>\n", category.title, inside.len());
            for offer in inside.iter().skip((at - 1) * OFFERS_PER_PAGE).take(OFFERS_PER_PAGE) {
                html.push_str(&card(catalogue, offer));
            }
            html.push_str(&pager(&path, at, count, "Previous", "Next"));
            pages.insert(paged(&path, at), page(catalogue, category.title, &html));
        }
    }
}

/// A listing in a list.
fn card(catalogue: &Catalogue, offer: &Offer<'_>) -> String {
    let listing = offer.listing;
    let teaser: Vec<String> = listing.text.iter().take(3).cloned().collect();
    format!(
        "<div class=\"card\"><img src=\"/img/{}.png\" alt=\"\"><div>\n<h2>{}</h2>\n<div>Price: <span class=\"price\">{}</span> &middot; \
         Vendor: {} &middot; Ships from: {} &middot; Ships to: {} &middot; In stock: {}</div>\n<p>{}</p>\n</div></div>\n",
        listing.number,
        link(&path_of(offer), &listing.title),
        listing.currency.price(offer.price),
        catalogue.vendors.get(listing.vendor).map(vendor_link).unwrap_or_default(),
        listing.from,
        listing.to,
        offer.stock,
        escape(&teaser.join(" ")),
    )
}

fn listing(catalogue: &Catalogue, offer: &Offer<'_>) -> String {
    let listing = offer.listing;
    let Some(vendor) = catalogue.vendors.get(listing.vendor) else { return String::new() };
    let category = CATEGORIES.get(listing.category);
    let crumb = category
        .map(|category| format!("<a href=\"/category/{}\">{}</a>", category.slug, category.title))
        .unwrap_or_default();
    let mut html = format!(
        "<p class=\"crumbs\"><a href=\"/\">Lantern Row</a> &raquo; {crumb}</p>\n<h1 class=\"listing-title\">{}</h1>\n\
         <img src=\"/img/{}-large.png\" alt=\"\" width=\"300\" height=\"300\">\n<table class=\"facts\">\n\
         <tr><th>Price</th><td class=\"price\">{}</td></tr>\n<tr><th>Vendor</th><td class=\"vendor\">{}</td></tr>\n\
         <tr><th>Ships from</th><td>{}</td></tr>\n<tr><th>Ships to</th><td>{}</td></tr>\n<tr><th>In stock</th><td>{}</td></tr>\n\
         <tr><th>Payment</th><td>Escrow</td></tr>\n</table>\n",
        escape(&listing.title),
        listing.number,
        listing.currency.price(offer.price),
        vendor_link(vendor),
        listing.from,
        listing.to,
        offer.stock,
    );
    html.push_str(&format!(
        "<form action=\"/order\" method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{TOKEN}\"><input type=\"hidden\" name=\"listing\" \
         value=\"{}\"><input type=\"number\" name=\"amount\" value=\"1\"><button>Order</button></form>\n",
        listing.number
    ));
    html.push_str(&format!(
        "<h2>Description</h2>\n{}<h2>Terms of the vendor</h2>\n{}",
        paragraphs(&listing.text),
        paragraphs(&vendor.terms)
    ));
    html.push_str(&format!("<h2 id=\"feedback\">Feedback</h2>\n{}", review_table(&listing.reviews)));
    html.push_str(&format!(
        "<p>More: <a href=\"/vendor/{}/feedback\">all feedback of this vendor</a></p>\n<form action=\"/report?csrf={TOKEN}\" method=\"post\">\
         <button>Report this listing</button></form>\n",
        vendor.name
    ));
    html
}

fn vendors(catalogue: &Catalogue) -> String {
    let mut html = String::from(
        "<h1>Vendors</h1>\n<table>\n<tr><th>Name</th><th>Level</th><th>Since</th><th>Country</th><th>About</th></tr>\n",
    );
    for vendor in &catalogue.vendors {
        let about: Vec<String> = vendor.about.iter().take(2).cloned().collect();
        html.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            vendor_link(vendor),
            vendor.level,
            vendor.since,
            vendor.country,
            escape(&about.join(" "))
        ));
    }
    html.push_str("</table>\n");
    html
}

fn write_vendor(catalogue: &Catalogue, vendor: &Vendor, offers: &[&Offer<'_>], pages: &mut Pages) {
    let path = format!("/vendor/{}", vendor.name);
    let name = &vendor.name;
    pages.insert(path.clone(), page(catalogue, &format!("Vendor {name}"), &profile(vendor, offers)));

    let key = format!(
        "<h1>Public key of {}</h1>\n<pre class=\"pgp\">{}</pre>\n<h2>Before you write</h2>\n{}",
        vendor_link(vendor),
        vendor.key,
        paragraphs(&vendor.terms)
    );
    pages.insert(format!("{path}/pgp"), page(catalogue, &format!("Key of {name}"), &key));

    let feedback = format!("{path}/feedback");
    let count = vendor.reviews.len().div_ceil(REVIEWS_PER_PAGE).max(1);
    for at in 1..=count {
        let from = (at - 1) * REVIEWS_PER_PAGE;
        let part = vendor.reviews.get(from..vendor.reviews.len().min(from + REVIEWS_PER_PAGE)).unwrap_or_default();
        let mut html = format!("<h1>Feedback for {}</h1>\n{}", vendor_link(vendor), review_table(part));
        html.push_str(&pager(&feedback, at, count, "Previous", "Next"));
        pages.insert(paged(&feedback, at), page(catalogue, &format!("Feedback for {name}"), &html));
    }
}

fn profile(vendor: &Vendor, offers: &[&Offer<'_>]) -> String {
    let name = &vendor.name;
    let mut html = format!(
        "<h1>{name}</h1>\n<table class=\"facts\">\n<tr><th>Level</th><td>{}</td></tr>\n<tr><th>Member since</th><td>{}</td></tr>\n\
         <tr><th>Ships from</th><td>{}</td></tr>\n<tr><th>Feedback</th><td><a href=\"/vendor/{name}/feedback\">{} reviews</a></td></tr>\n",
        vendor.level,
        vendor.since,
        vendor.country,
        vendor.reviews.len()
    );
    for (coin, address) in &vendor.wallets {
        html.push_str(&format!("<tr><th>{coin} address</th><td><code>{address}</code></td></tr>\n"));
    }
    for contact in &vendor.contacts {
        html.push_str(&format!("<tr><th>Contact</th><td>{}</td></tr>\n", escape(contact)));
    }
    html.push_str(&format!(
        "</table>\n<h2>About</h2>\n{}<h2>Terms</h2>\n{}",
        paragraphs(&vendor.about),
        paragraphs(&vendor.terms)
    ));
    html.push_str("<h2>Listings</h2>\n<table>\n<tr><th>Title</th><th>Price</th><th>In stock</th></tr>\n");
    for offer in offers {
        html.push_str(&format!(
            "<tr><td><a href=\"../listing/{}\">{}</a></td><td class=\"price\">{}</td><td>{}</td></tr>\n",
            offer.listing.slug,
            escape(&offer.listing.title),
            offer.listing.currency.price(offer.price),
            offer.stock
        ));
    }
    html.push_str(&format!(
        "</table>\n<h2>Public key</h2>\n<p><a href=\"/vendor/{name}/pgp\">On a page of its own</a></p>\n<pre class=\"pgp\">{}</pre>\n\
         <form action=\"/message\" method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{TOKEN}\"><textarea name=\"text\"></textarea>\
         <button>Send</button></form>\n",
        vendor.key
    ));
    html
}

fn review_table(reviews: &[Review]) -> String {
    let mut html = String::from(
        "<table class=\"feedback\">\n<tr><th>Date</th><th>Buyer</th><th>Stars</th><th>Comment</th></tr>\n",
    );
    for review in reviews {
        html.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{} of 5</td><td>{}</td></tr>\n",
            review.date,
            review.buyer,
            review.stars,
            escape(&review.text)
        ));
    }
    html.push_str("</table>\n");
    html
}
