//! Services, clusters, proposals, prices and sellers, as tables.

use serde_json::Value;

use super::{items, text};
use crate::{
    cli::{PageArgs, PriceArgs, ServiceArgs, VendorArgs},
    client::{Client, escaped, query},
    failure::Failure,
    print,
};

/// What is told of a seller's page.
const PAGE_COLUMNS: [&str; 5] = ["name", "host", "first", "last", "last_seen"];

/// Shows what is known of a service.
pub(super) async fn service(client: &Client, args: ServiceArgs, wants_json: bool) -> Result<(), Failure> {
    let mut parameters = vec![("limit", args.limit.to_string())];
    parameters.extend(args.kind.map(|kind| ("kind", kind)));
    parameters.extend(args.from.map(|from| ("from", from)));
    let path = format!("/themes/{}/services/{}", args.theme, escaped(&args.host));
    if args.csv {
        return csv(client, &path, parameters).await;
    }
    let answer = client.get(&format!("{path}{}", query(&parameters))).await?;
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    print::line(&format!("{}, {} pages.", text(&answer["host"]), text(&answer["pages"])));
    let targets: Vec<String> = items(&answer["targets"]).iter().map(text).collect();
    print::line(&if targets.is_empty() { "No target.".into() } else { format!("Target {}.", targets.join(", ")) });
    let row = |element: &Value| {
        let seen = |at: &Value| format!("{} ({})", text(&at["seen"]), text(&at["capture"]));
        let [kind, value, captures] = ["kind", "value", "captures"].map(|field| text(&element[field]));
        vec![kind, value, captures, seen(&element["first"]), seen(&element["last"])]
    };
    let rows: Vec<Vec<String>> = items(&answer["elements"]).iter().map(row).collect();
    if !rows.is_empty() {
        print::line("\nIts pages show:");
        print::table(&["kind", "value", "captures", "first", "last"], &rows);
    }
    more(&answer);
    let rows: Vec<Vec<String>> =
        items(&answer["named_by"]).iter().map(|by| vec![text(&by["host"]), text(&by["last"]["capture"])]).collect();
    if !rows.is_empty() {
        print::line("\nNamed by:");
        print::table(&["host", "last"], &rows);
    }
    for pair in items(&answer["alike"]) {
        print::line("");
        show_pair(pair);
    }
    Ok(())
}

/// Lists the clusters of a theme.
pub(super) async fn clusters(client: &Client, args: PageArgs, wants_json: bool) -> Result<(), Failure> {
    let Some(answer) = page(client, "clusters", args, wants_json).await? else { return Ok(()) };
    for cluster in items(&answer["clusters"]) {
        let hosts: Vec<String> = items(&cluster["hosts"]).iter().map(text).collect();
        print::line(&format!("Cluster of {}:\n  {}", hosts.len(), hosts.join("\n  ")));
        items(&cluster["pairs"]).iter().for_each(show_pair);
        print::line("");
    }
    if items(&answer["clusters"]).is_empty() {
        print::line("No services of this theme are the same.");
    }
    more(&answer);
    Ok(())
}

/// Lists what may be watched too.
pub(super) async fn proposals(client: &Client, args: PageArgs, wants_json: bool) -> Result<(), Failure> {
    let Some(answer) = page(client, "proposals", args, wants_json).await? else { return Ok(()) };
    for proposal in items(&answer["proposals"]) {
        print::line(&text(&proposal["host"]));
        for because in items(&proposal["because"]) {
            print::line(&format!("  {}", text(because)));
        }
        for by in items(&proposal["called_by"]) {
            let captures = (text(&by["first"]["capture"]), text(&by["last"]["capture"]));
            print::line(&format!("  captures {} to {}", captures.0, captures.1));
        }
    }
    if items(&answer["proposals"]).is_empty() {
        print::line("Nothing is proposed.");
    }
    more(&answer);
    Ok(())
}

/// Shows what an item cost over time.
pub(super) async fn price(client: &Client, args: PriceArgs, wants_json: bool) -> Result<(), Failure> {
    let path = format!("/themes/{}/captures/{}/item", args.capture.theme, args.capture.seq);
    if args.csv {
        return csv(client, &path, Vec::new()).await;
    }
    let answer = client.get(&path).await?;
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    print::line(&format!("{}, offered by {}\n", text(&answer["title"]), text(&answer["vendor"])));
    list(&answer["prices"], &["host", "price", "from", "until", "first", "last", "captures"]);
    Ok(())
}

/// Shows with whom keys link a seller.
pub(super) async fn vendor(client: &Client, args: VendorArgs, wants_json: bool) -> Result<(), Failure> {
    let (path, parameters) = (format!("/themes/{}/vendors", args.theme), vec![("name", args.name)]);
    if args.csv {
        return csv(client, &path, parameters).await;
    }
    let answer = client.get(&format!("{path}{}", query(&parameters))).await?;
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    list(&answer["pages"], &PAGE_COLUMNS);
    for key in items(&answer["keys"]) {
        let whose = if key["is_shared"] == true { ", which is the market's and links nobody" } else { "" };
        print::line(&format!("\nKey {}{whose}:", text(&key["fingerprint"])));
        list(&key["pages"], &PAGE_COLUMNS);
    }
    Ok(())
}

/// A page of a list; `None` where it was printed already, as a table or as JSON.
async fn page(client: &Client, what: &str, args: PageArgs, wants_json: bool) -> Result<Option<Value>, Failure> {
    let mut parameters = vec![("limit", args.limit.to_string())];
    parameters.extend(args.from.map(|from| ("from", from)));
    let path = format!("/themes/{}/{what}", args.theme);
    if args.csv {
        return csv(client, &path, parameters).await.map(|()| None);
    }
    let answer = client.get(&format!("{path}{}", query(&parameters))).await?;
    if wants_json {
        print::json(&answer);
        return Ok(None);
    }
    Ok(Some(answer))
}

/// Prints a list as CSV, for a file or another program.
async fn csv(client: &Client, path: &str, mut parameters: Vec<(&str, String)>) -> Result<(), Failure> {
    parameters.push(("format", "csv".into()));
    let (table, next) = client.page(&format!("{path}{}", query(&parameters))).await?;
    print::line(String::from_utf8_lossy(&table).replace("\r\n", "\n").trim_end());
    if let Some(next) = next {
        print::note(&format!("More: the same command with --from {next}"));
    }
    Ok(())
}

fn show_pair(pair: &Value) {
    let [verdict, confidence, a, b] = ["verdict", "confidence", "a", "b"].map(|field| text(&pair[field]));
    print::line(&format!("{verdict}, {confidence} %: {a} and {b}"));
    for because in items(&pair["because"]) {
        print::line(&format!("  {}", text(because)));
    }
    for differing in items(&pair["differing"]).iter().filter(|differing| differing["is_evidence"] == true) {
        let values = |side: &str| items(&differing[side]).iter().map(text).collect::<Vec<_>>().join(", ");
        print::line(&format!("  {}: {} against {}", text(&differing["kind"]), values("a"), values("b")));
    }
}

fn list(values: &Value, columns: &[&str]) {
    let row = |value: &Value| columns.iter().map(|column| text(&value[*column])).collect();
    print::table(columns, &items(values).iter().map(row).collect::<Vec<_>>());
}

fn more(answer: &Value) {
    if !answer["next"].is_null() {
        print::line(&format!("\nMore: the same command with --from {}", text(&answer["next"])));
    }
}
