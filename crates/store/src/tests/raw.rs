//! The bytes on disk.

use super::*;

fn sketch() -> crate::Sketch {
    crate::Sketch {
        host: ONION.into(),
        seen: Timestamp::from_micros(1_000),
        kind: PageKind::Listing,
        is_content: true,
        place: crate::Mark::of("place", &["/a"]),
        title: "t".into(),
        text: 7,
        shape: 7,
        runs: vec![8],
        listing: Some(crate::ListingSketch {
            title: "T".into(),
            vendor: Some("v".into()),
            price: Some(model::Price { amount: "1.50".into(), currency: "EUR".into() }),
            marks: vec![crate::Mark::of("item", &["t", "v"])],
        }),
        vendor: None,
        observables: vec![(model::ObservableKind::Email, model::Grade::ShapeOnly, "a@example.org".into())],
        mentions: vec![crate::Mention { host: "h".into(), is_called_mirror: true }],
    }
}

/// The bytes on disk of one row of every table, so that no change of format slips in unseen.
#[tokio::test]
async fn raw_bytes_of_every_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let market = theme("marketplace");
    let mut owing = record("/b", Some(5));
    owing.redirects.push(uri("/r"));
    store
        .apply(
            market,
            &CrawlBatch {
                uris: vec![owing],
                templates: vec![(TARGET, TemplateRecord { template: "/{n}".into(), admitted: 3, refused: 1 })],
                up_to: Some(Seq(1)),
            },
        )
        .unwrap();
    store.record(finished("marketplace", "/a", b"p")).await.unwrap();
    let (page, next) = (b"A page that changes. ".repeat(20), b"A page that changed. ".repeat(20));
    store.record(finished("marketplace", "/c", &page)).await.unwrap();
    let visit = finished("marketplace", "/c", &next);
    let evidence = store.evidence(market, visit.evidence.capture().clone(), &next).unwrap();
    store.record(FinishedVisit { evidence, ..visit }).await.unwrap();
    add_target(&store);
    let named = CaptureId { theme: market, seq: Seq(1) };
    store.name_version(&reader(), named, uri("/a").id(), Some("n"), "a", Timestamp::from_micros(3_500)).unwrap();
    let signer = proof::SignerKey::from_secret("nachtwacht/test", &[1; 32]).unwrap();
    let notary = crate::Notary::new(store.clone(), signer, dir.path());
    notary.begin(Timestamp::from_micros(4_000)).unwrap();
    notary.sign(Timestamp::from_micros(5_000)).unwrap();
    let hint = CrawlHint {
        target: TARGET,
        uri: uri("/a").id(),
        outcome: Outcome::Ok,
        kind: PageKind::Other,
        refresh: None,
        has_changed: true,
        is_quarantined: false,
    };
    let version = version(1, Seq(1), Seq(1), b"t");
    let document = Document {
        extractor: 1,
        charset: "UTF-8".into(),
        charset_source: model::CharsetSource::Guess,
        title: "t".into(),
        text: "t".into(),
        language: None,
        languages: Vec::new(),
        hidden: Vec::new(),
        images: Vec::new(),
        shape: 0,
        kind: PageKind::Other,
        links: vec![model::Link { uri: uri("/b"), anchor: "b".into(), rel: None }],
        refresh: None,
        forms: vec![model::FormKind::Search],
        observables: vec![model::Observable {
            kind: model::ObservableKind::Email,
            grade: model::Grade::ShapeOnly,
            value: "a@example.org".into(),
            at: 0..1,
            key: None,
        }],
        cues: Vec::new(),
        fields: model::Fields::default(),
        content_digest: Digest::of(b"t"),
        digest_rule: 1,
    };
    let finding = model::Finding {
        indicator: "i".into(),
        version: 9,
        score: 2,
        contributions: vec![model::Contribution {
            condition: "c".into(),
            weight: 2,
            spans: vec![model::Span { place: model::Place::Field { name: "listing.title".into(), item: 0 }, at: 0..1 }],
            matches: 1,
        }],
    };
    store
        .put_analyses(
            market,
            &[Analysis {
                seq: Seq(1),
                hint,
                document: Some(document),
                sketch: Some(sketch()),
                findings: vec![finding],
                version: Some((uri("/a").id(), version)),
            }],
            Seq(4),
        )
        .unwrap();
    let (at, because) = (Timestamp::from_micros(6_000), "because");
    for (kind, name) in [(crate::RuleKind::Indicator, "i"), (crate::RuleKind::SiteProfile, "s")] {
        let change = crate::RuleChange { kind, name, text: Some("rule"), author: "a", replaces: None, at };
        store.change_rule(&reader(), market, &change).unwrap();
    }
    let label =
        crate::NewLabel { label: Some(model::Label::Unsure), indicator: Some("i"), author: "a", note: Some("n"), at };
    store.label_version(&reader(), named, uri("/a").id(), &label).unwrap();
    let watch = model::Watch {
        name: "w".into(),
        owner: "a".into(),
        reason: because.into(),
        purpose: None,
        query: "q=x".into(),
        trigger: model::Trigger::Arrival,
        grouping: model::Grouping::Uri,
        quiet: Some("22:00-06:00".parse().unwrap()),
        is_paused: false,
    };
    let new = crate::NewWatch { watch: &watch, after: Seq(0), most: 1, at };
    let id = store.add_watch(&reader(), market, &new).unwrap();
    let kept = store.watch(&reader(), market, id).unwrap().unwrap();
    let state = crate::WatchState { cursor: Seq(1), ran_at: Some(at), hits: 1, ..crate::WatchState::default() };
    let found = vec![vec![Seq(1)]];
    store.note_run(&reader(), market, crate::WatchRun { watch: &kept, after: Seq(0), state, found, at }).unwrap();
    store.acknowledge(&reader(), market, 1, Some("n"), at).unwrap();
    store.put_spool_state(market, &crate::SpoolState { up_to: 1, problem: None }).unwrap();
    let new = crate::NewDossier { title: "d", purpose: because, recipient: "b", note: None, versions: &[Seq(1)], at };
    store.release_dossier(&reader(), market, &new).unwrap();
    store.put_findings(market, &[], &[(9, crate::Scoring::UpTo(Seq(3)))]).unwrap();
    store.put_site_reading(market, crate::SiteReading { set: 9, up_to: None, is_index_behind: false }).unwrap();
    store.put_extractor(market, 1).unwrap();
    store.record(finished("marketplace", "/d", b"d")).await.unwrap();
    store.set_hold(&reader(), market, model::Subject::Version(Seq(2)), because, at).unwrap();
    let order = crate::ErasureOrder {
        subject: model::Subject::Capture(Seq(4)),
        ground: "ground".into(),
        at,
        forgets_uris: false,
    };
    store.erase(&reader(), market, &order).unwrap();
    store.set_seal(&reader(), market, Seq(3), because, at).unwrap();
    let copy = crate::LocalCopy { path: "/export.wacz".into(), theme: market, captures: vec![Seq(1)], must_go: false };
    store.note_copy(&copy).unwrap();
    let visit = finished("marketplace", "/a", b"p");
    let probe = FinishedProbe { theme: market, evidence: visit.evidence, host: visit.host, state: visit.state.1 };
    store.submit_probe(probe).await.unwrap().acknowledged().await.unwrap();
    let ann: model::AccountName = "ann".parse().unwrap();
    let act = |action: &str| {
        let act = crate::Act::new(market, proof::LeafKind::Account, at).fact("who", "local").fact("action", action);
        act.part("reason", because)
    };
    let password = crate::Password { hash: "hash".into(), set_at: at, is_one_time: true };
    let role = model::RoleGrant {
        number: 1,
        role: model::Role::Investigator,
        theme: Some(market),
        may_search: true,
        qualification: "course".into(),
        given_by: "local".into(),
        given_at: at,
        ends_at: Timestamp::from_micros(9_000),
        ended: Some(model::RoleEnd { by: "local".into(), at, reason: because.into() }),
    };
    let account = crate::Account {
        name: ann.clone(),
        full_name: "Ann".into(),
        made_at: at,
        made_by: "local".into(),
        is_disabled: false,
        password,
        roles: vec![role],
    };
    store.add_account(&account, &act("make account")).unwrap();
    let scope = crate::TokenScope { role: model::Role::Investigator, theme: Some(market) };
    let kind = crate::TokenKind::Program { label: "job".into(), scopes: vec![scope] };
    let token = crate::Token { account: ann, kind, made_at: at, fresh_at: at, used_at: at, ends_at: at };
    store.add_token(&Digest::of(b"secret"), &token, &act("make token")).unwrap();
    let answer = Some(crate::KeyedAnswer { status: 201, location: Some("/made".into()) });
    let keyed = crate::KeyedRequest { asked: Digest::of(b"asked"), begun_at: at, answer };
    store.put_keyed_request(&Digest::of(b"key"), &keyed).unwrap();
    store.anchor_audit(at).unwrap();

    let mut lines = String::new();
    for table in Table::ALL {
        for (key, value) in store.raw_rows(&reader(), *table).unwrap() {
            let value = without_chance(*table, &key, value);
            lines += &format!("{table} {} → {}\n", key.escape_ascii(), value.escape_ascii());
        }
    }
    insta::assert_snapshot!(lines);
    let unseen: Vec<_> =
        Table::ALL.iter().filter(|table| store.raw_rows(&reader(), **table).unwrap().is_empty()).collect();
    assert_eq!(unseen, [&Table::Logins], "a table without a row in the snapshot");
}

/// A row without what differs from run to run: salts, what they enter into, and nonces. Compressed bytes and hashes have their own tests.
fn without_chance(table: Table, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let secrets: Vec<[u8; 32]> = match table {
        Table::Captures => match codec::decode(table, key, &value).unwrap() {
            CaptureRow::Kept(kept) => vec![*kept.salt.as_bytes()],
            CaptureRow::Erased { .. } => Vec::new(),
        },
        Table::Acts | Table::AuditActs => {
            let row: ActRow = codec::decode(table, key, &value).unwrap();
            row.salt.iter().map(|salt| *salt.as_bytes()).collect()
        }
        Table::LogLeaves if value.windows(5).any(|window| window == b"audit") => {
            let root = proof::Leaf::decode(&value).unwrap().facts.remove("root");
            root.into_iter()
                .filter_map(|root| if let proof::Fact::Bytes(root) = root { root.try_into().ok() } else { None })
                .collect()
        }
        Table::LogLeaves | Table::AuditLeaves => {
            proof::Leaf::decode(&value).unwrap().parts.values().map(|commitment| *commitment.as_bytes()).collect()
        }
        _ => Vec::new(),
    };
    for secret in secrets {
        let at = value.windows(32).position(|window| window == secret).unwrap();
        value[at..at + 32].fill(b'~');
    }
    match table {
        Table::Payloads if value.len() < 16 => {}
        Table::Logins
        | Table::Documents
        | Table::Payloads
        | Table::LogHashes
        | Table::LogHead
        | Table::AuditHashes
        | Table::AuditHead
        | Table::Checkpoints => {
            value = b"(not shown)".to_vec();
        }
        _ => {}
    }
    value
}
