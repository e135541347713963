use crate::sites::{
    html::{CLOCK, Page, STYLE, TOKEN, TOOK, escape, link},
    market::catalogue::{CATEGORIES, Catalogue, Vendor},
};

/// How many vendors every page names.
const NAMED_VENDORS: usize = 12;

/// A page of the market around its main part. What stands around it does not change with the step, so that a step changes only the pages
/// of what it touches.
pub(super) fn page(catalogue: &Catalogue, title: &str, main: &str) -> Page {
    let title = escape(title);
    let side = side(catalogue);
    Page::utf8(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title} - Lantern Row</title>\n\
         <meta name=\"csrf-token\" content=\"{TOKEN}\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <link rel=\"stylesheet\" href=\"/static/site.css\">\n<style>\n{STYLE}</style>\n\
         <script src=\"/static/site.js\"></script>\n</head>\n<body>\n\
         <div class=\"top\"><img src=\"/img/logo.png\" alt=\"Lantern Row\"> <a href=\"/\">Lantern Row</a> | <a href=\"/vendors\">Vendors</a> | \
         <a href=\"/rules\">Rules</a> | <a href=\"/help\">Help</a> | <a href=\"/fees\">Fees</a> | <a href=\"/contact\">Contact</a> | \
         <a href=\"/canary\">Canary</a>\n\
         <form action=\"/search\" method=\"get\"><input type=\"text\" name=\"q\" placeholder=\"Search listings\"><button>Search</button></form>\n\
         <form action=\"/logout?csrf={TOKEN}\" method=\"post\"><input type=\"hidden\" name=\"csrf\" value=\"{TOKEN}\"><button>Log out</button></form>\n\
         </div>\n<div class=\"wrap\">\n<div class=\"side\">\n{side}</div>\n<div class=\"main\">\n{main}</div>\n</div>\n\
         <div class=\"foot\">Server time: {CLOCK} &middot; Page generated in {TOOK} ms &middot; <a href=\"/rules#escrow\">Escrow</a> &middot; \
         <a href=\"#top\">Top</a></div>\n</body>\n</html>\n"
    ))
}

fn side(catalogue: &Catalogue) -> String {
    let mut html = String::from("<h3>Categories</h3>\n<ul>\n");
    for category in CATEGORIES {
        html.push_str(&format!("<li><a href=\"/category/{}\">{}</a></li>\n", category.slug, category.title));
    }
    html.push_str("</ul>\n<h3>Trusted vendors</h3>\n<ul>\n");
    for vendor in catalogue.vendors.iter().take(NAMED_VENDORS) {
        html.push_str(&format!("<li>{} (level {})</li>\n", vendor_link(vendor), vendor.level));
    }
    html.push_str(
        "</ul>\n<h3>Exchange rates</h3>\n<table>\n<tr><td>1 BTC</td><td>50000.00 EUR</td></tr>\n<tr><td>1 XMR</td><td>140.00 EUR</td></tr>\n\
         <tr><td>1 USD</td><td>0.93 EUR</td></tr>\n</table>\n<h3>Stay safe</h3>\n<p>Only trust addresses that are signed with the key of this \
         market. Nobody of the staff will ever ask for your pass phrase or your mnemonic.</p>\n",
    );
    html
}

/// A link to a vendor.
pub(super) fn vendor_link(vendor: &Vendor) -> String {
    link(&format!("/vendor/{}", vendor.name), &vendor.name)
}
