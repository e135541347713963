//! Exports: ordering one, and carrying its bytes to a file, in one go or in several.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use anyhow::Context as _;
use http_body_util::BodyExt as _;
use hyper::{HeaderMap, Method};
use model::{CaptureId, Digest, ThemeId};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{cli::ExportArgs, client::Client, failure::Failure, print};

pub(super) async fn run(client: &Client, args: ExportArgs, wants_json: bool) -> Result<(), Failure> {
    let output = args.output.clone();
    let (path, name, file) = if let Some(CaptureId { theme, seq: leaf }) = args.unfinished {
        let file = OpenOptions::new().read(true).write(true).open(&output);
        let file = file.with_context(|| format!("{} cannot be continued", output.display()))?;
        (format!("/themes/{theme}/exports/{leaf}"), format!("{theme}/{leaf}"), file)
    } else {
        let (theme, order) = order(&args)?;
        // Whoever cannot write the file should not have ordered it.
        let file = File::create_new(&output).with_context(|| format!("{} cannot be made", output.display()))?;
        let ordered = client.send(Method::POST, &format!("/themes/{theme}/exports"), Some(&order)).await;
        let export = ordered.inspect_err(|_| _ = std::fs::remove_file(&output))?;
        let path = export["path"].as_str().context("the daemon's answer names no export")?.to_owned();
        (path, format!("{theme}/{}", export["leaf"]), file)
    };
    note(client, &path, &output).await?;
    let (bytes, digest) = carry(client, &path, file).await.map_err(|failure| match failure {
        Failure::Refused(_) => failure,
        other => Failure::Other(anyhow::anyhow!(
            "{other}; go on with `nachtwacht export --continue {name} --output {}`",
            output.display()
        )),
    })?;
    if wants_json {
        print::json(&json!({ "export": name, "bytes": bytes, "digest": digest, "file": output.display().to_string() }));
    } else {
        print::line(&format!("export {name}: {bytes} bytes in {}, SHA-256 {digest}", output.display()));
    }
    Ok(())
}

/// Lets an erasure of what the export holds reach its file. An export without that is better than none, for whoever is told.
async fn note(client: &Client, export: &str, output: &Path) -> Result<(), Failure> {
    let path = std::path::absolute(output).context("the file has no absolute path")?;
    let Some(path) = path.to_str() else {
        let why = format!("{} is not UTF-8, so that an erasure will not reach the file", path.display());
        print::problem(&Failure::Refused(why));
        return Ok(());
    };
    match client.send(Method::PUT, &format!("{export}/file"), Some(&json!({ "path": path }))).await {
        Ok(_) => Ok(()),
        Err(failure @ Failure::Refused(_)) => {
            print::problem(&failure);
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// The theme, and the body of the order.
fn order(args: &ExportArgs) -> Result<(ThemeId, Value), Failure> {
    let refused = |why: &str| Failure::Refused(why.to_owned());
    let named = args.version.map(|id| ("version", id)).or_else(|| args.dossier.map(|id| ("dossier", id)));
    let (theme, selection) = match (args.captures.first(), named, args.target.zip(args.theme)) {
        (Some(CaptureId { theme, .. }), ..) => {
            if args.captures.iter().any(|capture| capture.theme != *theme) {
                return Err(refused("an export holds captures of one theme"));
            }
            let captures: Vec<u64> = args.captures.iter().map(|capture| capture.seq.0).collect();
            (*theme, json!({ "captures": captures }))
        }
        (None, Some((what, CaptureId { theme, seq })), _) => (theme, json!({ what: seq.0 })),
        (None, None, Some((id, theme))) => {
            (theme, json!({ "target": { "id": id, "from": args.from, "until": args.to } }))
        }
        (None, None, None) => return Err(refused("nothing is selected")),
    };
    let format = format_of(&args.output).ok_or_else(|| refused("the file must be named .warc.gz or .wacz"))?;
    let order = json!({
        "selection": selection,
        "format": format,
        "purpose": args.purpose,
        "revisits": args.revisits,
        "checkpoint": args.checkpoint,
    });
    Ok((theme, order))
}

fn format_of(output: &Path) -> Option<&'static str> {
    let name = output.file_name()?.to_str()?;
    let ends = [(".warc.gz", "warc"), (".wacz", "wacz")];
    ends.into_iter().find(|(end, _)| name.ends_with(end)).map(|(_, format)| format)
}

/// Carries the bytes behind those that the file has into it; how many there are in the end, and their digest, which is the one that the daemon tells.
async fn carry(client: &Client, path: &str, mut file: File) -> Result<(u64, Digest), Failure> {
    let mut hash = Sha256::new();
    let mut done = kept(&mut file, &mut hash).context("the file cannot be read")?;
    let (answer, _driver) = client.stream(path, done).await?;
    let total = done + number(answer.headers(), "content-length").context("the daemon does not tell the length")?;
    let told = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().trim_matches('"');
    let told: Digest = told.parse().context("the daemon does not tell the digest")?;
    let mut body = answer.into_body();
    let mut bar = print::Bar::new("exporting");
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the daemon's answer broke off")?;
        let piece = frame.data_ref().map_or(&[][..], |data| data);
        file.write_all(piece).context("the file cannot be written")?;
        hash.update(piece);
        done += piece.len() as u64;
        bar.show(done, total);
    }
    bar.clear();
    file.sync_all().context("the file cannot be written")?;
    let found = Digest::from_bytes(hash.finalize().into());
    if found == told {
        Ok((done, found))
    } else {
        Err(Failure::Refused(
            "the file does not begin as the export does: remove it and continue from its start".into(),
        ))
    }
}

/// Hashes what a file has already. Its last byte is fetched again, so that there is always something to fetch.
fn kept(file: &mut File, hash: &mut Sha256) -> std::io::Result<u64> {
    let len = file.metadata()?.len().saturating_sub(1);
    file.set_len(len)?;
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(len),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn ordered(args: &str) -> Result<(String, Value), String> {
        let cli =
            Cli::try_parse_from(format!("nachtwacht export {args}").split(' ')).map_err(|error| error.to_string())?;
        let Command::Export(args) = cli.command else { panic!("{:?}", cli.command) };
        order(&args).map(|(theme, order)| (theme.to_string(), order)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn an_order_says_what_was_asked_for() {
        let (theme, order) =
            ordered("--capture marketplace/2 --capture marketplace/1 --purpose x -o a.warc.gz").unwrap();
        assert_eq!((theme.as_str(), &order["selection"]), ("marketplace", &json!({ "captures": [2, 1] })));
        assert_eq!(
            (&order["format"], &order["purpose"], &order["revisits"]),
            (&json!("warc"), &json!("x"), &json!(false))
        );
        let target = "--target 00000000000007f3 --theme marketplace --from 2026-01-01T00:00:00Z";
        let (_, order) = ordered(&format!("{target} --purpose x --revisits --checkpoint 7 -o a.wacz")).unwrap();
        let from = "2026-01-01T00:00:00.000000Z";
        assert_eq!(order["selection"], json!({ "target": { "id": "00000000000007f3", "from": from, "until": null } }));
        assert_eq!(
            (&order["format"], &order["checkpoint"], &order["revisits"]),
            (&json!("wacz"), &json!(7), &json!(true))
        );
        let (_, order) = ordered("--version marketplace/9 --purpose x -o a.wacz").unwrap();
        assert_eq!(order["selection"], json!({ "version": 9 }));
        let (_, order) = ordered("--dossier marketplace/9 --purpose x -o a.wacz").unwrap();
        assert_eq!(order["selection"], json!({ "dossier": 9 }));
    }

    #[test]
    fn an_order_that_says_too_little_or_too_much_is_refused() {
        for (args, why) in [
            ("--purpose x -o a.wacz", "required"),
            ("--capture marketplace/1 -o a.wacz", "--purpose"),
            ("--capture marketplace/1 --version marketplace/1 --purpose x -o a.wacz", "cannot be used with"),
            ("--dossier marketplace/1 --version marketplace/1 --purpose x -o a.wacz", "cannot be used with"),
            ("--target 00000000000007f3 --purpose x -o a.wacz", "--theme"),
            ("--capture marketplace/1 --from 2026-01-01T00:00:00Z --purpose x -o a.wacz", "cannot be used with"),
            ("--continue marketplace/1 --purpose x -o a.wacz", "cannot be used with"),
            ("--capture marketplace/1 --capture cybercrime/1 --purpose x -o a.wacz", "one theme"),
            ("--capture marketplace/1 --purpose x -o a.zip", ".warc.gz or .wacz"),
        ] {
            let error = ordered(args).unwrap_err();
            assert!(error.contains(why), "{args}: {error}");
        }
    }
}
