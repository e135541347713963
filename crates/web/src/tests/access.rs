//! Every route, asked by every role: in its own theme, in another one, with a role that has lapsed, and by nobody.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request},
};
use model::{Role, RoleGrant};

use super::{
    CYBER, House, MARKET,
    people::{later, role},
};

/// Who may ask what, written down a second time: `*` is everybody who is logged in, `house:` a role for the house, `searcher` an
/// investigator with leave to search.
#[rustfmt::skip]
const EXPECTED: &[(&str, &str)] = &[
    ("GET /status", "*"),
    ("GET /metrics", "house: administrator"),
    ("GET /themes", "*"),
    ("GET /account", "*"),
    ("PUT /account/password", "*"),
    ("GET /account/tokens", "*"),
    ("POST /account/tokens", "*"),
    ("DELETE /account/tokens/{id}", "*"),
    ("GET /accounts", "house: administrator auditor"),
    ("POST /accounts", "house: administrator"),
    ("GET /accounts/{name}", "house: administrator auditor"),
    ("POST /accounts/{name}/password", "house: administrator"),
    ("POST /accounts/{name}/disable", "house: administrator"),
    ("POST /accounts/{name}/enable", "house: administrator"),
    ("POST /accounts/{name}/roles", "house: administrator"),
    ("POST /accounts/{name}/roles/{number}/end", "house: administrator"),
    ("GET /audit", "house: auditor"),
    ("GET /themes/{theme}/audit", "auditor"),
    ("GET /themes/{theme}/targets", "operator analyst approver"),
    ("POST /themes/{theme}/targets", "operator analyst"),
    ("GET /themes/{theme}/targets/{id}", "operator analyst approver"),
    ("PATCH /themes/{theme}/targets/{id}", "operator"),
    ("GET /themes/{theme}/source-health", "operator analyst approver"),
    ("POST /themes/{theme}/targets/{id}/pause", "operator analyst"),
    ("POST /themes/{theme}/targets/{id}/resume", "operator analyst"),
    ("POST /themes/{theme}/targets/{id}/retire", "operator approver"),
    ("POST /themes/{theme}/targets/{id}/end-decision", "approver"),
    ("GET /themes/{theme}/open-proposals", "operator analyst approver"),
    ("GET /themes/{theme}/targets/{id}/proposals", "operator analyst approver"),
    ("POST /themes/{theme}/targets/{id}/proposals", "operator analyst"),
    ("GET /themes/{theme}/targets/{id}/proposals/{proposal}", "operator analyst approver"),
    ("POST /themes/{theme}/targets/{id}/proposals/{proposal}/approve", "approver"),
    ("POST /themes/{theme}/targets/{id}/proposals/{proposal}/reject", "approver"),
    ("POST /themes/{theme}/targets/{id}/proposals/{proposal}/withdraw", "operator analyst approver"),
    ("POST /themes/{theme}/targets/{id}/probes", "operator analyst"),
    ("GET /themes/{theme}/targets/{id}/history", "operator analyst approver auditor"),
    ("GET /themes/{theme}/targets/{id}/history.md", "operator analyst approver auditor"),
    ("PUT /themes/{theme}/targets/{id}/login", "operator"),
    ("DELETE /themes/{theme}/targets/{id}/login", "operator"),
    ("GET /themes/{theme}/captures", "operator analyst"),
    ("GET /themes/{theme}/captures/{seq}", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/raw", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/payload", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/text", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/document", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/findings", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/similar", "analyst searcher"),
    ("GET /themes/{theme}/captures/{seq}/item", "analyst searcher"),
    ("GET /observables", "*"),
    ("GET /themes/{theme}/observables", "analyst searcher"),
    ("GET /themes/{theme}/versions", "analyst searcher"),
    ("GET /themes/{theme}/versions/{seq}", "analyst searcher"),
    ("PUT /themes/{theme}/versions/{seq}/name", "analyst"),
    ("DELETE /themes/{theme}/versions/{seq}/name", "analyst"),
    ("GET /themes/{theme}/versions/{a}/compare/{b}", "analyst searcher"),
    ("GET /themes/{theme}/versions/{seq}/labels", "analyst searcher"),
    ("POST /themes/{theme}/versions/{seq}/labels", "analyst"),
    ("GET /themes/{theme}/labels", "analyst searcher"),
    ("GET /themes/{theme}/labels/agreement", "analyst"),
    ("GET /themes/{theme}/search", "analyst searcher"),
    ("GET /themes/{theme}/indicators", "analyst searcher"),
    ("GET /themes/{theme}/indicators/{name}", "analyst searcher"),
    ("PUT /themes/{theme}/indicators/{name}", "analyst"),
    ("DELETE /themes/{theme}/indicators/{name}", "analyst"),
    ("POST /themes/{theme}/indicator-trials", "analyst"),
    ("GET /themes/{theme}/indicators/{name}/flagged", "analyst searcher"),
    ("GET /themes/{theme}/indicators/{name}/report", "analyst"),
    ("GET /themes/{theme}/site-profiles", "analyst"),
    ("GET /themes/{theme}/site-profiles/{name}", "analyst"),
    ("PUT /themes/{theme}/site-profiles/{name}", "analyst"),
    ("DELETE /themes/{theme}/site-profiles/{name}", "analyst"),
    ("POST /themes/{theme}/site-profile-trials", "analyst"),
    ("GET /themes/{theme}/services", "analyst searcher"),
    ("GET /themes/{theme}/services/{host}", "analyst searcher"),
    ("GET /themes/{theme}/clusters", "analyst searcher"),
    ("GET /themes/{theme}/vendors", "analyst searcher"),
    ("GET /themes/{theme}/proposals", "analyst"),
    ("GET /themes/{theme}/watches", "analyst searcher"),
    ("POST /themes/{theme}/watches", "analyst searcher"),
    ("GET /themes/{theme}/watches/{watch}", "analyst searcher"),
    ("PUT /themes/{theme}/watches/{watch}", "analyst searcher"),
    ("DELETE /themes/{theme}/watches/{watch}", "analyst searcher"),
    ("GET /themes/{theme}/alerts", "analyst searcher"),
    ("GET /themes/{theme}/alerts/{alert}", "analyst searcher"),
    ("POST /themes/{theme}/alerts/{alert}/acknowledge", "analyst searcher"),
    ("GET /themes/{theme}/dossiers", "analyst investigator searcher"),
    ("POST /themes/{theme}/dossiers", "analyst"),
    ("GET /themes/{theme}/dossiers/{dossier}", "analyst investigator searcher"),
    ("POST /themes/{theme}/dossiers/{dossier}/versions", "analyst"),
    ("POST /themes/{theme}/dossiers/{dossier}/withdraw", "analyst"),
    ("GET /themes/{theme}/dossiers/{dossier}/captures/{seq}", "analyst investigator searcher"),
    ("GET /themes/{theme}/dossiers/{dossier}/captures/{seq}/payload", "analyst investigator searcher"),
    ("GET /themes/{theme}/dossiers/{dossier}/captures/{seq}/text", "analyst investigator searcher"),
    ("GET /themes/{theme}/dossiers/{dossier}/captures/{seq}/document", "analyst investigator searcher"),
    ("POST /themes/{theme}/search/export", "analyst"),
    ("GET /themes/{theme}/holds", "analyst approver"),
    ("POST /themes/{theme}/holds", "analyst approver"),
    ("POST /themes/{theme}/holds/{leaf}/lift", "approver"),
    ("GET /themes/{theme}/seals", "analyst approver"),
    ("POST /themes/{theme}/captures/{seq}/seal", "analyst approver"),
    ("POST /themes/{theme}/captures/{seq}/unseal", "approver"),
    ("GET /themes/{theme}/erasures", "analyst approver auditor"),
    ("POST /themes/{theme}/erasures", "approver"),
    ("POST /themes/{theme}/retention", "approver"),
    ("POST /themes/{theme}/exports", "analyst"),
    ("GET /themes/{theme}/exports/{leaf}", "analyst"),
    ("PUT /themes/{theme}/exports/{leaf}/file", "analyst"),
    ("GET /themes/{theme}/captures/{seq}/proof", "analyst searcher"),
    ("GET /log/checkpoint", "house: administrator auditor"),
    ("POST /log/checkpoint", "house: administrator auditor"),
    ("GET /log/checkpoints", "house: administrator auditor"),
    ("GET /log/checkpoints/{size}/request", "house: administrator auditor"),
    ("POST /log/checkpoints/{size}/timestamps", "house: administrator auditor"),
    ("POST /log/consistency", "house: administrator auditor"),
    ("GET /log/tile/{*path}", "house: auditor"),
    ("POST /log/verification", "house: administrator auditor"),
    ("POST /backups", "house: administrator"),
    ("GET /erasures", "house: administrator"),
    // The last, because nobody is known any more after it.
    ("DELETE /session", "*"),
];

/// What somebody holds, by the name that the table uses.
const HOLDERS: [(&str, Role); 7] = [
    ("operator", Role::Operator),
    ("analyst", Role::Analyst),
    ("investigator", Role::Investigator),
    ("searcher", Role::Investigator),
    ("approver", Role::Approver),
    ("auditor", Role::Auditor),
    ("administrator", Role::Administrator),
];

/// Every operation that asks for somebody who is known, as `METHOD path`.
fn operations() -> BTreeSet<String> {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if let Some(path) = path.strip_prefix("/api/v1") {
                operations.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    operations.remove("POST /sessions");
    operations
}

#[test]
fn every_route_is_in_the_table() {
    let expected: BTreeSet<String> = EXPECTED.iter().map(|(route, _)| route.replace("{*path}", "{path}")).collect();
    assert_eq!(operations(), expected, "a new route needs a row here, and one in `access.rs`");
    for (route, _) in EXPECTED {
        let (method, path) = route.split_once(' ').unwrap();
        assert!(crate::access::Route::of(method, &format!("/api/v1{path}")).is_some(), "{route}");
    }
    assert_eq!(crate::access::ROUTES.len(), EXPECTED.len());
    assert!(crate::access::Route::of("GET", "/api/v1/nowhere").is_none());
}

/// A path of the route that points at something, which there need not be.
fn path(route: &str, theme: &str) -> String {
    let path = route.replace("{theme}", theme).replace("{name}", "somebody").replace("{host}", "example.com");
    let path = path.replace("{*path}", "0/000").replace("{id}", "00000000000007f3");
    ["{seq}", "{a}", "{b}", "{leaf}", "{size}", "{number}", "{proposal}", "{watch}", "{alert}", "{dossier}"]
        .iter()
        .fold(path, |path, part| path.replace(part, "999"))
}

fn held(name: &str, held: Role, theme: Option<&str>) -> RoleGrant {
    RoleGrant { may_search: name == "searcher", ..role(held, theme) }
}

#[tokio::test]
async fn every_role_gets_what_it_may_and_themes_stay_closed() {
    let house = House::new();
    let mut people = Vec::new();
    for (name, role) in HOLDERS {
        let place = (!role.fits(None)).then_some(MARKET);
        let lapsed = RoleGrant { ends_at: later(0), ..held(name, role, place) };
        people.push((
            name,
            house.person(name, vec![held(name, role, place)]),
            house.person(&format!("lapsed-{name}"), vec![lapsed]),
        ));
    }
    let of_theme = house.person("theme-auditor", vec![held("auditor", Role::Auditor, Some(MARKET))]);
    people.push(("theme-auditor", of_theme, String::new()));
    for (route, expected) in EXPECTED {
        let (method, spelling) = route.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let is_of_a_theme = spelling.contains("{theme}");
        let unknown = house.ask_as(super::TOKEN, method.clone(), &path(spelling, "unknown"), None).await;
        let nobody = Request::builder().method(method.clone()).uri(format!("/api/v1{}", path(spelling, MARKET)));
        let nobody = house.ask(nobody.body(Body::empty()).unwrap()).await;
        nobody.problem(401, "unauthenticated");
        for (name, token, lapsed) in &people {
            let house_only = expected.strip_prefix("house: ");
            let names: Vec<&str> = house_only.unwrap_or(expected).split(' ').collect();
            let may = match (*expected, house_only) {
                ("*", _) => true,
                (_, Some(_)) => *name != "theme-auditor" && names.contains(name),
                (_, None) => names.contains(&if *name == "theme-auditor" { "auditor" } else { name }),
            };
            // An administrator holds no role in any theme.
            let is_known = !is_of_a_theme || *name != "administrator";
            let answer = house.ask_as(token, method.clone(), &path(spelling, MARKET), None).await;
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let says = |kind: &str| body.contains(&format!("tag:nachtwacht,2026:{kind}\""));
            match (is_known, may) {
                (false, _) => assert_eq!(answer.body, unknown.body, "{route} as {name}"),
                (true, true) => assert!(
                    !says("no-role") && !says("unknown-theme") && answer.status != 401,
                    "{route} as {name}: {body}"
                ),
                (true, false) => assert!(says("no-role") && answer.status == 403, "{route} as {name}: {body}"),
            }
            if is_of_a_theme && *name != "auditor" {
                let answer = house.ask_as(token, method.clone(), &path(spelling, CYBER), None).await;
                assert_eq!(
                    (answer.status, &answer.body, answer.headers.get("content-type")),
                    (unknown.status, &unknown.body, unknown.headers.get("content-type")),
                    "{route} as {name} of another theme"
                );
            }
            if !lapsed.is_empty() {
                let answer = house.ask_as(lapsed, method.clone(), &path(spelling, MARKET), None).await;
                match (*expected, is_of_a_theme) {
                    ("*", _) => assert_ne!(answer.status, 403, "{route} as {name}, lapsed"),
                    (_, true) => assert_eq!(answer.body, unknown.body, "{route} as {name}, lapsed"),
                    (_, false) => _ = answer.problem(403, "no-role"),
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_told_to_all_tells_of_ones_own_themes_alone() {
    let house = House::new();
    let operator = house.person("op", vec![role(Role::Operator, Some(MARKET))]);
    let nobody = house.person("none", Vec::new());
    let admin = house.person("admin", vec![role(Role::Administrator, None)]);
    let themes = async |token: &str| {
        let themes = house.ask_as(token, Method::GET, "/themes", None).await.json(200);
        let ids: Vec<String> = themes["themes"].as_array().unwrap().iter().map(|t| t["id"].to_string()).collect();
        ids
    };
    assert_eq!(themes(&operator).await, ["\"marketplace\""]);
    assert_eq!(themes(&nobody).await, [""; 0]);
    assert_eq!(themes(&admin).await.len(), 2);
    let status = async |token: &str| house.ask_as(token, Method::GET, "/status", None).await.json(200);
    assert_eq!(status(&operator).await["analysis"].as_array().unwrap().len(), 1);
    for told in ["/crawl/captures", "/disk/store_bytes", "/tor/proofs_of_work"] {
        assert_eq!(status(&operator).await.pointer(told), Some(&serde_json::Value::Null), "{told}");
        assert_ne!(status(&admin).await.pointer(told), Some(&serde_json::Value::Null), "{told}");
    }
    assert_eq!(status(&nobody).await["analysis"].as_array().unwrap().len(), 0);
    assert_eq!(status(&admin).await["analysis"].as_array().unwrap().len(), 2);
    assert_eq!(status(&admin).await["crawl"]["captures"], 0);
}

#[tokio::test]
async fn a_role_ends_while_its_token_lives() {
    let house = House::new();
    let until = RoleGrant { ends_at: later(60), ..role(Role::Analyst, Some(MARKET)) };
    let analyst = house.person("ann", vec![until]);
    let captures = async || house.ask_as(&analyst, Method::GET, &format!("/themes/{MARKET}/captures"), None).await;
    captures().await.json(200);
    house.clock.advance(Duration::from_secs(59));
    captures().await.json(200);
    house.clock.advance(Duration::from_secs(1));
    captures().await.problem(404, "unknown-theme");
}
