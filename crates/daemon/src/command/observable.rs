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
    let theme = args.theme.map(|theme| format!("/themes/{theme}")).unwrap_or_default();
    let answer = client.get(&format!("{theme}/observables{}", query(&parameters))).await?;
    if wants_json {
        print::json(&answer);
    } else if args.theme.is_some() {
        show(&answer);
    } else if items(&answer["themes"]).is_empty() {
        print::line("It was not seen in any theme that you read.");
    } else {
        for sightings in items(&answer["themes"]) {
            print::line(&format!("\nTheme {}", text(&sightings["theme"])));
            show(sightings);
        }
    }
    Ok(())
}

fn show(answer: &serde_json::Value) {
    if answer["first"].is_null() {
        print::line(&format!("{} {} was not seen.", text(&answer["kind"]), text(&answer["value"])));
        return;
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
        print::line(&format!("\nMore: the same command with --theme and --from {}", text(&answer["next"])));
    }
}
