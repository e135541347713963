//! Keys to restricted onion services, in the files that C tor uses too (`ClientOnionAuthDir` in its manual): one key a file, named
//! `*.auth_private`, a line of `<56 characters>:descriptor:x25519:<52 characters of base 32>`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use model::OnionAddress;

use crate::failure::Failure;

/// Where they lie.
pub(crate) fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("credentials").join("onion-auth")
}

/// Reads every key of the directory; none where there is no such directory.
pub(crate) fn load(directory: &Path) -> Result<Vec<(OnionAddress, fetch::ClientKey)>, Failure> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut keys = Vec::new();
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "auth_private"))
    {
        let problem = |problem: &str| Failure::Configuration { path: path.clone(), problem: problem.to_owned() };
        let text = fs::read_to_string(&path).map_err(|error| problem(&error.to_string()))?;
        let key = parse(&text)
            .ok_or_else(|| problem("not a line of <56 characters>:descriptor:x25519:<52 characters of base 32>"))?;
        keys.push(key);
    }
    Ok(keys)
}

fn parse(text: &str) -> Option<(OnionAddress, fetch::ClientKey)> {
    let (onion, key) = text.trim().split_once(":descriptor:x25519:")?;
    Some((onion.parse().ok()?, key.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_c_tor_writes_them() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(&dir.path().join("none")).unwrap(), []);
        let onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd";
        fs::write(dir.path().join("shop.auth_private"), format!("{onion}:descriptor:x25519:{}\n", "A".repeat(52)))
            .unwrap();
        fs::write(dir.path().join("notes.txt"), "not a key").unwrap();
        let keys = load(dir.path()).unwrap();
        assert_eq!(keys, [(onion.parse().unwrap(), fetch::ClientKey::from_bytes([0; 32]))]);
        fs::write(dir.path().join("bad.auth_private"), "nonsense").unwrap();
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("bad.auth_private") && !error.contains("nonsense"), "{error}");
    }
}
