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
