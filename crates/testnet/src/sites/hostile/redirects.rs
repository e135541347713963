use crate::sites::{
    chance::Chance,
    handle,
    hostile::{
        case::{Case, Request},
        script::{Script, page},
    },
};

/// Redirects by status and `Location`.
pub(super) const CASES: &[Case] = &[
    Case::new("/redirect/inside", "to a page of the same site", |_| Script::redirect("/landing/redirect-inside")),
    Case::new("/redirect/relative", "to a relative reference with dot segments", |_| {
        Script::redirect(".././landing/redirect-relative#part")
    }),
    Case::new("/redirect/permanent", "308 to a page of the same site", |_| {
        Script::status("308 Permanent Redirect", &[("Location", "/landing/redirect-permanent")], "")
    }),
    Case::new("/redirect/loop", "to a page that leads back here", |_| Script::redirect("/redirect/loop/back")),
    Case::new("/redirect/loop/back", "the other half of the circle", |_| Script::redirect("/redirect/loop")).unlinked(),
    Case::new("/redirect/self", "to itself", |_| Script::redirect("/redirect/self")),
    Case::new("/redirect/chain", "a chain that grows with every step", longer_chain).with_tree("/redirect/chain/"),
    Case::new("/redirect/clear-net", "to the clear net", |_| Script::redirect("http://www.clear-net.example/landing")),
    Case::new("/redirect/clear-net-tls", "to the clear net by https", |_| {
        Script::redirect("https://www.clear-net.example/landing")
    }),
    Case::new("/redirect/clear-net-short", "to the clear net by a reference without a scheme", |_| {
        Script::redirect("//www.clear-net.example/")
    }),
    Case::new("/redirect/loopback", "to 127.0.0.1", |_| Script::redirect("http://127.0.0.1/")),
    Case::new("/redirect/loopback-number", "to 127.0.0.1 written as one number", |_| {
        Script::redirect("http://2130706433/")
    }),
    Case::new("/redirect/loopback-six", "to the loopback address of IPv6", |_| Script::redirect("http://[::1]/")),
    Case::new("/redirect/localhost", "to localhost", |_| Script::redirect("http://localhost/")),
    Case::new("/redirect/private", "to a private address", |_| Script::redirect("http://192.168.0.1/admin")),
    Case::new("/redirect/other-onion", "to an onion service out of scope", |_| {
        Script::redirect(&format!("http://{}/", other_onion()))
    }),
    Case::new("/redirect/broken-onion", "to an onion address whose checksum is wrong", |_| {
        Script::redirect(&format!("http://{}/", broken_onion()))
    }),
    Case::new("/redirect/script", "to a javascript: URI", |_| Script::redirect("javascript:alert(1)")),
    Case::new("/redirect/file", "to a file: URI", |_| Script::redirect("file:///etc/passwd")),
    Case::new("/redirect/credentials", "to this site with a name and a password", |request: &Request| {
        Script::redirect(&format!("http://user:secret@{}/landing/redirect-credentials", request.host))
    }),
    Case::new("/redirect/nowhere", "302 without Location", |_| {
        Script::status("302 Found", &[], page("Moved", "<p>Somewhere.</p>"))
    }),
    Case::new("/redirect/two-ways", "302 with two different Locations", |_| {
        let fields = [("Location", "/landing/redirect-first"), ("Location", "/landing/redirect-second")];
        Script::status("302 Found", &fields, page("Moved", "<p>Here or there.</p>"))
    }),
    Case::new("/redirect/long", "to a reference of 100,000 bytes", |_| {
        Script::redirect(&format!("/landing/{}", "x".repeat(100_000)))
    }),
    Case::new("/redirect/https", "to the same host by https", |request: &Request| {
        Script::redirect(&format!("https://{}/landing/redirect-https", request.host))
    })
    .unlinked(),
];

/// Redirects by the `Refresh` header and by `meta http-equiv=refresh`.
pub(super) const REFRESHES: &[Case] = &[
    Case::new("/refresh/header", "Refresh header, at once", |_| header("0; url=/landing/refresh-header")),
    Case::new("/refresh/header-delayed", "Refresh header, after 5 seconds", |_| {
        header("5; url=/landing/refresh-header-delayed")
    }),
    Case::new("/refresh/header-day", "Refresh header, after a day", |_| {
        header("86400; url=/landing/refresh-header-day")
    }),
    Case::new("/refresh/header-odd", "Refresh header with quotes, spaces and odd case", |_| {
        header("0 ; URL = '/landing/refresh-header-odd'")
    }),
    Case::new("/refresh/header-comma", "Refresh header with a comma", |_| {
        header("0,url=/landing/refresh-header-comma")
    }),
    Case::new("/refresh/header-clear-net", "Refresh header to the clear net", |_| {
        header("0; url=http://www.clear-net.example/")
    }),
    Case::new("/refresh/header-loopback", "Refresh header to 127.0.0.1", |_| header("0; url=http://127.0.0.1/")),
    Case::new("/refresh/header-self", "Refresh header to itself", |_| header("0; url=/refresh/header-self")),
    Case::new("/refresh/header-garbage", "Refresh header that says nothing", |_| header("soon; maybe")),
    Case::new("/refresh/meta", "meta refresh, at once", |_| meta("0; url=/landing/refresh-meta")),
    Case::new("/refresh/meta-delayed", "meta refresh, after 5 seconds", |_| {
        meta("5;URL=/landing/refresh-meta-delayed")
    }),
    Case::new("/refresh/meta-day", "meta refresh, after a day", |_| meta("86400; url=/landing/refresh-meta-day")),
    Case::new("/refresh/meta-clear-net", "meta refresh to the clear net", |_| {
        meta("0; url=http://www.clear-net.example/")
    }),
    Case::new("/refresh/meta-loopback", "meta refresh to 127.0.0.1", |_| meta("0; url=http://127.0.0.1/")),
    Case::new("/refresh/meta-reload", "meta refresh that reloads the page each second", |_| meta("1")),
    Case::new("/refresh/meta-script", "meta refresh to a javascript: URI", |_| meta("0; url=javascript:alert(1)")),
];

fn header(value: &str) -> Script {
    Script::status("200 OK", &[("Refresh", value)], page("Refresh", "<p>You are being sent on.</p>"))
}

fn meta(content: &str) -> Script {
    let head = format!("<meta http-equiv=\"refresh\" content=\"{content}\">");
    Script::html(page("Refresh", "<p>You are being sent on.</p>").replacen("<title>", &format!("{head}<title>"), 1))
}

/// `/redirect/chain/7` leads to `/redirect/chain/8`.
fn longer_chain(request: &Request) -> Script {
    let at: u64 = request.path.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    Script::redirect(&format!("/redirect/chain/{}", at.saturating_add(1)))
}

fn other_onion() -> String {
    handle::onion(&mut Chance::of(0, "another service", 0))
}

fn broken_onion() -> String {
    // The first letter belongs to the key, so that only the checksum no longer fits.
    let onion = other_onion();
    let first = if onion.starts_with('a') { 'b' } else { 'a' };
    format!("{first}{}", onion.get(1..).unwrap_or_default())
}
