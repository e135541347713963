use crate::sites::hostile::{
    case::{Case, Request},
    script::{Script, page},
};

/// Everything that makes a browser look up a name or open a connection by itself, to where nobody should be led.
pub(super) const CASES: &[Case] = &[
    Case::new("/tempt/hints", "link elements that make a browser resolve, connect and fetch ahead", |_| {
        in_head("Hints", &hints())
    }),
    Case::new("/tempt/hints-header", "the same as Link fields", |_| {
        let links: Vec<String> = HINTS.iter().map(|rel| format!("<{}>; rel={rel}", target(rel))).collect();
        let fields: Vec<(&str, &str)> = links.iter().map(|link| ("Link", link.as_str())).collect();
        Script::status("200 OK", &fields, page("Hints", "<p>The head of this answer knows where to go.</p>"))
    }),
    Case::new("/tempt/early-hints", "the same before the answer itself", |_| {
        let links: String = HINTS.iter().map(|rel| format!("Link: <{}>; rel={rel}\r\n", target(rel))).collect();
        let body = page("Early hints", "<p>Too late, you are there already.</p>");
        Script::raw(format!("HTTP/1.1 103 Early Hints\r\n{links}\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"))
            .and_bytes(format!("Content-Length: {}\r\n\r\n{body}", body.len()))
    }),
    Case::new("/tempt/parts", "images, styles, scripts, frames, fonts, sound and film on the clear net", |_| {
        Script::html(page("Parts", PARTS))
    }),
    Case::new("/tempt/places", "links and forms to addresses, local names and metadata services", |_| {
        Script::html(page("Places", &anchors(PLACES.iter().map(|place| (*place).to_owned()))))
    }),
    Case::new("/tempt/look-alikes", "links to hosts that look like this one", |request: &Request| {
        Script::html(page("Look-alikes", &anchors(look_alikes(&request.host).into_iter())))
    }),
    Case::new("/tempt/base-short", "base without a scheme that points to another host", |_| {
        in_head("Base", "<base href=\"//base.clear-net.example/\">")
    }),
    Case::new("/tempt/base-loopback", "base that points to 127.0.0.1", |_| {
        in_head("Base", "<base href=\"http://127.0.0.1/\">")
    }),
    Case::new("/tempt/base-look-alike", "base that points to a host that looks like this one", |request: &Request| {
        in_head("Base", &format!("<base href=\"http://{}.clear-net.example/\">", request.host))
    }),
    Case::new("/tempt/content-location", "Content-Location on the clear net, and relative links", |_| {
        let fields = [("Content-Location", "http://location.clear-net.example/page")];
        Script::status("200 OK", &fields, page("Location", "<a href=\"landing/content-location\">relative</a>"))
    }),
    Case::new(
        "/tempt/services",
        "Alt-Svc, HSTS and upgrades that lead to other hosts and ports",
        |request: &Request| {
            let own = format!("h2=\"{}:8443\"; ma=86400, h3=\":443\"; persist=1", request.host);
            let fields = [
                ("Alt-Svc", own.as_str()),
                ("Alt-Svc", "h3=\"services.clear-net.example:443\"; ma=86400, h2=\"127.0.0.1:443\""),
                ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
                ("Content-Security-Policy", "upgrade-insecure-requests"),
                ("Upgrade", "h2c, TLS/1.2"),
            ];
            Script::status("200 OK", &fields, page("Services", "<p>Better served elsewhere.</p>"))
        },
    ),
    Case::new("/tempt/reports", "fields that make a browser report and load in the background", |_| {
        let fields = [
            ("Reporting-Endpoints", "default=\"https://reports.clear-net.example/\""),
            ("SourceMap", "http://map.clear-net.example/site.map"),
            ("Speculation-Rules", "\"http://rules.clear-net.example/rules.json\""),
            ("Service-Worker-Allowed", "/"),
            ("X-DNS-Prefetch-Control", "on"),
            ("Proxy-Authenticate", "Basic realm=\"wpad\""),
        ];
        Script::status("200 OK", &fields, page("Reports", "<p>Tell them that you were here.</p>"))
    }),
];

/// Redirects to hosts that look like this one, or like none at all.
pub(super) const REDIRECTS: &[Case] = &[
    Case::new(
        "/tempt/to-suffix",
        "to the clear net under a name that begins with this address",
        |request: &Request| Script::redirect(&format!("http://{}.clear-net.example/", request.host)),
    ),
    Case::new("/tempt/to-gateway", "to a gateway of the clear net under this address", |request: &Request| {
        Script::redirect(&format!("http://{}.example/", request.host))
    }),
    Case::new("/tempt/to-user", "to the clear net with this address as user name", |request: &Request| {
        Script::redirect(&format!("http://{}@www.clear-net.example/", request.host))
    }),
    Case::new("/tempt/to-letter", "to this address with one Cyrillic letter", |request: &Request| {
        Script::redirect(&format!("http://{}/", request.host.replace(".onion", ".\u{43e}nion")))
    }),
    Case::new("/tempt/to-tab", "to the clear net by two slashes with a tab between them", |_| {
        Script::redirect("/\t/www.clear-net.example/")
    }),
    Case::new("/tempt/to-backslash", "to the clear net by backslashes", |_| {
        Script::redirect("\\\\www.clear-net.example\\")
    }),
    Case::new("/tempt/to-octal", "to 127.0.0.1 in octal", |_| Script::redirect("http://0177.0.0.1/")),
    Case::new("/tempt/to-mapped", "to 127.0.0.1 within an address of IPv6", |_| {
        Script::redirect("http://[::ffff:127.0.0.1]/")
    }),
    Case::new("/tempt/to-metadata", "to the metadata service of a cloud", |_| {
        Script::redirect("http://169.254.169.254/latest/meta-data/")
    }),
    Case::new("/tempt/to-word", "to a name of one word, which LLMNR would look for", |_| {
        Script::redirect("http://wpad/wpad.dat")
    }),
    Case::new("/tempt/to-local", "to a name of .local, which mDNS would look for", |_| {
        Script::redirect("http://printer.local/")
    }),
    Case::new("/tempt/to-rooted", "to this very address with a full stop behind it", |request: &Request| {
        Script::redirect(&format!("http://{}./landing/to-rooted", request.host))
    }),
];

/// What a link may ask a browser to do before anybody clicks (HTML, section 4.6.7).
const HINTS: [&str; 12] = [
    "dns-prefetch",
    "preconnect",
    "prefetch",
    "prerender",
    "preload",
    "modulepreload",
    "stylesheet",
    "icon",
    "manifest",
    "pingback",
    "search",
    "alternate",
];

const PARTS: &str = "\
<img src=\"http://img.clear-net.example/a.png\" srcset=\"http://srcset.clear-net.example/b.png 2x\">
<picture><source srcset=\"//picture.clear-net.example/c.png\"><img src=\"//img.clear-net.example/d.png\"></picture>
<style>@import \"http://import.clear-net.example/a.css\"; @font-face { font-family: f; src: url(//font.clear-net.example/f.woff2) }
body { background: url(http://background.clear-net.example/a.png) }</style>
<script src=\"http://script.clear-net.example/a.js\"></script><script type=\"module\">import '//module.clear-net.example/a.js'</script>
<script type=\"speculationrules\">{\"prerender\":[{\"urls\":[\"http://rules.clear-net.example/\"]}]}</script>
<iframe src=\"http://frame.clear-net.example/\"></iframe><embed src=\"//embed.clear-net.example/\"><object data=\"//object.clear-net.example/\"></object>
<video src=\"http://film.clear-net.example/a.mp4\" poster=\"//poster.clear-net.example/a.jpg\"><track src=\"//track.clear-net.example/a.vtt\"></video>
<audio src=\"http://sound.clear-net.example/a.mp3\" autoplay></audio><input type=\"image\" src=\"//input.clear-net.example/a.png\">
<svg><image href=\"//svg.clear-net.example/a.png\"/><use href=\"//use.clear-net.example/a.svg#b\"/></svg>
<table background=\"//table.clear-net.example/a.png\"></table><a href=\"/landing/ping\" ping=\"http://ping.clear-net.example/\">ping</a>
<form action=\"http://form.clear-net.example/\" method=\"post\"><button formaction=\"//button.clear-net.example/\">go</button></form>";

const PLACES: [&str; 18] = [
    "http://127.1/",
    "http://0/",
    "http://0177.0.0.1:8080/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[fe80::1]/",
    "http://224.0.0.251:5353/",
    "http://255.255.255.255/",
    "http://169.254.169.254/latest/meta-data/",
    "http://192.0.2.1:53/",
    "http://localhost:9051/",
    "http://www.localhost/",
    "http://wpad/wpad.dat",
    "http://printer.local/",
    "http://router.lan/",
    "http://metadata.internal/",
    "//www.clear-net.example:80/",
    "ftp://ftp.clear-net.example/",
];

fn target(rel: &str) -> String {
    format!("http://{rel}.clear-net.example/{rel}")
}

fn hints() -> String {
    HINTS.iter().map(|rel| format!("<link rel=\"{rel}\" href=\"{}\">\n", target(rel))).collect()
}

/// Hosts that a careless reader takes for `host`; the last is `host`, since a full stop may be written in another script.
fn look_alikes(host: &str) -> [String; 7] {
    let name = host.trim_end_matches(".onion");
    [
        format!("http://{host}.clear-net.example/"),
        format!("http://{name}.example/"),
        format!("http://{host}@www.clear-net.example/"),
        format!("http://www.clear-net.example/{host}/"),
        format!("http://{name}.\u{43e}nion/"),
        format!("http://{name}.exit/"),
        format!("http://{name}\u{3002}onion/landing/full-stop"),
    ]
}

fn anchors(places: impl Iterator<Item = String>) -> String {
    places.map(|place| format!("<a href=\"{place}\">there</a>\n")).collect()
}

/// A page with more in its head, and links that lead where its base says.
fn in_head(title: &str, more: &str) -> Script {
    let links = "<a href=\"landing/tempted\">relative</a> <a href=\"//links.clear-net.example/\">without a scheme</a>";
    Script::html(page(title, links).replacen("<title>", &format!("{more}<title>"), 1))
}
