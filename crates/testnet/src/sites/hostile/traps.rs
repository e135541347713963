use crate::sites::{
    chance::Chance,
    hostile::{
        case::{Case, Request},
        script::{Script, page},
    },
    html::escape,
};

/// Page sets without an end. Each page is harmless; the set is not.
pub(super) const CASES: &[Case] = &[
    Case::new("/calendar/2031/01", "a calendar of endless months", calendar).with_tree("/calendar/"),
    Case::new("/again/", "a path that repeats its segment with each link", |_| {
        Script::html(page("Again", "<a href=\"again/\">deeper</a>"))
    })
    .with_tree("/again/"),
    Case::new("/query?a=0", "a query that grows with each link", |request: &Request| {
        let next = request.query.split('&').count();
        let path = escape(&format!("/query?{}&a={next}", request.query));
        Script::html(page("Query", &format!("<a href=\"{path}\">more</a>")))
    })
    .with_tree("/query"),
    Case::new("/item/1", "endless pages of one template", |request: &Request| {
        let chance = &mut Chance::of(1, &request.path, 0);
        let links: String =
            (0..10).map(|_| format!("<a href=\"/item/{}\">next</a>\n", chance.between(1, 1_000_000_000))).collect();
        Script::html(page("Item", &links))
    })
    .with_tree("/item/"),
    Case::new("/session", "five pages under a new session id with each load", |request: &Request| {
        let id = Chance::of(2, &request.target, request.load).hex(32);
        let links: String =
            (1..=5).map(|number| format!("<a href=\"/session/{number}?sid={id}\">page {number}</a>\n")).collect();
        Script::html(page("Session", &links))
    })
    .with_tree("/session/"),
    Case::new("/maze?x=0&y=0", "a page under many orders of its parameters", |request: &Request| {
        let value = |name: &str| -> u64 {
            let pair = request.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
            pair.and_then(|(_, value)| value.parse().ok()).unwrap_or_default()
        };
        let (x, y) = (value("x"), value("y"));
        let links = [format!("x={}&y={y}", x.saturating_add(1)), format!("y={}&x={x}", y.saturating_add(1))];
        let links: String = links.iter().map(|query| format!("<a href=\"/maze?{}\">on</a>\n", escape(query))).collect();
        Script::html(page("Maze", &links))
    })
    .with_tree("/maze"),
];

/// `/calendar/2031/12` links to the month before and to the month after.
fn calendar(request: &Request) -> Script {
    let mut parts = request.path.rsplit('/').filter_map(|part| part.parse::<u64>().ok());
    let (month, year) = (parts.next().unwrap_or(1).clamp(1, 12), parts.next().unwrap_or(2031).min(1_000_000));
    let link = |year: u64, month: u64| format!("<a href=\"/calendar/{year}/{month:02}\">{year}-{month:02}</a>\n");
    let before = if month == 1 { link(year.saturating_sub(1), 12) } else { link(year, month - 1) };
    let after = if month == 12 { link(year + 1, 1) } else { link(year, month + 1) };
    Script::html(page(
        &format!("{year}-{month:02}"),
        &format!("<p>Nothing happens in this month.</p>\n{before}{after}"),
    ))
}
