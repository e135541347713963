//! A site of pages of 20 KB that are cheap to serve and take some reading.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use axum::{Router, extract::Path, response::Html, routing::get};
use tokio::{net::TcpListener, task::JoinSet};

/// The usual length of a page in bytes, roughly.
pub(crate) const LENGTH: usize = 20_000;

/// Links to further pages on each page.
pub(crate) const LINKS: usize = 20;

/// Words that prose is made of.
const WORDS: [&str; 16] = [
    "harbour", "mixture", "parcel", "silver", "lantern", "window", "quiet", "ferry", "amber", "winter", "ledger",
    "copper", "garden", "north", "paper", "river",
];

/// A site of this many pages, all reachable from `/`.
pub(crate) async fn serve(pages: usize, tasks: &mut JoinSet<()>) -> anyhow::Result<SocketAddr> {
    let rendered: Arc<Vec<String>> = Arc::new((0..pages).map(|number| page(number, pages, LENGTH)).collect());
    let all = Arc::clone(&rendered);
    let by_number = move |Path(number): Path<usize>| {
        let body = all.get(number).cloned();
        async move { body.map(Html).ok_or(axum::http::StatusCode::NOT_FOUND) }
    };
    let front = rendered.first().cloned().unwrap_or_default();
    let router = Router::new().route("/", get(move || async move { Html(front) })).route("/p/{number}", get(by_number));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("the site ended: {error}");
        }
    });
    Ok(address)
}

/// A page, `length` bytes long or a little more, with links to those of its children that are among the first `pages`.
pub(crate) fn page(number: usize, pages: usize, length: usize) -> String {
    let mut html = format!(
        "<!doctype html><html><head><meta charset=utf-8><title>Page {number}</title></head><body><h1>Page {number}</h1><ul>"
    );
    for next in (number * LINKS + 1..=number * LINKS + LINKS).filter(|next| *next < pages) {
        let _ = write!(html, "<li><a href=\"/p/{next}\">Item {next}</a> <b>{}.50 EUR</b></li>", next % 90 + 10);
    }
    html.push_str("</ul>");
    let mut word = number;
    while html.len() < length {
        html.push_str("<p class=\"text\">");
        for _ in 0..40 {
            word = (word * 31 + 7) % 100_003;
            html.push_str(WORDS[word % WORDS.len()]);
            html.push(' ');
        }
        html.push_str("</p>\n");
    }
    html.push_str("</body></html>");
    html
}
