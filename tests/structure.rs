//! The house is as its plan says: edges between crates, and who may open a connection.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The crates and what each uses, by the table in `ARCHITECTURE.md`.
fn planned() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let uses = cells[3].split(',').map(str::trim).filter(|name| *name != "–").map(str::to_owned).collect();
        (cells[0].trim_matches('`').to_owned(), uses)
    })
    .collect()
}

/// The crates and what each uses, by their manifests; what only tests use does not count.
fn built() -> BTreeMap<String, BTreeSet<String>> {
    let mut manifests: Vec<PathBuf> =
        fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    manifests.push(root().join("tests"));
    let ours: BTreeSet<String> =
        manifests.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let uses = |path: &PathBuf| {
        let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let lines = dependencies.lines().take_while(|line| !line.starts_with('['));
        let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next()).map(str::to_owned);
        names.filter(|name| ours.contains(name)).collect()
    };
    manifests.iter().map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), uses(path))).collect()
}

#[test]
fn crates_use_what_the_plan_lists_and_nothing_else() {
    let (planned, built) = (planned(), built());
    for (name, uses) in &built {
        let listed = planned.get(name).unwrap_or_else(|| panic!("{name} is not in ARCHITECTURE.md"));
        let unlisted: Vec<_> = uses.difference(listed).collect();
        assert!(unlisted.is_empty(), "{name} uses {unlisted:?}, which ARCHITECTURE.md does not list");
    }
    assert_eq!(planned.keys().collect::<Vec<_>>(), built.keys().collect::<Vec<_>>());
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            // A test may talk to itself.
        } else if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "toml") {
            into.push(path);
        }
    }
}

/// The first line of a text that could open a way out, if there is one.
fn way_out(text: &str) -> Option<&str> {
    let marks = [
        "arti_client::",
        "arti-client",
        "tor_rtcompat",
        "TcpStream::connect",
        "TcpSocket",
        "UdpSocket",
        "lookup_host",
        "to_socket_addrs",
        "reqwest",
        "ureq",
    ];
    text.lines().find(|line| !line.trim_start().starts_with("//") && marks.iter().any(|mark| line.contains(mark)))
}

#[test]
fn only_fetch_opens_a_way_out() {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("fetch") && !path.ends_with("testnet") {
            sources(&path, &mut files);
        }
    }
    assert!(files.len() > 50, "the sources are somewhere else");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(way_out(&text), None, "{}", file.display());
    }
    assert!(way_out("let stream = TcpStream::connect(address).await?;").is_some(), "the search itself finds nothing");
}

/// Every test that the security model rests on is there.
#[test]
fn the_security_model_names_tests_that_exist() {
    let model = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let names = model.split('`').skip(1).step_by(2).map(|name| name.rsplit("::").next().unwrap_or(name));
    let named: BTreeSet<&str> = names.filter(|name| name.matches('_').count() > 2).collect();
    assert!(named.len() > 20, "{named:?}");
    let (mut files, mut text) = (Vec::new(), String::new());
    for directory in ["crates", "tests"] {
        every_source(&root().join(directory), &mut files);
    }
    for file in files {
        text.push_str(&fs::read_to_string(file).unwrap());
    }
    let missing: Vec<_> = named.iter().filter(|name| !text.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/security.md names tests that are not there: {missing:?}");
}

fn every_source(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("vendor") {
            every_source(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// Every event that a crate logs by name is in `docs/events.md`.
#[test]
fn every_event_of_the_log_is_documented() {
    let documented = fs::read_to_string(root().join("docs/events.md")).unwrap();
    let mut files = Vec::new();
    every_source(&root().join("crates"), &mut files);
    let is_shipped = |file: &PathBuf| {
        let path = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        !path.contains("/tests") && !path.contains("/testnet/") && !path.contains("/fuzz/")
    };
    let mut events = 0;
    for file in files.iter().filter(|file| is_shipped(file)) {
        let text = fs::read_to_string(file).unwrap();
        for level in ["info", "warn", "error"] {
            for call in text.split(&format!("tracing::{level}!(")).skip(1) {
                let Some(event) = last_literal(call) else { continue };
                events += 1;
                let row = format!("| {} | {event} |", level.to_uppercase());
                assert!(documented.contains(&row), "{}: docs/events.md has no row {row:?}", file.display());
            }
        }
    }
    assert!(events > 40, "{events}");
}

/// The last string literal among the arguments of a call, the text of which begins behind its parenthesis.
fn last_literal(call: &str) -> Option<String> {
    let (mut depth, mut literal, mut last, mut is_escaped) = (1_u32, None::<String>, None, false);
    for char in call.chars() {
        match (&mut literal, char) {
            (Some(text), _) if is_escaped => {
                text.push(char);
                is_escaped = false;
            }
            (Some(_), '\\') => is_escaped = true,
            (Some(_), '"') => last = literal.take(),
            (Some(text), _) => text.push(char),
            (None, '"') => literal = Some(String::new()),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    last
}
