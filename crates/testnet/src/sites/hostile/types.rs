use encoding_rs::WINDOWS_1251;

use crate::sites::{
    hostile::{
        case::Case,
        script::{Script, page},
    },
    html::pixel,
};

const RUSSIAN: &str = "<p>Посылка пришла в коробке из книжного магазина, хорошо придумано.</p>";

/// Content types and character encodings, told, untold and lied about.
pub(super) const CASES: &[Case] = &[
    Case::new("/type/png", "an image", |_| Script::typed("image/png", pixel())),
    Case::new("/type/jpeg", "an image by its type alone", |_| {
        Script::typed("image/jpeg", b"\xff\xd8\xff\xe0 and so on".to_vec())
    }),
    Case::new("/type/svg", "an image that is text", |_| {
        Script::typed("image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>")
    }),
    Case::new("/type/audio", "sound", |_| Script::typed("audio/mpeg", b"ID3 and so on".to_vec())),
    Case::new("/type/video", "a film", |_| Script::typed("video/mp4", b"\0\0\0\x18ftypmp42 and so on".to_vec())),
    Case::new("/type/zip", "an archive", |_| Script::typed("application/zip", b"PK\x03\x04 and so on".to_vec())),
    Case::new("/type/program", "a program", |_| {
        Script::typed("application/octet-stream", b"\x7fELF and so on".to_vec())
    }),
    Case::new("/type/pdf", "a document", |_| Script::typed("application/pdf", b"%PDF-1.7 and so on".to_vec())),
    Case::new("/type/image-as-page", "an image that claims to be a page", |_| Script::typed("text/html", pixel())),
    Case::new("/type/page-as-image", "a page that claims to be an image", |_| {
        Script::typed("image/png", page("Not an image", ""))
    }),
    Case::new("/type/none", "no content type", |_| {
        let body = page("No type", "<p>Guess what this is.</p>");
        Script::raw(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }),
    Case::new("/type/garbage", "a content type that is none", |_| {
        Script::typed(";;//==,", page("Garbage", "<p>Guess what this is.</p>"))
    }),
    Case::new("/type/odd", "a content type in odd case with quotes and parameters", |_| {
        Script::typed("TEXT/HTML ; Level=1; CharSet=\"UTF-8\" ; x=\";\"", page("Odd", "<p>Strange, and legal.</p>"))
    }),
    Case::new("/type/attachment", "a page to be saved under a path", |_| {
        let fields = [("Content-Disposition", "attachment; filename=\"../../etc/cron.d/ferry\"")];
        Script::status("200 OK", &fields, page("Attachment", "<p>Save me somewhere.</p>"))
    }),
    Case::new("/type/text", "plain text with a link in it", |_| {
        Script::typed("text/plain; charset=utf-8", "See <a href=\"/landing/text\">here</a>.\n")
    }),
    Case::new("/type/json", "JSON", |_| {
        Script::typed("application/json", "{\"ferry\":[1,2,3],\"url\":\"/landing/json\"}\n")
    }),
    Case::new("/type/xml", "XML whose entities grow without end", |_| {
        let entities: String =
            (1..10).map(|level| format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10))).collect();
        Script::typed(
            "application/xml",
            format!("<?xml version=\"1.0\"?><!DOCTYPE f [<!ENTITY e0 \"ferry\">{entities}]><f>&e9;</f>\n"),
        )
    }),
    Case::new("/charset/wrong", "windows-1251 that claims to be UTF-8", |_| {
        Script::typed("text/html; charset=utf-8", WINDOWS_1251.encode(&page("Чужая кодировка", RUSSIAN)).0.into_owned())
    }),
    Case::new("/charset/unknown", "an encoding that nobody knows", |_| {
        Script::typed("text/html; charset=ferry-8", page("Unknown", RUSSIAN))
    }),
    Case::new("/charset/contradiction", "the header says one encoding, the page another", |_| {
        let body = page("Спор", RUSSIAN).replace("charset=\"utf-8\"", "charset=\"koi8-r\"");
        Script::typed("text/html; charset=windows-1251", WINDOWS_1251.encode(&body).0.into_owned())
    }),
    Case::new("/charset/wide", "UTF-16 with a byte order mark", |_| {
        let units = std::iter::once(0xfeff).chain(page("Wide", RUSSIAN).encode_utf16().collect::<Vec<_>>());
        Script::typed("text/html", units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
    }),
    Case::new("/charset/invalid", "UTF-8 with bytes that are none", |_| {
        let mut body = page("Invalid", "<p>One word is @ broken.</p>").into_bytes();
        body.iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = 0xff);
        Script::html(body)
    }),
];
