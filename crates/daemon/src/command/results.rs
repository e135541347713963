//! Search results, carried to a file.

use std::{fs::File, io::Write as _, path::Path};

use anyhow::Context as _;
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use model::Digest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::search::parameters;
use crate::{
    cli::{ResultsFormat, SearchArgs},
    client::{Client, query},
    failure::Failure,
    print,
};

/// Parameters that say which part of an answer is wanted.
const OF_A_PAGE: [&str; 2] = ["limit", "after"];

pub(super) async fn run(client: &Client, args: &SearchArgs, file: &Path, wants_json: bool) -> Result<(), Failure> {
    let output = std::path::absolute(file).context("the file has no absolute path")?;
    let format = match args.format {
        Some(format) => format,
        None if output.extension().is_some_and(|end| end == "jsonl") => ResultsFormat::Jsonl,
        None => ResultsFormat::Csv,
    };
    let pairs: Vec<_> = parameters(args).into_iter().filter(|(name, _)| !OF_A_PAGE.contains(name)).collect();
    let body = json!({
        "query": query(&pairs).trim_start_matches('?'),
        "purpose": args.purpose,
        "file": output,
    });
    // Whoever cannot write the file should not have ordered it.
    let made = File::create_new(&output).with_context(|| format!("{} cannot be made", output.display()))?;
    let path = format!("/themes/{}/search/export?format={}", args.theme, format.name());
    let carried = carry(client, &path, &body, made).await;
    let (leaf, bytes, digest) = carried.inspect_err(|_| discard(&output))?;
    let leaf = format!("{}/{leaf}", args.theme);
    if wants_json {
        print::json(&json!({ "export": leaf, "bytes": bytes, "digest": digest, "file": output }));
    } else {
        print::line(&format!("export {leaf}: {bytes} bytes in {}, SHA-256 {digest}", output.display()));
    }
    Ok(())
}

/// A part of the results is none: they are ordered anew.
fn discard(file: &Path) {
    drop(std::fs::remove_file(file));
}

async fn carry(
    client: &Client,
    path: &str,
    body: &serde_json::Value,
    mut file: File,
) -> Result<(String, u64, Digest), Failure> {
    let (answer, _driver) = client.download(path, body).await?;
    let leaf = told(answer.headers(), "nachtwacht-leaf");
    let expected: Digest =
        told(answer.headers(), "etag").trim_matches('"').parse().context("the daemon does not tell the digest")?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the daemon's answer broke off")?;
        let piece = frame.data_ref().map_or(&[][..], |data| data);
        file.write_all(piece).context("the file cannot be written")?;
        hash.update(piece);
        bytes += piece.len() as u64;
    }
    file.sync_all().context("the file cannot be written")?;
    let found = Digest::from_bytes(hash.finalize().into());
    if found == expected {
        Ok((leaf, bytes, found))
    } else {
        Err(Failure::Refused("what came is not what the daemon said would come".into()))
    }
}

fn told(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
