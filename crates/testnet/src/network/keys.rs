use std::{
    collections::BTreeMap,
    env, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use data_encoding::BASE64_NOPAD;
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::{
    error::Error,
    slot::Router,
    tools::{self, Tools},
};

/// Keys are made anew long before the first of tor's own certificates among them, which lives 30 days, runs out.
const MAX_AGE: Duration = Duration::from_hours(14 * 24);
const MANIFEST: &str = "manifest.json";

/// What the rest of a network must know of one router to trust it.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) router: Router,
    /// Fingerprint of the RSA identity key, 40 hexadecimal digits.
    pub(crate) rsa: String,
    /// The Ed25519 identity key in base 64 without padding, as arti writes it.
    pub(crate) ed25519: String,
    /// Fingerprint of the identity key of a directory authority (dir-spec, section 3.1).
    pub(crate) v3ident: Option<String>,
}

/// Gives out the keys of routers: those of an earlier network at the same addresses, or new ones.
#[derive(Debug)]
pub(crate) struct Keys<'a> {
    pub(crate) tools: &'a Tools,
    /// Where keys are kept from one network to the next; `None` keeps none.
    pub(crate) cache: Option<PathBuf>,
    pub(crate) now: Timestamp,
}

/// What a directory of kept keys holds, so that a damaged or old one is noticed.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    made: Timestamp,
    tor: String,
    files: BTreeMap<String, Digest>,
}

/// `$XDG_CACHE_HOME/nachtwacht/testnet`, or its place under the home directory (XDG Base Directory Specification).
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
    Some(base.join("nachtwacht/testnet"))
}

impl Keys<'_> {
    /// Puts the keys of `router` into its data directory `home`, which begins anew.
    pub(crate) async fn provide(&self, router: &Router, home: PathBuf) -> Result<Identity, Error> {
        let home = home.as_path();
        let kept = self.cache.as_ref().map(|cache| cache.join(router.ip.to_string()).join(&router.name));
        clear(home).map_err(Error::file(home))?;
        if kept.as_ref().is_some_and(|kept| self.restore(kept, home).is_ok()) {
            return read_identity(router, home);
        }
        clear(home).map_err(Error::file(home))?;
        self.generate(router, home).await?;
        let identity = read_identity(router, home)?;
        if let Some(kept) = &kept
            && let Err(error) = self.keep(home, kept)
        {
            tracing::debug!(%error, path = %kept.display(), "keys are not kept for the next network");
        }
        Ok(identity)
    }

    async fn generate(&self, router: &Router, home: &Path) -> Result<(), Error> {
        make_private(&home.join("keys")).map_err(Error::file(home))?;
        if router.is_authority {
            let mut command = Command::new(&self.tools.gencert);
            command.current_dir(home).args(["--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a"]);
            command.arg(router.directory_address().to_string()).args(["-i", "keys/authority_identity_key"]);
            command.args(["-s", "keys/authority_signing_key", "-c", "keys/authority_certificate"]);
            tools::run("tor-gencert", &mut command, b"testing\n").await?;
        }
        // tor makes the keys of a relay when it is asked for its fingerprint; it wants to know an authority, though any
        // will do.
        let mut command = Command::new(&self.tools.tor);
        command.args(["--ignore-missing-torrc", "-f", "/nonexistent", "--defaults-torrc", "/nonexistent"]);
        command.args(["--quiet", "--list-fingerprint", "--SocksPort", "0", "--ContactInfo", "test@localhost"]);
        command.arg("--DataDirectory").arg(home).args(["--Nickname", &router.name]);
        command.args(["--ORPort", &router.or_address().to_string(), "--Address", &router.ip.to_string()]);
        command.args(["--DirAuthority", &format!("any 127.0.0.1:1 {}", "f".repeat(40))]);
        tools::run("tor", &mut command, b"").await?;
        Ok(())
    }

    /// Copies kept keys into `home`, when all of them are there, unchanged and fresh.
    fn restore(&self, kept: &Path, home: &Path) -> io::Result<()> {
        let manifest: Manifest = serde_json::from_slice(&fs::read(kept.join(MANIFEST))?)?;
        let is_fresh =
            manifest.made <= self.now && self.now.since(manifest.made) < MAX_AGE && manifest.tor == self.tools.version;
        if !is_fresh {
            return Err(io::Error::other("kept keys are not fresh"));
        }
        make_private(&home.join("keys"))?;
        for (name, digest) in &manifest.files {
            if Digest::of(&fs::read(kept.join(name))?) != *digest {
                return Err(io::Error::other("kept keys are damaged"));
            }
            fs::copy(kept.join(name), home.join(name))?;
        }
        Ok(())
    }

    /// Copies the keys in `home` to `kept`, which appears complete or not at all.
    fn keep(&self, home: &Path, kept: &Path) -> io::Result<()> {
        let mut unfinished = kept.to_owned();
        unfinished.set_extension(format!("unfinished-{}", std::process::id()));
        make_private(&unfinished.join("keys"))?;
        let mut files = BTreeMap::new();
        for name in key_files(home)? {
            files.insert(name.clone(), Digest::of(&fs::read(home.join(&name))?));
            fs::copy(home.join(&name), unfinished.join(&name))?;
        }
        let manifest = Manifest { made: self.now, tor: self.tools.version.clone(), files };
        fs::write(unfinished.join(MANIFEST), serde_json::to_vec(&manifest)?)?;
        clear(kept)?;
        fs::rename(unfinished, kept)
    }
}

/// Makes a directory, and those above it, that only their owner may enter: tor refuses others.
pub(crate) fn make_private(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Removes a directory, if it is there.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn key_files(home: &Path) -> io::Result<Vec<String>> {
    let mut names = vec!["fingerprint".to_owned()];
    for entry in fs::read_dir(home.join("keys"))? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(format!("keys/{name}"));
        }
    }
    Ok(names)
}

fn read_identity(router: &Router, home: &Path) -> Result<Identity, Error> {
    let read = |name: &str| fs::read(home.join(name)).map_err(Error::file(home.join(name)));
    let malformed = |name: &str| Error::file(home.join(name))(io::ErrorKind::InvalidData.into());
    let word_after = |text: &[u8], key: &str| {
        let text = String::from_utf8_lossy(text).into_owned();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(' ').map(str::trim).map(str::to_owned))?;
        (line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(line)
    };

    let rsa = word_after(&read("fingerprint")?, &router.name).ok_or_else(|| malformed("fingerprint"))?;
    // Behind a header of 32 bytes that says what the file is.
    let public = read("keys/ed25519_master_id_public_key")?;
    let key = public.get(32..64).ok_or_else(|| malformed("keys/ed25519_master_id_public_key"))?;
    let v3ident = if router.is_authority {
        let certificate = read("keys/authority_certificate")?;
        Some(word_after(&certificate, "fingerprint").ok_or_else(|| malformed("keys/authority_certificate"))?)
    } else {
        None
    };
    Ok(Identity { router: router.clone(), rsa, ed25519: BASE64_NOPAD.encode(key), v3ident })
}

#[cfg(test)]
mod tests {
    use model::{Clock as _, SystemClock};

    use super::*;

    async fn provide(cache: &Path, now: Timestamp) -> Identity {
        let tools = Tools::find().await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let router = Router { name: "relay0".to_owned(), is_authority: false, ip: [127, 100, 251, 1].into() };
        let keys = Keys { tools: &tools, cache: Some(cache.to_owned()), now };
        keys.provide(&router, home.path().join("relay0")).await.unwrap()
    }

    #[tokio::test]
    async fn kept_keys_serve_again_until_they_are_old_or_damaged() {
        let cache = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let first = provide(cache.path(), now).await;
        assert_eq!(provide(cache.path(), now).await.rsa, first.rsa);

        let renewed = provide(cache.path(), now.after(MAX_AGE)).await;
        assert_ne!(renewed.rsa, first.rsa, "old keys are replaced");

        let key = cache.path().join("127.100.251.1/relay0/keys/secret_id_key");
        fs::write(key, "not a key").unwrap();
        assert_ne!(provide(cache.path(), now.after(MAX_AGE)).await.rsa, renewed.rsa, "damaged keys are replaced");
    }
}
