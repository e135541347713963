use crate::sites::hostile::{
    case::{Case, Request},
    script::{Script, head, page},
};

/// Statuses other than 200, and cookies.
pub(super) const CASES: &[Case] = &[
    Case::new("/status/404", "404", |_| status("404 Not Found", &[])),
    Case::new("/status/410", "410", |_| status("410 Gone", &[])),
    Case::new("/status/403", "403", |_| status("403 Forbidden", &[])),
    Case::new("/status/401", "401 with a challenge", |_| {
        status("401 Unauthorized", &[("WWW-Authenticate", "Basic realm=\"ferry\"")])
    }),
    Case::new("/status/500", "500", |_| status("500 Internal Server Error", &[])),
    Case::new("/status/206", "206, which nobody asked for", |_| {
        status("206 Partial Content", &[("Content-Range", "bytes 0-99/5000")])
    }),
    Case::new("/status/304", "304, which nobody asked for", |_| {
        Script::raw(head("304 Not Modified", &[("ETag", "\"1\"")]))
    }),
    Case::new("/status/429", "429 with Retry-After of 2 seconds", |_| {
        status("429 Too Many Requests", &[("Retry-After", "2")])
    }),
    Case::new("/status/503", "503 with Retry-After of 2 seconds", |_| {
        status("503 Service Unavailable", &[("Retry-After", "2")])
    }),
    Case::new("/status/503-date", "503 with Retry-After as a date that is past", |_| {
        status("503 Service Unavailable", &[("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")])
    }),
    Case::new("/status/503-garbage", "503 with Retry-After that says nothing", |_| {
        status("503 Service Unavailable", &[("Retry-After", "when the tide is in")])
    })
    .unlinked(),
    Case::new("/status/429-absurd", "429 with Retry-After beyond any calendar", |_| {
        status("429 Too Many Requests", &[("Retry-After", "99999999999999999999")])
    })
    .unlinked(),
    Case::new("/cookie", "sets a cookie and leads to a page that wants it", |_| {
        Script::status(
            "302 Found",
            &[("Set-Cookie", "ferry=kept; Path=/; HttpOnly; SameSite=Lax"), ("Location", "/cookie/kept")],
            "",
        )
    }),
    Case::new("/cookie/kept", "200 with the cookie of /cookie, 403 without", |request: &Request| {
        if request.has_cookie("ferry=kept") {
            Script::html(page("Kept", "<p>The cookie was kept.</p>"))
        } else {
            status("403 Forbidden", &[])
        }
    })
    .unlinked(),
    Case::new("/cookie/many", "3,000 cookies", |_| {
        let cookies: String = (0..3000).map(|number| format!("Set-Cookie: c{number}={}\r\n", "v".repeat(40))).collect();
        Script::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{cookies}Content-Length: 12\r\n\r\n<p>Cookies.\n"
        ))
    }),
    Case::new("/cookie/large", "one cookie of 64 KiB", |_| {
        Script::status(
            "200 OK",
            &[("Set-Cookie", &format!("large={}", "v".repeat(65_536)))],
            page("A large cookie", ""),
        )
    }),
    Case::new("/cookie/foreign", "cookies for other hosts and paths", |_| {
        let fields = [
            ("Set-Cookie", "foreign=1; Domain=clear-net.example"),
            ("Set-Cookie", "public=1; Domain=onion"),
            ("Set-Cookie", "elsewhere=1; Path=/nowhere"),
            ("Set-Cookie", "safe=1; Secure"),
            ("Set-Cookie", "gone=1; Max-Age=0"),
            ("Set-Cookie", "=nameless"),
        ];
        Script::status("200 OK", &fields, page("Foreign cookies", "<p>None of them is to come back here.</p>"))
    }),
];

/// What stands between a crawler and a site. Not linked: meeting one pauses a target.
pub(super) const WALLS: &[Case] = &[
    Case::new("/wall/login", "a login form where a page should be", |_| {
        Script::html(page(
            "Log in",
            "<p>Please log in to continue.</p>\n<form action=\"/wall/login\" method=\"post\"><label>User name <input type=\"text\" name=\"username\">\
             </label><label>Password <input type=\"password\" name=\"password\"></label><input type=\"hidden\" name=\"csrf\" value=\"1\">\
             <button>Log in</button></form>",
        ))
    })
    .unlinked(),
    Case::new("/wall/cookie", "a login form, and a page once the cookie login=done is there", |request: &Request| {
        if request.has_cookie("login=done") {
            return Script::html(page("Welcome back", "<p>You are logged in.</p>"));
        }
        Script::html(page(
            "Log in",
            "<form action=\"/wall/cookie\" method=\"post\"><input type=\"text\" name=\"user\"><input type=\"password\" name=\"pass\">\
             <button>Log in</button></form>",
        ))
    })
    .unlinked(),
    Case::new("/wall/captcha", "a captcha", |_| {
        Script::html(page(
            "Are you human?",
            "<p>Enter the characters that you see in the image to prove that you are human.</p>\n<form action=\"/wall/captcha\" method=\"post\">\
             <img src=\"/captcha.png\" alt=\"captcha\"><input type=\"text\" name=\"captcha\" autocomplete=\"off\"><button>Submit</button></form>",
        ))
    })
    .unlinked(),
    Case::new("/wall/queue", "a waiting room that reloads itself", |_| {
        let html = page("Please wait", "<p>DDoS protection: you are being placed in a queue. Your browser will be sent on in a few seconds.</p>");
        Script::html(html.replacen("<title>", "<meta http-equiv=\"refresh\" content=\"10\"><title>", 1))
    })
    .unlinked(),
];

fn status(status: &str, fields: &[(&str, &str)]) -> Script {
    Script::status(status, fields, page(status, "<p>This page is not for you.</p>"))
}
