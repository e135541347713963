use model::{Digest, Link, Uri};
use sha2::{Digest as _, Sha256};

use crate::noise;

/// Version of the rule that says what counts as a change. Digests under different rules do not compare.
///
/// Rule 1: title and text, block by block, without clocks, ages, counters and tokens; then the targets of the links in order, without parameters
/// that are tokens, and without the host where it is the page's own, so that mirrors compare equal.
///
/// Rule 2: what a visitor does not see counts for nothing, neither text nor links. Tokens and traps against robots hide there, new on each load.
pub const DIGEST_RULE: u32 = 2;

/// Parts what belongs to different fields; occurs in no text.
const BORDER: &[u8] = b"\0";

/// The digest of a page's content.
pub(crate) fn of_content<'a>(page: &Uri, title: &str, text: &str, links: impl Iterator<Item = &'a Link>) -> Digest {
    let mut hash = Sha256::new();
    for part in [title, text] {
        noise::masked(part, |part| hash.update(part));
        hash.update(BORDER);
    }
    for link in links {
        for_each_part(page, &link.uri, |part| hash.update(part));
        hash.update(BORDER);
    }
    Digest::from_bytes(hash.finalize().into())
}

/// Where a link of `page` leads as far as the rule looks: equal for targets that differ in noise only.
pub fn target_without_noise(page: &Uri, target: &Uri) -> String {
    let mut text = String::with_capacity(target.as_str().len());
    for_each_part(page, target, |part| text.push_str(part));
    text
}

fn for_each_part(page: &Uri, target: &Uri, mut each: impl FnMut(&str)) {
    if target.authority() != page.authority() {
        each(&target.authority());
    }
    each(target.path());
    for pair in target.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        each("&");
        each(name);
        each("=");
        each(if noise::is_noisy_parameter(name, value) { noise::MASK } else { value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(host: &str, text: &str, hrefs: &[&str]) -> Digest {
        let page: Uri = format!("http://{host}/x").parse().unwrap();
        let links: Vec<Link> =
            hrefs.iter().map(|href| Link { uri: page.join(href).unwrap(), anchor: String::new(), rel: None }).collect();
        of_content(&page, "Title", text, links.iter())
    }

    #[test]
    fn noise_is_no_change_and_a_price_is() {
        let first =
            digest("a.example.com", "Price: 10 EUR\nServer time: 2031-02-03 14:05:06 UTC", &["/p?id=1&csrf=abc"]);
        assert_eq!(
            first,
            digest("a.example.com", "Price: 10 EUR\nServer time: 2031-02-04 01:00:00 UTC", &["/p?id=1&csrf=xyz"])
        );
        assert_ne!(
            first,
            digest("a.example.com", "Price: 11 EUR\nServer time: 2031-02-03 14:05:06 UTC", &["/p?id=1&csrf=abc"])
        );
        assert_ne!(
            first,
            digest("a.example.com", "Price: 10 EUR\nServer time: 2031-02-03 14:05:06 UTC", &["/p?id=2&csrf=abc"])
        );
    }

    #[test]
    fn a_mirror_has_the_same_content() {
        assert_eq!(digest("a.example.com", "x", &["/p"]), digest("b.example.com", "x", &["/p"]));
        assert_ne!(digest("a.example.com", "x", &["http://c.example.com/p"]), digest("a.example.com", "x", &["/p"]));
    }

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(digest("a.example.com", "x", &["/p", "/q"]), digest("a.example.com", "x", &["/p/q"]));
    }
}
