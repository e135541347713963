//! Dossiers: what was released is read through them, and nothing else.

use model::{Authority, Phase, Retention};
use proof::{Fact, Leaf};

use super::*;
use crate::NewDossier;

fn market() -> ThemeId {
    theme("marketplace")
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// Three captures of `/a`, of which the first two are one version, and one of `/b` between them, each analysed.
async fn store(dir: &Path) -> Store {
    let store = open(dir);
    let pages: [(&str, &[u8]); 4] = [("/a", b"one"), ("/b", b"other"), ("/a", b"one"), ("/a", b"two")];
    for (path, payload) in pages {
        store.record(finished("marketplace", path, payload)).await.unwrap();
    }
    let versions = [
        (3, "/a", version(1, Seq(1), Seq(3), b"one")),
        (2, "/b", version(1, Seq(2), Seq(2), b"other")),
        (4, "/a", version(2, Seq(4), Seq(4), b"two")),
    ];
    for (seq, path, version) in versions {
        let hint = CrawlHint {
            target: TARGET,
            uri: uri(path).id(),
            outcome: Outcome::Ok,
            kind: PageKind::Other,
            refresh: None,
            has_changed: true,
            is_quarantined: false,
        };
        let analysis = Analysis {
            seq: Seq(seq),
            hint,
            document: None,
            sketch: None,
            findings: Vec::new(),
            version: Some((uri(path).id(), version)),
        };
        store.put_analyses(market(), &[analysis], Seq(4)).unwrap();
    }
    store
}

fn release(store: &Store, versions: &[u64]) -> Result<u64, Error> {
    let versions: Vec<Seq> = versions.iter().copied().map(Seq).collect();
    let new = NewDossier {
        title: "Lanterns",
        purpose: "case 17",
        recipient: "bob",
        note: Some("stolen"),
        versions: &versions,
        at: at(7),
    };
    store.release_dossier(&reader(), market(), &new)
}

fn reading(store: &Store, dossier: u64) -> Vec<Result<Vec<u8>, String>> {
    let grant = Authority::of_this_process().dossier("bob", market(), dossier);
    let read = |seq| store.dossier_payload(&grant, market(), dossier, Seq(seq)).map_err(|error| error.to_string());
    (1..=5).map(read).collect()
}

fn not_in(seq: u64, dossier: u64) -> Result<Vec<u8>, String> {
    Err(format!("there is no capture marketplace/{seq} in dossier {dossier}"))
}

#[tokio::test]
async fn a_dossier_gives_what_it_holds_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    // Any capture names the version.
    let id = release(&store, &[3]).unwrap();
    let one = || Ok(b"one".to_vec());
    assert_eq!(reading(&store, id), [one(), not_in(2, id), one(), not_in(4, id), not_in(5, id)]);
    assert_eq!(store.dossier_captures(&reader(), market(), id).unwrap(), [Seq(1), Seq(3)]);

    // Its grant is good for nothing else.
    let grant = Authority::of_this_process().dossier("bob", market(), id);
    let first = CaptureId { theme: market(), seq: Seq(1) };
    assert!(matches!(store.capture(&grant, first), Err(Error::NotGranted(_))));
    assert!(matches!(store.document(&grant, first), Err(Error::NotGranted(_))));
    assert!(matches!(store.dossiers(&grant, market()), Err(Error::NotGranted(_))));
    assert!(matches!(store.dossier(&grant, theme("cybercrime"), id), Err(Error::NotGranted(_))));
    let other = release(&store, &[4]).unwrap();
    assert!(matches!(store.dossier_capture(&grant, market(), other, Seq(4)), Err(Error::NotGranted(_))));
    let of_other_theme = Authority::of_this_process().grant("bob", theme("cybercrime"), Phase::OperationalUse);
    assert!(matches!(store.dossier_capture(&of_other_theme, market(), id, Seq(1)), Err(Error::NotGranted(_))));
    assert!(matches!(store.dossier_capture(&reader(), market(), 99, Seq(1)), Err(Error::NoDossier(99))));
}

#[tokio::test]
async fn what_is_released_added_and_withdrawn_is_a_leaf_each() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    assert!(matches!(release(&store, &[9]), Err(Error::NoVersion(_))));
    let id = release(&store, &[1, 3]).unwrap();
    let added =
        store.add_to_dossier(&reader(), market(), id, (&[Seq(4), Seq(1)], Some("more")), at(8)).unwrap().unwrap();
    let dossier = store.dossier(&reader(), market(), id).unwrap().unwrap();
    let versions: Vec<_> = dossier.versions.iter().map(|held| (held.first.0, held.last.0, held.leaf)).collect();
    assert_eq!(versions, [(1, 3, id), (4, 4, added)]);
    assert_eq!((dossier.recipient.as_str(), dossier.released_by.as_str()), ("bob", "system:maintenance"));
    let withdrawn = store.withdraw_dossier(&reader(), market(), id, "wrong person", at(9)).unwrap().unwrap();
    let gone = format!("dossier {id} was withdrawn; leaf {withdrawn} of the evidence log says when");
    assert_eq!(reading(&store, id)[0], Err(gone));
    assert!(matches!(store.withdraw_dossier(&reader(), market(), id, "r", at(9)), Err(Error::DossierWithdrawn(..))));
    assert!(matches!(
        store.add_to_dossier(&reader(), market(), id, (&[Seq(2)], None), at(9)),
        Err(Error::DossierWithdrawn(..))
    ));
    assert_eq!(store.withdraw_dossier(&reader(), market(), 99, "r", at(9)).unwrap(), None);

    let steps = store.dossier_history(&reader(), market(), id).unwrap();
    let told: Vec<_> = steps
        .iter()
        .map(|step| (step.leaf, step.change.as_str(), step.versions.as_deref(), step.note.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (id, "released", Some("1"), Some("stolen")),
            (added, "added", Some("1,4"), Some("more")),
            (withdrawn, "withdrawn", None, Some("wrong person"))
        ]
    );
    let leaf = Leaf::decode(&store.log_leaf(added).unwrap().unwrap()).unwrap();
    assert_eq!(
        (leaf.kind, leaf.facts.get("dossier")),
        (proof::LeafKind::Release, Some(&Fact::Int(i64::try_from(id).unwrap())))
    );
    drop(store);
    assert!(open(dir.path()).dossier(&reader(), market(), id).unwrap().unwrap().withdrawn.is_some());
}

#[tokio::test]
async fn what_is_erased_or_sealed_is_read_through_no_dossier() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let id = release(&store, &[1, 4]).unwrap();
    store.set_seal(&reader(), market(), Seq(4), "r", at(9)).unwrap();
    let erase = |seq| {
        let subject = model::Subject::Capture(Seq(seq));
        store.erase(
            &reader(),
            market(),
            &crate::ErasureOrder { subject, ground: "g".into(), at: at(9), forgets_uris: false },
        )
    };
    erase(2).unwrap();
    erase(3).unwrap();
    let read = reading(&store, id);
    assert_eq!((&read[0], &read[1]), (&Ok(b"one".to_vec()), &not_in(2, id)), "of another's erasure it tells nothing");
    assert!(read[2].as_ref().is_err_and(|error| error.contains("was erased")), "{read:?}");
    assert!(read[3].as_ref().is_err_and(|error| error.contains("is sealed")), "{read:?}");
    assert_eq!(store.dossier_captures(&reader(), market(), id).unwrap(), [Seq(1)]);
    let custody = Authority::of_this_process().custody("carl", market());
    assert!(
        matches!(store.dossier_capture(&custody, market(), id, Seq(4)), Err(Error::Sealed(..))),
        "nor under custody"
    );
}

/// A release keeps nothing from retention; a hold does, and both are told.
#[tokio::test]
async fn how_long_a_released_version_is_kept_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path()).await;
    let retention = Retention { content_days: Some(1), attempts_days: None };
    let capture = store.capture(&reader(), CaptureId { theme: market(), seq: Seq(1) }).unwrap().unwrap();
    let keeping = store.keeping(market(), &capture, &retention).unwrap();
    assert_eq!((keeping.held, keeping.until), (None, Some(at(1_000 + 86_400_000_000))));
    let hold = store.set_hold(&reader(), market(), model::Subject::Version(Seq(1)), "r", at(9)).unwrap();
    assert_eq!(store.keeping(market(), &capture, &retention).unwrap().held, Some(hold));
    assert_eq!(store.keeping(market(), &capture, &Retention::default()).unwrap().until, None);
}
