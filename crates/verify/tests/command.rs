//! The program, as a stranger runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// The export of the library's tests, and the key of its log.
const EXPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/export.warc");
const KEY: &str = "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_nachtwacht-verify")).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn file(directory: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn its_exit_tells_whether_all_holds() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let key = file(directory, "key", format!("\n{KEY}\n"));
    let (code, out, _) = run(&[EXPORT, "--key", &key]);
    assert_eq!((code, out.lines().count()), (0, 5), "{out}");
    assert!(out.ends_with("1 captures: all that could be checked holds, 2 things could not be checked\n"), "{out}");

    let spoilt = fs::read_to_string(EXPORT).unwrap().replacen("Shop", "Stop", 1);
    let spoilt = file(directory, "spoilt.warc", spoilt);
    let (code, out, _) = run(&[&spoilt, "--key", &key, "--json"]);
    assert_eq!(code, 1);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines.iter().any(|line| line["verdict"] == "fails" && line["what"].as_str().unwrap().contains("digest")),
        "{out}"
    );
    assert_eq!(lines.last().unwrap()["fails"], 4);

    let (code, out, err) = run(&["/nonexistent"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(err, "nachtwacht-verify: /nonexistent: it cannot be read: No such file or directory (os error 2)\n");
}

#[test]
fn what_is_to_be_trusted_must_be_readable() {
    let directory = tempfile::tempdir().unwrap();
    let rubbish = file(directory.path(), "rubbish", "rubbish");
    for (option, why) in [
        ("--key", "key: not of the form name+id+key"),
        ("--against", "note: no empty line before signatures"),
        ("--tsa-ca", "authority: no certificate in PEM"),
    ] {
        let (code, _, err) = run(&[EXPORT, option, &rubbish]);
        assert_eq!(code, 2);
        assert!(err.contains(why), "{err}");
    }
}
