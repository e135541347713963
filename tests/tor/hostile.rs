//! Every misbehaviour of the hostile site ends in the outcome that `docs/outcomes.md` says, and what is kept is what was sent.

use std::{collections::BTreeMap, fs, path::Path};

use model::Outcome;
use testnet::sites::{Tls, hostile};

use super::*;

/// Pages with bytes behind the announced end of their body, which belong to no exchange: some may be read, all need not.
const BEHIND_THE_END: [&str; 5] =
    ["/broken/second-answer", "/broken/switching", "/length/too-short", "/length/zero", "/length/no-content"];

/// The rows of a table of `docs/outcomes.md`, by its heading: first cell without back-ticks → last cell.
pub(super) fn documented(heading: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/outcomes.md")).unwrap();
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_else(|| panic!("no section {heading}"));
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = |row: &str| {
        row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>()
    };
    rows.map(cells)
        .filter(|cells| cells.len() >= 3)
        .map(|cells| (cells[0].clone(), cells[cells.len() - 1].clone()))
        .collect()
}

/// The bytes received, put together again as an expert would from the capture.
fn block(exchange: &Exchange) -> Vec<u8> {
    let mut block = exchange.response_head.clone();
    match &exchange.framing {
        Some(framing) => framing.weave_into(&exchange.payload, &mut block),
        None => block.extend_from_slice(&exchange.payload),
    }
    block
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_hostile_site_ends_as_documented() {
    let underworld = underworld();
    let site = underworld.sites.hostile();
    let (_dir, _tor, fetcher) = client(underworld.network.arti_config_file(), short()).await;
    let (onion, mut documented) = (underworld.onion("hostile").unwrap(), documented("The hostile site"));
    let mut differences = Vec::new();
    let mut epoch = 0;
    for case in hostile::cases() {
        let exchange = get(&fetcher, &format!("http://{onion}{}", case.path), epoch).await;
        // What comes late behind the end would be taken for the beginning of the next answer.
        epoch += u32::from(BEHIND_THE_END.contains(&case.path));
        let expected = documented.remove(case.path).unwrap_or_else(|| "(not documented)".into());
        if exchange.outcome.to_string() != expected {
            differences.push(format!(
                "| `{}` | {} | `{}` |  documented: {expected}; {:?}",
                case.path, case.what, exchange.outcome, exchange.detail
            ));
        }
        let (kept, sent) = (block(&exchange), site.sent(case.path).unwrap_or_default());
        if exchange.block_len != kept.len() as u64 || exchange.block_digest != model::Digest::of(&kept) {
            differences.push(format!("{}: the digest is not that of the {} bytes kept", case.path, kept.len()));
        }
        let is_whole = exchange.truncation.is_none()
            && exchange.outcome != Outcome::ContentTypeRefused
            && !BEHIND_THE_END.contains(&case.path);
        if !sent.starts_with(&kept[..kept.len().min(sent.len())])
            || (is_whole && kept.len() < sent.len() && exchange.outcome.has_content())
        {
            differences.push(format!(
                "{}: {} bytes kept are not the beginning of the {} sent",
                case.path,
                kept.len(),
                sent.len()
            ));
        }
    }
    for (manner, port) in Tls::ALL.iter().zip(tests::TLS_PORT..) {
        let exchange = get(&fetcher, &format!("https://{onion}:{port}/"), 0).await;
        let name = format!("TLS: {manner:?}");
        let expected = documented.remove(&name).unwrap_or_else(|| "(not documented)".into());
        if exchange.outcome.to_string() != expected {
            differences
                .push(format!("| {name} | | `{}` |  documented: {expected}; {:?}", exchange.outcome, exchange.detail));
        }
        assert_eq!(exchange.tls.is_some(), exchange.outcome == Outcome::Ok, "{name}: the certificate is recorded");
    }
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
    assert!(documented.is_empty(), "documented, and not there: {documented:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_of_the_hostile_site_ends_and_stays_small() {
    let underworld = underworld();
    let dir = tempfile::tempdir().unwrap();
    let settings = "crawl.requests_per_s = 0\ncrawl.uris_per_template = 20\ncrawl.backoff_min_s = 1\ncrawl.backoff_max_s = 1\ncrawl.retries = 0\ncrawl.retry_after_max_s = 1\n\
         fetch.limits.first_byte_s = 4\nfetch.limits.idle_s = 3\nfetch.limits.total_s = 8\n";
    let mut daemon =
        tests::Daemon::prepare(dir.path(), &underworld.network.arti_config_file(), settings).await.unwrap();
    daemon.start().await.unwrap();
    let seed = underworld.seed("hostile").unwrap();
    let id =
        daemon.add_target("cybercrime", "hostile", &seed, &["--delay-ms", "0", "--concurrency", "8"]).await.unwrap();
    daemon.wait_until_idle(Deadline::seconds(180)).await.unwrap();
    let captures = daemon.captures("cybercrime").await.unwrap();
    let onion = underworld.onion("hostile").unwrap().to_string();
    assert!(
        captures.iter().all(|capture| capture["uri"].as_str().unwrap().contains(&onion)),
        "a capture outside the scope"
    );
    let captured: std::collections::BTreeSet<String> = captures
        .iter()
        .map(|capture| capture["uri"].as_str().unwrap().parse::<Uri>().unwrap().path_and_query())
        .collect();
    let missing: Vec<String> =
        underworld.sites.hostile().pages().into_iter().filter(|page| !captured.contains(page)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let target = daemon.get(&format!("/themes/cybercrime/targets/{id}")).await.unwrap();
    assert!(!target["traps"].as_array().unwrap().is_empty(), "no trap is reported");
    let peak = peak_memory_mb(daemon.pid().unwrap());
    assert!(peak < 400, "{peak} MB");
    daemon.stop().await.unwrap();
}

/// The most memory that a process was resident with, in megabytes.
fn peak_memory_mb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
