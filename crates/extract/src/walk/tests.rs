use model::Uri;

use super::*;

fn content(html: &str) -> Content {
    with_limits(html, &Limits::default())
}

fn with_limits(html: &str, limits: &Limits) -> Content {
    let uri: Uri = "http://shop.example.com/a/b?x=1".parse().unwrap();
    let page = Page { uri: &uri, status: 200, content_type: None, content_encoding: None, refresh: None, payload: b"" };
    walk(&parse::parse(html, limits).html, &page, limits)
}

fn check_text(html: &str, expect: &str) {
    assert_eq!(content(html).text, expect, "{html}");
}

/// The visible text, and that of each hidden element.
fn check_hidden(html: &str, visible: &str, hidden: &[&str]) {
    let content = content(html);
    assert_eq!(content.text, visible, "{html}");
    let found: Vec<&str> = content.hidden.iter().map(|at| &content.hidden_text[at.clone()]).collect();
    assert_eq!(found, hidden, "{html}");
    assert_eq!(content.hidden_text, hidden.join("\n"), "{html}");
}

fn check_links(html: &str, expect: &[(&str, &str)]) {
    let content = content(html);
    let found: Vec<(&str, &str)> = content.links.iter().map(|link| (link.uri.as_str(), link.anchor.as_str())).collect();
    assert_eq!(found, expect, "{html}");
}

#[test]
fn blocks_are_lines() {
    check_text(
        "<h1>A</h1>b<p>c  d\n e<p>f<br>g<div>h<span>i</span></div>j<ul><li>k<li>l</ul>",
        "A\nb\nc d e\nf\ng\nhi\nj\nk\nl",
    );
    check_text("<table><tr><th>a<th>b<tr><td>c</td><td>d <b>e</b></td></table>f", "a\tb\nc\td e\nf");
    check_text("<dl><dt>a<dd>b</dl><select><option>c<option>d</select>", "a\nb\nc\nd");
    check_text("<pre>-----BEGIN\n\n  abc\n</pre><textarea>\nd\ne</textarea>", "-----BEGIN\nabc\nd\ne");
}

#[test]
fn what_a_visitor_cannot_read_is_no_text() {
    check_text("<head><title>t</title><style>s</style></head>a<script>b</script><style>c</style><!-- e -->", "a");
    check_text("<input type=hidden value=a><input value=b placeholder=c><button>d</button>", "d");
}

#[test]
fn what_is_hidden_is_told_from_what_is_seen() {
    check_hidden(
        "a<p hidden>b</p><div style='color:red;display: none'>c <p>d</p></div><template><p>e</template>f",
        "af",
        &["b", "c\nd", "e"],
    );
    check_hidden("box<span style=display:none>no-</span>@example.org", "box@example.org", &["no-"]);
    check_hidden("a<dialog>b</dialog><dialog open>c</dialog><datalist><option>d</datalist>", "a\nc", &["b", "d"]);
    check_hidden("<p style='visibility:hidden'>a<p>b<p hidden>", "b", &["a"]);
    check_hidden("<p style='font-size:0'>a<p style='font-size:0'><span>b</span>", "b", &["a"]);
    check_hidden("<html hidden><body style='display:none'>a", "a", &[]);
    check_hidden("<p aria-hidden=true>a<input type=hidden value=b>", "a", &[]);
    check_hidden("<p hidden>a<img alt=b><p hidden> </p><p hidden>c", "", &["a b", "c"]);
    assert_eq!(content("<p hidden>a<p hidden>\u{200B}").hidden.len(), 1);
}

#[test]
fn hidden_elements_beyond_the_limit_are_told_as_one() {
    let found = content(&"<p hidden>a</p>".repeat(1200));
    assert_eq!((found.hidden.len(), found.hidden_text.len()), (1000, 2399));
    assert_eq!(found.hidden.last(), Some(&(1998..2399)));
}

#[test]
fn what_is_hidden_does_not_say_what_the_page_is() {
    let trap = "<div hidden class=post><h1>Log in</h1><form><input type=password><button>x</button></form><a href=/trap>t</a>\
                <img src=/captcha.png><input type=submit value=Go></div>";
    let found = content(&format!("<form><input name=q><div hidden><input type=password></div></form><p>seen{trap}"));
    let layout = &found.layout;
    assert_eq!((layout.words, layout.headings.as_str(), layout.buttons.as_str()), (1, "", ""));
    assert!(layout.link_shapes.is_empty() && !layout.has_captcha);
    assert_eq!((found.forms.len(), found.hidden_forms.len()), (1, 1));
    assert_eq!((found.forms[0].passwords, found.hidden_forms[0].passwords), (0, 1));
    assert_eq!((found.links.len(), found.shown_links().count()), (1, 0));
    assert_eq!(
        (found.links[0].anchor.as_str(), &*found.images),
        ("t", &["http://shop.example.com/captcha.png".to_owned()][..])
    );
    assert_eq!(content("<a hidden href=/x>a</a><a href=/x>b</a>").shown_links().count(), 1);
}

#[test]
fn nothing_in_a_template_leads_anywhere() {
    check_links("<template><a href=/a>a<a href=/b>b</template><a href=/c>c</a>", &[("http://shop.example.com/c", "c")]);
}

#[test]
fn pictures_are_told() {
    let found = content("<base href=/d/><img src=x.png><input type=image src=y.png><img src=x.png><img alt=z>");
    assert_eq!(found.images, ["http://shop.example.com/d/x.png", "http://shop.example.com/d/y.png"]);
    let many: String = (0..600).map(|number| format!("<img src={number}.png>")).collect();
    assert_eq!((content(&many).images.len(), content(&many).problems), (500, vec![Problem::TooManyImages]));
}

/// A page of a market: a menu, and offers in rows.
fn market(offers: usize, page: usize) -> String {
    let row = |at: usize| {
        format!(
            "<tr class='row-{at}'><td><a class=title href=/item/{at}{page}>Lamp {at}{page}</a><td class=price>{page}.50 EUR<td><a href=/v/{at}>keeper</a>"
        )
    };
    let rows: String = (0..offers).map(row).collect();
    format!(
        "<div id=head class='navbar dark'><ul class=menu><li class=entry><a href=/>Home</a></ul></div><div class=container><h1>Lamps {page}</h1>\
         <table class='table offers'>{rows}</table><p class=pager><a href=2>next</a></div><footer class=foot>bye</footer>"
    )
}

#[test]
fn shapes_of_one_template_are_near_and_of_others_far() {
    let distance = |a: &str, b: &str| (content(a).shape ^ content(b).shape).count_ones();
    let board = "<header><nav><a href=/>Board</a></nav></header><main><article class=post><h2>a</h2><p>b<p>c<blockquote>d</blockquote>\
                 </article><article class=post><p>e<pre>f</pre></article><form class=reply><textarea></textarea><button>x</button></form></main>";
    assert_eq!(distance(&market(3, 1), &market(40, 2)), 0);
    let with_notice = market(3, 1).replace("<h1>", "<div class=notice>closed today</div><h1>");
    assert!((1..=12).contains(&distance(&market(3, 1), &with_notice)), "{}", distance(&market(3, 1), &with_notice));
    assert!(distance(&market(3, 1), board) >= 20, "{}", distance(&market(3, 1), board));
    assert_ne!(content("<p>a").shape, 0);
}

#[test]
fn what_few_see_is_text() {
    check_text("<noscript><p>a</p></noscript>", "a");
    check_text("x<img src=y alt='bitcoin  only'>z<img alt=''>", "x bitcoin only z");
}

#[test]
fn the_first_title_counts() {
    assert_eq!(content("<svg><title>no</title></svg><title> A \n B </title><title>c</title>").title, "A B");
    assert_eq!(content("<p>x").title, "");
}

#[test]
fn links_are_resolved_once_each_in_order() {
    check_links(
        "<a href='/p?id=2#x'>two</a><a href=c>c <b>d</b></a><a href='/p?id=2'>again</a><a href='#top'>up</a><a href=''>self</a><a name=n>n</a>",
        &[("http://shop.example.com/p?id=2", "two"), ("http://shop.example.com/a/c", "c d")],
    );
    check_links("<a href='/i'><img src=x></a><a href='/i'>name</a>", &[("http://shop.example.com/i", "name")]);
    check_links(
        "<a href='/i'><img alt='picture'><p>and\nmore</p></a>",
        &[("http://shop.example.com/i", "picture and more")],
    );
    check_links(
        "<area href=/1><iframe src=/2></iframe><link rel='NEXT' href=/3><link rel=stylesheet href=/4><link rel='icon' href=/5><form action=/6></form>",
        &[("http://shop.example.com/1", ""), ("http://shop.example.com/2", ""), ("http://shop.example.com/3", "")],
    );
    check_links(
        "<a href='javascript:x()'>a</a><a href='mailto:a@b.example'>b</a><a href='http://127.0.0.1/'>c</a><a href='http://[bad'>d</a>",
        &[],
    );
}

#[test]
fn the_first_base_with_a_place_counts() {
    check_links("<base><base href='/d/'><base href='/e/'><a href=f>f</a>", &[("http://shop.example.com/d/f", "f")]);
    check_links(
        "<base href='http://other.example.com/d/'><a href=f>f</a><a href='/g'>g</a>",
        &[("http://other.example.com/d/f", "f"), ("http://other.example.com/g", "g")],
    );
    check_links("<a href=f>f</a><base href='/late/'>", &[("http://shop.example.com/late/f", "f")]);
    check_links("<base href='data:text/html,x'><a href=f>f</a>", &[("http://shop.example.com/a/f", "f")]);
    check_links(
        "<base href='http://127.0.0.1/'><a href=f>f</a><a href='http://other.example.com/'>o</a>",
        &[("http://other.example.com/", "o")],
    );
}

#[test]
fn anchors_are_cut_on_characters_and_links_at_their_limit() {
    let long = content(&format!("<a href=/x>{}</a>", "é ".repeat(300)));
    assert_eq!(long.links[0].anchor.chars().count(), 200);
    let limits = Limits { links: 2, ..Limits::default() };
    let many = with_limits("<a href=1>1</a><a href=1>1</a><a href=2>2</a><a href=3>3</a>", &limits);
    assert_eq!((many.links.len(), many.problems), (2, vec![Problem::TooManyLinks]));
}

#[test]
fn the_first_refresh_counts() {
    let found = content("<meta http-equiv=Refresh content='3; url=../x'><meta http-equiv=refresh content='0; url=/y'>")
        .refresh
        .unwrap();
    assert_eq!((found.delay_s, found.to.unwrap().unwrap().as_str()), (3, "http://shop.example.com/x"));
    assert_eq!(content("<meta name=refresh content='0; url=/y'>").refresh, None);
}

#[test]
fn controls_belong_to_their_form() {
    let found = content(
        "<form><input name=q></form><form><input name=u><input type=password></form><input type=text name=loose>",
    );
    assert_eq!(found.forms.len(), 2);
    assert_eq!((found.forms[0].has_search, found.forms[1].passwords), (true, 1));
    let in_table =
        content("<table><form><tr><td><input name=u></td><td><input type=password></td></tr></form></table>");
    assert_eq!((in_table.forms.len(), in_table.forms[0].passwords), (1, 1));
    let loose = content("<input type=password>");
    assert_eq!((loose.forms.len(), loose.forms[0].passwords), (1, 1));
}

#[test]
fn text_is_bounded() {
    let limits = Limits { text_bytes: 10, ..Limits::default() };
    let found = with_limits("<p>one two<p>three four", &limits);
    assert_eq!((found.text.as_str(), found.problems), ("one two\nth", vec![Problem::TooLong]));
}
