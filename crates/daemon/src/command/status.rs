use std::time::Duration;

use serde_json::Value;

use super::{items, text};
use crate::{client::Client, failure::Failure, print};

pub(super) async fn run(client: &Client, watch: bool, wants_json: bool) -> Result<(), Failure> {
    loop {
        let status = client.get("/status").await?;
        if watch {
            print::clear();
        }
        if wants_json {
            print::json(&status);
        } else {
            show(&status);
        }
        if !watch {
            return Ok(());
        }
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

/// The counts of proofs of work, and what they are called.
const PROOFS: [(&str, &str); 4] =
    [("made", "proofs made"), ("given_up", "given up"), ("under_way", "under way"), ("waiting", "waiting")];

fn show(status: &Value) {
    let (tor, crawl) = (&status["tor"], &status["crawl"]);
    let readiness = if tor["is_ready"] == true { "ready".to_owned() } else { format!("{} %", text(&tor["percent"])) };
    let obstacle = tor["blocked_because"].as_str().map(|why| format!(", {why}")).unwrap_or_default();
    print::line(&format!("nachtwacht {}, up {} s", text(&status["version"]), text(&status["uptime_s"])));
    print::line(&format!("tor       {readiness}{obstacle}"));
    let proofs = &tor["proofs_of_work"];
    if PROOFS.iter().any(|(field, _)| proofs[*field].as_u64() > Some(0)) {
        let counts = PROOFS.map(|(field, what)| format!("{} {what}", text(&proofs[field])));
        print::line(&format!("work      {}", counts.join(", ")));
    }
    print::line(&format!(
        "crawl     {} in flight, {} queued, {} captures, {} in the last minute",
        text(&crawl["in_flight"]),
        text(&crawl["queued"]),
        text(&crawl["captures"]),
        text(&crawl["captures_last_minute"]),
    ));
    for theme in items(&status["analysis"]) {
        print::line(&format!(
            "analysis  {}: {} captured, {} analysed, {} indexed, {} followed",
            text(&theme["theme"]),
            text(&theme["captured"]),
            text(&theme["analysed"]),
            text(&theme["indexed"]),
            text(&theme["followed"]),
        ));
    }
    for theme in items(&status["without_approver"]) {
        print::line(&format!("decisions {}: nobody may approve here, so that nothing new is crawled", text(theme)));
    }
    let disk = &status["disk"];
    let mb = |field: &str| disk[field].as_u64().unwrap_or(0) >> 20;
    let store = disk["store_bytes"].as_u64().map(|bytes| format!("{} MB in the store, ", bytes >> 20));
    print::line(&format!("disk      {}{} MB free", store.unwrap_or_default(), mb("free_bytes")));
    if disk["has_room"] == false {
        print::line(&format!(
            "          FULL: nothing is fetched until {} MB are free; make room there, or erase something. {} MB are held back for that.",
            mb("floor_bytes") + mb("floor_bytes") / 8,
            mb("reserve_bytes"),
        ));
    }
    let memory = &status["memory"];
    let mb = |field: &str| memory[field].as_u64().map(|bytes| bytes >> 20);
    let ceiling = mb("ceiling_bytes").map(|ceiling| format!(" of {ceiling}")).unwrap_or_default();
    print::line(&format!("memory    {}{ceiling} MB used", mb("used_bytes").unwrap_or(0)));
    if memory["has_room"] == false {
        print::line(
            "          SHORT: nothing new is fetched until there is more; raise `crawl.memory_mb` or MemoryHigh=, or restart.",
        );
    }
    let row = |target: &Value| {
        let fields = ["theme", "id", "name", "captures", "queued", "in_flight", "last_outcome"];
        let review = target["review_overdue"].as_str().map(|since| format!("review is overdue since {since}"));
        let remark = target["waits_because"].as_str().map(str::to_owned).or(review);
        fields.iter().map(|field| text(&target[*field])).chain([remark.unwrap_or_else(|| "–".into())]).collect()
    };
    let targets = items(&crawl["targets"]);
    if !targets.is_empty() {
        print::line("");
        let head = ["theme", "id", "name", "captures", "queued", "in flight", "last outcome", "waits because"];
        print::table(&head, &targets.iter().map(row).collect::<Vec<_>>());
    }
}
