//! Stores as released versions wrote them, kept in `fixtures`: each opens in this version, holds, and shows what it showed then.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use model::{Authority, CaptureId, Digest, Grant, Label, Phase, Purpose, Seq, Subject, TargetId, ThemeId, Timestamp};
use proof::{LeafKind, SignerKey};
use serde_json::{Value, json};
use store::{
    Account, Act, CaptureFilter, CredentialKey, Depth, ErasureOrder, FORMAT, NewLabel, Notary, Password, Store, Token,
    TokenKind,
};
use tests::{Deadline, samples, wait_until};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The most that a fixture may weigh, in bytes.
const MOST: u64 = 200_000;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn theme() -> ThemeId {
    "marketplace".parse().unwrap()
}

fn open(dir: &Path) -> Store {
    let config = store::Config { floor_mb: 0, reserve_mb: 0, ..store::Config::default() };
    Store::open(&dir.join("store"), &config, CredentialKey::from_bytes(&[7; 32])).unwrap()
}

fn notary(store: &Store, dir: &Path) -> Notary {
    Notary::new(
        store.clone(),
        SignerKey::from_secret("nachtwacht/fixture", &[9; 32]).unwrap(),
        &dir.join("checkpoints"),
    )
}

/// Lets the analysis work until it has caught up, and everything that an erasure asks for is done.
async fn analyse(store: &Store, dir: &Path) {
    let indexes = Arc::new(search::Indexes::open(dir.join("index"), search::Config::default()).unwrap());
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(derive::Deriver::new(derive::Config::default(), store.clone(), indexes).run(stop.clone()));
    wait_until("everything is analysed", Deadline::seconds(120), || async {
        let newest = store.newest().borrow().get(&theme()).copied().unwrap_or_default();
        let is_done = store.derive_cursor(theme())? == newest && store.view_changes(theme())?.is_empty();
        Ok(is_done.then_some(()))
    })
    .await
    .unwrap();
    stop.cancel();
    tasks.join_next().await.unwrap().unwrap().unwrap();
}

/// What a store shows: the truth of it, as this version reads it.
fn shown(store: &Store) -> Value {
    let grant = Grant::system(Purpose::Maintenance);
    let page = store.captures(&grant, theme(), CaptureFilter::All, None, 1_000).unwrap();
    let captures: Vec<Value> = page
        .captures
        .iter()
        .map(|capture| {
            let payload = store.payload(&Grant::system(Purpose::Derivation), theme(), capture).unwrap();
            json!([
                capture.seq.0,
                capture.uri.to_string(),
                capture.outcome.to_string(),
                Digest::of(&payload).to_string()
            ])
        })
        .collect();
    let page = samples::uri("/page").id();
    let namings = store.namings(&grant, theme(), page, (Seq(0), Seq(1_000))).unwrap();
    let names: Vec<Value> = namings.into_iter().map(|naming| json!([naming.version.0, naming.name])).collect();
    let labels = store.all_labellings(&grant, theme()).unwrap().into_iter();
    let labels: Vec<Value> =
        labels.map(|label| json!([label.version.0, label.label, label.author, label.note])).collect();
    let holds = store.holds(&grant, theme()).unwrap().into_iter();
    let holds: Vec<Value> = holds.map(|hold| json!([hold.leaf, hold.who, hold.reason])).collect();
    let seals: Vec<u64> = store.seals(&grant, theme()).unwrap().into_iter().map(|(seq, _)| seq.0).collect();
    let target = store.target(theme(), TargetId::from_u64(7)).unwrap().unwrap();
    let accounts = store.accounts().unwrap().into_iter();
    let accounts: Vec<Value> = accounts.map(|account| json!([account.name, account.full_name])).collect();
    let head = |head: store::Head| json!([head.size, format!("{:?}", head.root)]);
    json!({
        "captures": captures,
        "names": names,
        "labels": labels,
        "holds": holds,
        "seals": seals,
        "target": [target.name, target.terms().map(|terms| terms.grounds.clone())],
        "accounts": accounts,
        "evidence_log": head(store.log_head()),
        "audit_log": head(store.audit_head()),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_every_released_format_opens_and_shows_what_it_showed() {
    let mut formats = Vec::new();
    for entry in fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(format) = name.strip_prefix("store-").and_then(|name| name.strip_suffix(".tar.zst")) else { continue };
        formats.push(format.parse::<u32>().unwrap());
        assert!(path.metadata().unwrap().len() < MOST, "{name}");
        let dir = tempfile::tempdir().unwrap();
        let tar = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
        let mut unpack = Command::new("tar").arg("-xC").arg(dir.path()).stdin(Stdio::piped()).spawn().unwrap();
        unpack.stdin.take().unwrap().write_all(&tar).unwrap();
        assert!(unpack.wait().unwrap().success());

        let store = open(dir.path());
        let noted: Value = serde_json::from_slice(&fs::read(dir.path().join("shown.json")).unwrap()).unwrap();
        assert_eq!(shown(&store), noted, "{name}");
        let report = notary(&store, dir.path()).verify(Depth::Full, &mut |_| true).unwrap();
        assert!(report.is_sound(), "{name}: {report:?}");
        assert!(report.captures >= 5 && report.erased >= 1 && report.checkpoints >= 1, "{name}: {report:?}");

        // What is derived is made anew, and the store takes more.
        derive::Deriver::forget(
            &store,
            &search::Indexes::open(dir.path().join("index"), search::Config::default()).unwrap(),
            &[theme()],
        )
        .unwrap();
        samples::record(&store, theme(), "/later", b"<p>Written by this version.").await.unwrap();
        analyse(&store, dir.path()).await;
        let report = notary(&store, dir.path()).verify(Depth::Full, &mut |_| true).unwrap();
        assert!(report.is_sound(), "{name}: {report:?}");
    }
    formats.sort_unstable();
    assert_eq!(formats, (3..=FORMAT).collect::<Vec<_>>(), "of each format since the first release there is a store");
}

/// Writes the fixture of this version: once, when the format has changed, before a release.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes a file of the source"]
async fn keep_a_store_of_this_format() {
    let dir = tempfile::tempdir().unwrap();
    let at = |second: i64| Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000);
    let grant = Authority::of_this_process().grant("keeper", theme(), Phase::Analysis);
    let store = open(dir.path());
    notary(&store, dir.path()).begin(at(0)).unwrap();
    samples::add_target(&store, theme(), TargetId::from_u64(7), samples::terms(samples::uri("/")), at(1)).unwrap();
    let long = "<p>A long and even text, of which little changes. ".repeat(60);
    for (path, payload) in [
        ("/", "<h1>The front page</h1><a href=\"/page\">A page</a>".to_owned()),
        ("/page", format!("<h1>Offer</h1>{long}<p>0.5 BTC")),
        ("/page", format!("<h1>Offer</h1>{long}<p>0.6 BTC")),
        ("/page", format!("<h1>Offer</h1>{long}<p>0.6 BTC")),
        ("/gone", "<p>What was erased.".to_owned()),
        ("/sealed", "<p>What was sealed.".to_owned()),
        ("/held", "<p>What is held.".to_owned()),
    ] {
        samples::record(&store, theme(), path, payload.as_bytes()).await.unwrap();
    }
    analyse(&store, dir.path()).await;
    let version = |seq| CaptureId { theme: theme(), seq: Seq(seq) };
    let page = samples::uri("/page").id();
    store.name_version(&grant, version(2), page, Some("Before the change"), "keeper", at(2)).unwrap();
    let label =
        NewLabel { label: Some(Label::Relevant), indicator: None, author: "keeper", note: Some("A note."), at: at(3) };
    store.label_version(&grant, version(2), page, &label).unwrap();
    store.set_hold(&grant, theme(), Subject::Capture(Seq(7)), "Exhibit 4", at(4)).unwrap();
    let order =
        ErasureOrder { subject: Subject::Capture(Seq(5)), ground: "A test.".into(), at: at(5), forgets_uris: false };
    store.erase(&grant, theme(), &order).unwrap();
    store.set_seal(&grant, theme(), Seq(6), "A test.", at(6)).unwrap();
    analyse(&store, dir.path()).await;
    let act = || Act::new(theme(), LeafKind::Access, at(7)).fact("what", "a fixture");
    let account = Account {
        name: "anna".parse().unwrap(),
        full_name: "Anna de Vries".into(),
        made_at: at(7),
        made_by: "keeper".into(),
        is_disabled: false,
        password: Password { hash: "none".into(), set_at: at(7), is_one_time: true },
        roles: Vec::new(),
    };
    store.add_account(&account, &act()).unwrap();
    let token = Token {
        account: account.name.clone(),
        kind: TokenKind::Program { label: "a program".into(), scopes: Vec::new() },
        made_at: at(7),
        fresh_at: at(7),
        used_at: at(7),
        ends_at: at(8),
    };
    store.add_token(&Digest::of(b"a secret"), &token, &act()).unwrap();
    store.audit(act(), false).unwrap();
    store.anchor_audit(at(9)).unwrap();
    notary(&store, dir.path()).sign(at(10)).unwrap();
    fs::write(dir.path().join("shown.json"), serde_json::to_vec_pretty(&shown(&store)).unwrap()).unwrap();
    drop(store);

    // The log of RocksDB is for people.
    let mut pack = Command::new("tar");
    pack.arg("-cC").arg(dir.path()).args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    pack.args(["--exclude=LOG*", "--exclude=LOCK", "store", "checkpoints", "shown.json"]);
    let tar = pack.output().unwrap();
    assert!(tar.status.success());
    let packed = zstd::encode_all(tar.stdout.as_slice(), 19).unwrap();
    assert!((packed.len() as u64) < MOST, "{}", packed.len());
    fs::create_dir_all(directory()).unwrap();
    fs::write(directory().join(format!("store-{FORMAT}.tar.zst")), packed).unwrap();
}
