//! The hostile site: one path, one misbehaviour. Bytes go out exactly as a [`Case`] says, over a bare TCP or TLS connection.

mod bodies;
pub(crate) mod case;
mod chunks;
mod encodings;
mod heads;
mod lengths;
mod player;
mod redirects;
pub(crate) mod script;
mod statuses;
mod temptations;
mod times;
pub(crate) mod tls;
mod traps;
mod types;

use std::{collections::BTreeMap, io, sync::Arc};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    case::{Case, Request},
    player::Stage,
    script::{Script, page},
    tls::Tls,
};
use crate::sites::{
    Site,
    door::{Door, Gate},
    html::link,
    ledger::Ledger,
};

const GROUPS: &[&[Case]] = &[
    times::CASES,
    encodings::BOMBS,
    redirects::CASES,
    redirects::REFRESHES,
    heads::CASES,
    heads::BROKEN,
    lengths::CASES,
    chunks::CASES,
    encodings::CASES,
    types::CASES,
    bodies::CASES,
    temptations::CASES,
    temptations::REDIRECTS,
    traps::CASES,
    statuses::CASES,
    statuses::WALLS,
];

/// Every misbehaviour of the hostile site, grouped by kind.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    GROUPS.iter().copied().flatten()
}

/// The front page and the pages that it links to.
pub(crate) fn linked_paths() -> Vec<String> {
    let mut paths: Vec<String> = cases().filter(|case| case.linked).map(|case| case.path.to_owned()).collect();
    paths.push("/".to_owned());
    paths.sort();
    paths
}

/// Starts the hostile site: a plain port, and one port for each manner of TLS.
pub(crate) async fn open(tasks: &TaskTracker, stop: &CancellationToken) -> io::Result<Site> {
    let gate = Arc::new(Gate::new());
    let ledger = Arc::new(Ledger::default());
    let stage = Arc::new(Stage {
        gate: Arc::clone(&gate),
        ledger: Arc::clone(&ledger),
        tasks: tasks.clone(),
        stop: stop.clone(),
    });

    let door = Door::open(Arc::clone(&gate)).await?;
    let http = door.address();
    tasks.spawn(Arc::clone(&stage).serve(door, None));

    let mut ports = BTreeMap::new();
    for manner in Tls::ALL {
        // A door of its own gate: what closes the HTTP port leaves TLS as it is.
        let door = Door::open(Arc::new(Gate::new())).await?;
        ports.insert(manner, door.address());
        tasks.spawn(Arc::clone(&stage).serve(door, Some(tls::Greeter::new(manner)?)));
    }
    Ok(Site { name: "hostile", http, tls: ports, gate, ledger, book: None })
}

/// What is sent in answer to a request.
pub(crate) fn script(request: &Request) -> Script {
    let path = request.path.as_str();
    let exact = || cases().find(|case| case.path == request.target || case.path == path);
    let below = || cases().find(|case| case.tree.is_some_and(|tree| path.starts_with(tree)));
    if let Some(case) = exact().or_else(below) {
        return (case.answer)(request);
    }
    match path {
        "/" => index(),
        "/robots.txt" => Script::typed("text/plain", b"User-agent: *\nDisallow:\n".to_vec()),
        _ if path.starts_with("/landing/") => {
            Script::html(page("Landing", &format!("<p>You were sent to {}.</p>", crate::sites::html::escape(path))))
        }
        _ if path.starts_with("/m/") || path.starts_with("/plain") => {
            Script::html(page("Plain", "<p>Nothing is wrong with this page.</p>"))
        }
        _ => Script::status("404 Not Found", &[], page("404 Not Found", "<p>This page does not exist.</p>")),
    }
}

fn index() -> Script {
    let list: String = cases()
        .filter(|case| case.linked)
        .map(|case| format!("<li>{}: {}</li>\n", link(case.path, case.path), crate::sites::html::escape(case.what)))
        .collect();
    Script::html(page("The house of faults", &format!("<ul>\n{list}</ul>\n")))
}
