use std::sync::LazyLock;

use encoding_rs::WINDOWS_1251;

use crate::sites::chance::Chance;

/// Stands in a page where each load gets a fresh token.
pub(crate) const TOKEN: &str = "\u{1}";
/// Stands in a page where each load gets the server's time.
pub(crate) const CLOCK: &str = "\u{2}";
/// Stands in a page where each load gets the milliseconds that it took.
pub(crate) const TOOK: &str = "\u{3}";

/// A page as it is kept in a book: HTML with marks where each load differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    html: String,
    /// Served in windows-1251, and nothing says so.
    is_silent_1251: bool,
}

impl Page {
    /// A page in UTF-8, declared in its header.
    pub(crate) fn utf8(html: String) -> Self {
        Self { html, is_silent_1251: false }
    }

    /// A page in windows-1251 without a declared charset.
    pub(crate) fn silent_1251(html: String) -> Self {
        Self { html, is_silent_1251: true }
    }

    pub(crate) fn content_type(&self) -> &'static str {
        if self.is_silent_1251 { "text/html" } else { "text/html; charset=utf-8" }
    }

    /// The bytes of one load.
    pub(crate) fn bytes(&self, noise: &Noise) -> Vec<u8> {
        let html = noise.fill(&self.html);
        if self.is_silent_1251 { WINDOWS_1251.encode(&html).0.into_owned() } else { html.into_bytes() }
    }
}

/// What differs at each load of a page and means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noise {
    token: String,
    clock: String,
    took: String,
}

impl Noise {
    /// The noise of the `load`-th load of a site. Time passes by loads: no clock is asked, so that a run can be repeated.
    pub(crate) fn of(seed: u64, site: &str, load: u64) -> Self {
        let mut chance = Chance::of(seed, site, load);
        let seconds = 28_800 + load * 7;
        let (day, rest) = (1 + seconds / 86_400 % 28, seconds % 86_400);
        Self {
            token: chance.hex(40),
            clock: format!("2031-03-{day:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest / 60 % 60, rest % 60),
            took: chance.between(3, 240).to_string(),
        }
    }

    fn fill(&self, html: &str) -> String {
        let mut out = String::with_capacity(html.len() + 256);
        let mut rest = html;
        while let Some(at) = rest.find(['\u{1}', '\u{2}', '\u{3}']) {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            out.push_str(match after.as_bytes().first() {
                Some(1) => &self.token,
                Some(2) => &self.clock,
                _ => &self.took,
            });
            rest = after.get(1..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A link.
pub(crate) fn link(path: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escape(path), escape(text))
}

/// Paragraphs of some sentences each.
pub(crate) fn paragraphs(sentences: &[String]) -> String {
    sentences.chunks(4).map(|part| format!("<p>{}</p>\n", escape(&part.join(" ")))).collect()
}

/// Links to the first, previous, next and last of several pages of one thing. The first page is the plain path.
pub(crate) fn pager(path: &str, page: usize, pages: usize, previous: &str, next: &str) -> String {
    let mut html = String::from("<div class=\"pager\">");
    if page > 1 {
        html.push_str(&format!("<a rel=\"prev\" href=\"{}\">{previous}</a> ", paged(path, page - 1)));
    }
    for number in 1..=pages {
        if number == page {
            html.push_str(&format!("<b>{number}</b> "));
        } else {
            html.push_str(&format!("<a href=\"{}\">{number}</a> ", paged(path, number)));
        }
    }
    if page < pages {
        html.push_str(&format!("<a rel=\"next\" href=\"{}\">{next}</a>", paged(path, page + 1)));
    }
    html.push_str("</div>\n");
    html
}

/// The path of one of several pages of a thing.
pub(crate) fn paged(path: &str, page: usize) -> String {
    if page <= 1 { path.to_owned() } else { format!("{path}?page={page}") }
}

/// What is fetched for a page and is none: style, images, and the file for robots. No link leads there.
pub(crate) fn asset(target: &str) -> Option<(&'static str, Vec<u8>)> {
    match target {
        "/static/site.css" => Some(("text/css", STYLE.as_bytes().to_vec())),
        "/static/site.js" => Some(("text/javascript", b"document.title += '';\n".to_vec())),
        "/robots.txt" => Some(("text/plain", b"User-agent: *\nDisallow: /account/\n".to_vec())),
        _ if target.starts_with("/img/") && target.strip_suffix(".png").is_some() => Some(("image/png", PIXEL.clone())),
        _ => None,
    }
}

/// The page for what is not there.
pub(crate) fn not_found(noise: &Noise) -> Vec<u8> {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><title>404 Not Found</title></head><body><h1>Not found</h1>\n\
         <p>This page does not exist, or it no longer does.</p><p><a href=\"/\">Back to the front page</a></p>\n\
         <p class=\"foot\">Server time: {CLOCK}</p></body></html>\n"
    );
    noise.fill(&html).into_bytes()
}

/// The style sheet, which pages also carry inline, as sites do that expect no second request.
pub(crate) const STYLE: &str = "body{margin:0;background:#16181d;color:#d8d4c8;font:14px/1.45 Verdana,Geneva,sans-serif}\n\
a{color:#8fb8de;text-decoration:none}a:hover{text-decoration:underline}\n\
.top{background:#23262e;padding:8px 16px;border-bottom:2px solid #3a3f4b}.top form{display:inline;margin-left:12px}\n\
.wrap{display:flex;max-width:1180px;margin:0 auto}.side{width:230px;padding:12px;background:#1c1f26}.main{flex:1;padding:12px 18px}\n\
.side ul{list-style:none;margin:0 0 12px;padding:0}.side li{padding:2px 0}.side h3{margin:8px 0 4px;font-size:13px;color:#c9a86a}\n\
.card{border:1px solid #32363f;background:#1e2128;margin:0 0 10px;padding:10px;display:flex;gap:12px}\n\
.card img{width:96px;height:96px;background:#2b2f38}.card h2{margin:0 0 4px;font-size:15px}.price{color:#9ad08f;font-weight:bold}\n\
table{border-collapse:collapse;width:100%;margin:8px 0}td,th{border:1px solid #32363f;padding:4px 6px;text-align:left;vertical-align:top}\n\
.post{border:1px solid #32363f;margin:0 0 10px;display:flex}.post .who{width:150px;padding:8px;background:#20242c}.post .said{flex:1;padding:8px}\n\
blockquote{border-left:3px solid #57606f;margin:6px 0;padding:2px 10px;color:#a9a698}.sig{color:#7d7a70;font-size:12px;border-top:1px dashed #3a3f4b}\n\
pre{background:#101216;padding:10px;overflow:auto;font-size:12px}.pager{margin:10px 0}.foot{color:#7d7a70;font-size:12px;padding:12px}\n";

/// A grey image of one pixel.
static PIXEL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png_chunk(&mut png, *b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    // A zlib stream with one stored block: the filter byte of the only row and its only pixel, then Adler-32.
    png_chunk(&mut png, *b"IDAT", &[0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff, 0x00, 0x80, 0x00, 0x82, 0x00, 0x81]);
    png_chunk(&mut png, *b"IEND", &[]);
    png
});

fn png_chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = flate2::Crc::new();
    crc.update(&kind);
    crc.update(data);
    png.extend(u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
    png.extend(kind);
    png.extend(data);
    png.extend(crc.sum().to_be_bytes());
}

/// The grey image.
pub(crate) fn pixel() -> Vec<u8> {
    PIXEL.clone()
}
