use crate::sites::hostile::{
    case::Case,
    script::{Script, page},
};

/// How many links the page of links has.
const LINKS: u32 = 300_000;
/// How deep the nested page is.
const DEPTH: usize = 100_000;
/// How many formatting elements, and how many paragraphs, the page has that a parser multiplies with each other.
const MULTIPLIED: usize = 1_500;

/// Pages that are hard to parse, or dangerous to show.
pub(super) const CASES: &[Case] = &[
    Case::new("/body/empty", "nothing", |_| Script::html("")),
    Case::new("/body/long-line", "one line of 2 MB", |_| Script::html(page("A long line", &"word ".repeat(400_000)))),
    Case::new("/body/long-word", "one word of 2 MB", |_| Script::html(page("A long word", &"w".repeat(2_000_000)))),
    Case::new("/body/nested", "100,000 nested elements", |_| {
        Script::html(page("Nested", &format!("{}deep{}", "<div>".repeat(DEPTH), "</div>".repeat(DEPTH))))
    }),
    Case::new("/body/links", "300,000 links", |_| {
        let links: String = (0..LINKS).map(|number| format!("<a href=/m/{number}>x</a>\n")).collect();
        Script::html(page("Links", &links))
    }),
    Case::new("/body/attributes", "an element with 50,000 attributes", |_| {
        let attributes: String = (0..50_000).map(|number| format!(" a{number}=x")).collect();
        Script::html(page("Attributes", &format!("<p{attributes}>one paragraph</p>")))
    }),
    Case::new("/body/long-link", "a link of 200,000 bytes", |_| {
        Script::html(page("A long link", &format!("<a href=\"/m/{}\">on and on</a>", "y".repeat(200_000))))
    }),
    Case::new("/body/unclosed", "a quotation mark that never closes", |_| {
        Script::html(page("Unclosed", &format!("<p>before</p><a href=\"/m/1>{}", "<p>swallowed</p>\n".repeat(1000))))
    }),
    Case::new("/body/misnested", "formatting elements closed in the wrong order, 2,000 times", |_| {
        Script::html(page("Misnested", &"<b><i><a href=/m/1><u>x</b></i></a></u>".repeat(2000)))
    }),
    Case::new("/body/base", "base that points to another host", |_| {
        let html = page("Base", "<a href=\"landing/base\">relative</a> <a href=\"/landing/base\">rooted</a>");
        Script::html(html.replacen("<title>", "<base href=\"http://www.clear-net.example/\"><title>", 1))
    }),
    Case::new("/body/nul", "NUL bytes in text, tags and links", |_| {
        Script::html(
            "<!DOCTYPE html>\n<title>N\0UL</title>\n<p>be\0fore</p><a hr\0ef=/m/1>x</a><a href=\"/m/\0x2\">y</a>\0\0\0\n",
        )
    }),
    Case::new("/body/script", "scripts, event handlers and everything else that runs", |_| {
        Script::html(page(
            "Script",
            "<script>document.write('<a href=\"/landing/script\">written</a>')</script><img src=x onerror=\"alert(1)\">\n\
             <svg onload=\"alert(2)\"></svg><iframe srcdoc=\"<script>alert(3)</script>\"></iframe><object data=\"/m/1\"></object>\n\
             <a href=\"javascript:alert(4)\" onclick=\"alert(5)\">press</a><form action=\"javascript:alert(6)\"><button>go</button></form>\n\
             <p style=\"background:url(http://www.clear-net.example/pixel)\">styled</p><noscript><a href=\"/landing/noscript\">no script</a></noscript>",
        ))
    }),
    Case::new("/body/odd-links", "links that must not be followed, and one that may", |_| {
        Script::html(page(
            "Odd links",
            "<a href=\"http://127.0.0.1/\">1</a> <a href=\"http://10.0.0.1/\">2</a> <a href=\"http://[::1]:80/\">3</a>\n\
             <a href=\"http://localhost/\">4</a> <a href=\"http://0x7f.1/\">5</a> <a href=\"//www.clear-net.example/\">6</a>\n\
             <a href=\"javascript:void(0)\">7</a> <a href=\"data:text/html,hello\">8</a> <a href=\"mailto:heron@post.example\">9</a>\n\
             <a href=\"ftp://www.clear-net.example/\">10</a> <a href=\"file:///etc/passwd\">11</a> <a href=\"http://user:pw@clear-net.example/\">12</a>\n\
             <a href=\"http://short.onion/\">13</a> <a href=\"http://\">14</a> <a href=\"http://[broken\">15</a> <a href=\"\">16</a>\n\
             <a href=\" \t/landing/odd-links\n\">17</a>",
        ))
    }),
    Case::new("/body/hidden-tags", "links in comments, templates and text areas, which are none", |_| {
        Script::html(page(
            "Hidden",
            "<!-- <a href=\"/landing/comment\">x</a> --><template><a href=\"/landing/template\">x</a></template>\n\
             <textarea><a href=\"/landing/textarea\">x</a></textarea><title><a href=\"/landing/title\">x</a></title>\n\
             <style><a href=\"/landing/style\">x</a></style><a href=\"/landing/shown\">shown</a>",
        ))
    }),
    Case::new("/body/reconstruct", "25 KB that a parser turns into some two million elements", |_| {
        // The parser repeats every open formatting element within each new paragraph (HTML, section 13.2.4.3).
        let open: String = (0..MULTIPLIED).map(|number| format!("<b id={number}>")).collect();
        Script::html(page("Reconstruct", &format!("<p>{open}{}", "<p>x".repeat(MULTIPLIED))))
    })
    .unlinked(),
];
