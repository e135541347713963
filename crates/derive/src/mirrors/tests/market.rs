//! A market, invented from its name.

use model::{
    Capture, ClockSource, Digest, Document, Grade, Isolation, Observable, ObservableKind, OnionAddress, Outcome, Seq,
    TargetId, Timestamp, Uri,
};

const TARGET: TargetId = TargetId::from_u64(7);

/// The address of the target's seed.
pub(super) const WATCHED: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

/// An address of its own for each number.
pub(super) fn address(number: u8) -> String {
    OnionAddress::from_public_key([number; 32]).to_string()
}

/// What tells one market from another, and a clone from what it copies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Market<'a> {
    pub(super) name: &'a str,
    /// Whose goods are offered.
    pub(super) shared_goods: &'a str,
    pub(super) vendors: [&'a str; 4],
    /// Whose sellers' keys are shown.
    pub(super) vendor_keys: &'a str,
    pub(super) key: &'a str,
    pub(super) wallets: &'a str,
    /// What each price is raised by.
    pub(super) price: u32,
}

impl<'a> Market<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        let vendors = if name == "Lantern Row" {
            ["ploverling", "red_hen", "greyheron", "nightjar"]
        } else {
            ["goldfinch", "dunnock", "owlet", "magpie"]
        };
        Self { name, shared_goods: name, vendors, vendor_keys: name, key: "pgp~market", wallets: "wallet", price: 0 }
    }

    /// Every page by its path, as HTML.
    pub(super) fn pages(&self, host: &str) -> Vec<(String, String)> {
        let mut pages = vec![
            (
                "/".to_owned(),
                self.page("Front page", &format!("<h1>Welcome</h1><p>{}<p>{}", words(self.name, 60), self.key)),
            ),
            // The software brings it along.
            (
                "/rules".to_owned(),
                self.page("Rules", &format!("<h1>Rules</h1><p>{}", words("rules of the software", 90))),
            ),
            (
                "/about".to_owned(),
                self.page(
                    "About",
                    &format!("<h1>About</h1><p>{}<p>This is {host}", words(&format!("about {}", self.name), 60)),
                ),
            ),
        ];
        for number in 0..8 {
            pages.push((format!("/listing/{number}"), self.listing(number)));
        }
        for (number, vendor) in self.vendors.iter().enumerate() {
            pages.push((format!("/vendor/{vendor}"), self.vendor(number, vendor)));
        }
        pages
    }

    fn page(&self, title: &str, main: &str) -> String {
        format!(
            "<!DOCTYPE html><html lang=en><head><title>{title} - {}</title></head><body><div><a href=/>Home</a> <a href=/vendors>Vendors</a> \
             <a href=/rules>Rules</a> <a href=/help>Help</a></div><div class=main>{main}</div><p>Only trust addresses that are signed with the key \
             of this market.<div>Server time: 2031-02-03 14:05:06 UTC</div></body></html>",
            self.name
        )
    }

    fn listing(&self, number: usize) -> String {
        let goods = format!("{} {number}", self.shared_goods);
        let title = format!("{} lot {}", words(&goods, 3), 100 + number);
        let price = u32::try_from(number).unwrap() + 100 + self.price;
        let vendor = self.vendors[number % 4];
        let main = format!(
            "<h1>{title}</h1><table><tr><th>Price</th><td>{price}.00 EUR</td></tr><tr><th>Vendor</th><td><a href='/vendor/{vendor}'>{vendor}</a></td></tr>\
             <tr><th>Ships from</th><td>Netherlands</td></tr><tr><th>Ships to</th><td>Worldwide</td></tr><tr><th>In stock</th><td>17</td></tr></table>\
             <form action=/order method=post><button>Order</button></form><h2>Description</h2><p>{}",
            words(&goods, 80)
        );
        self.page(&title, &main)
    }

    fn vendor(&self, number: usize, vendor: &str) -> String {
        let main = format!(
            "<h1>{vendor}</h1><table><tr><th>Level</th><td>3</td></tr><tr><th>Member since</th><td>2028-03-01</td></tr>\
             <tr><th>Last seen</th><td>2031-01-01</td></tr><tr><th>Ships from</th><td>Netherlands</td></tr>\
             <tr><th>Feedback</th><td><a href='/vendor/{vendor}/feedback'>31 reviews</a></td></tr></table><h2>About</h2><p>{}\
             <h2>Pay to</h2><p>btc~{}-{number}<h2>Keys</h2><p>pgp~{}~{number} <p>{}",
            words(&format!("vendor {number} of {}", self.name), 80),
            self.wallets,
            self.vendor_keys.replace(' ', "_"),
            self.key,
        );
        self.page(&format!("Vendor {vendor}"), &main)
    }
}

/// So many invented words, the same for the same seed.
pub(super) fn words(seed: &str, count: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "lo", "mir", "ten", "ku", "ves", "ra", "pin", "dol", "se", "gar", "ni", "fo", "hul", "ze", "tam"];
    let digest = Digest::of(seed.as_bytes());
    let mut state = u64::from_be_bytes(*digest.as_bytes().first_chunk().unwrap());
    let mut words = Vec::new();
    for _ in 0..count {
        let mut word = String::new();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            word.push_str(SYLLABLES[usize::try_from(state >> 60).unwrap()]);
        }
        words.push(word);
    }
    words.join(" ")
}

/// The document of a page. Words such as `pgp~x` and `btc~x` stand for keys and wallets, which are verified.
pub(super) fn document(uri: &Uri, html: &str) -> Document {
    let page = extract::Page {
        uri,
        status: 200,
        content_type: Some(b"text/html; charset=utf-8"),
        content_encoding: None,
        refresh: None,
        payload: html.as_bytes(),
    };
    let (mut document, problems) = extract::document(&page, &extract::Limits::default());
    assert_eq!(problems, []);
    for (prefix, kind) in [("pgp~", ObservableKind::PgpFingerprint), ("btc~", ObservableKind::Btc)] {
        for (at, _) in document.text.match_indices(prefix) {
            let value = document.text[at..].split_whitespace().next().unwrap().to_owned();
            let range = u32::try_from(at).unwrap()..u32::try_from(at + value.len()).unwrap();
            document.observables.push(Observable { kind, grade: Grade::Verified, value, at: range, key: None });
        }
    }
    document
}

pub(super) fn capture(uri: &Uri, seq: Seq) -> Capture {
    let now = Timestamp::from_micros(i64::try_from(seq.0).unwrap() * 1_000_000);
    let nothing = Digest::of(b"");
    Capture {
        seq,
        target: TARGET,
        decision: 1,
        uri: uri.clone(),
        started_at: now,
        first_byte_at: None,
        ended_at: now,
        clock: ClockSource::Manual,
        outcome: Outcome::Ok,
        detail: None,
        status: Some(200),
        isolation: Isolation { target: TARGET, epoch: 0 },
        reused_connection: false,
        tls: None,
        request: Vec::new(),
        secrets: Vec::new(),
        response_head: Vec::new(),
        block_digest: nothing,
        block_len: 0,
        payload_digest: nothing,
        payload_len: 0,
        framing: None,
        truncation: None,
        redirect_to: None,
        via: None,
        hops: 0,
        software: nothing,
        configuration: nothing,
    }
}

/// What somebody proposes who wants a service watched, and further hosts with it.
pub(super) fn proposal(host: &str, hosts: Vec<String>) -> store::NewProposal {
    let terms = model::Terms {
        seeds: vec![format!("http://{host}/").parse().unwrap()],
        scope: model::Scope { hosts, ..model::Scope::default() },
        pace: model::Pace::default(),
        grounds: "g".into(),
        expected_value: "e".into(),
        legal_basis: "l".into(),
        necessity: "n".into(),
        proportionality: "p".into(),
        reliability: model::Reliability::default(),
        credibility: model::Credibility::default(),
        media: model::MediaPolicy::default(),
        robots: model::RobotsPolicy::default(),
        allows_exit: false,
        allows_proof_of_work: false,
        allows_conditional_requests: false,
        retention_days: None,
        review_at: Timestamp::from_micros(9),
        ends_at: Timestamp::from_micros(9),
    };
    let at = Timestamp::from_micros(1);
    store::NewProposal { matter: model::Matter::Crawl(Box::new(terms)), found_in: None, at }
}
