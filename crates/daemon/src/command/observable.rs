use super::{items, text};
use crate::{
    cli::ObservableArgs,
    client::{Client, query},
    failure::Failure,
    print,
};

pub(super) async fn run(client: &Client, args: ObservableArgs, wants_json: bool) -> Result<(), Failure> {
    let mut parameters =
        vec![("kind", args.kind.to_string()), ("value", args.value), ("limit", args.limit.to_string())];
    parameters.extend(args.from.map(|from| ("from", from.to_string())));
    let answer = client.get(&format!("/themes/{}/observables{}", args.theme, query(&parameters))).await?;
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    if answer["first"].is_null() {
        print::line(&format!("{} {} was not seen.", text(&answer["kind"]), text(&answer["value"])));
        return Ok(());
    }
    let moment =
        |capture: &str| format!("{} ({})", text(&answer[capture]["started_at"]), text(&answer[capture]["capture"]));
    print::line(&format!("{} {}", text(&answer["kind"]), text(&answer["value"])));
    print::line(&format!("First seen {}, last seen {}.\n", moment("first"), moment("last")));
    let row = |value: &serde_json::Value, fields: &[&str]| fields.iter().map(|field| text(&value[*field])).collect();
    let fields = ["capture", "started_at", "target", "uri"];
    let rows: Vec<Vec<String>> = items(&answer["captures"]).iter().map(|capture| row(capture, &fields)).collect();
    print::table(&fields, &rows);
    let fields = ["captures", "kind", "value"];
    let rows: Vec<Vec<String>> = items(&answer["others"]).iter().map(|other| row(other, &fields)).collect();
    if !rows.is_empty() {
        print::line("\nOn these captures there is also:");
        print::table(&fields, &rows);
    }
    if !answer["next"].is_null() {
        print::line(&format!("\nMore: the same command with --from {}", text(&answer["next"])));
    }
    Ok(())
}
