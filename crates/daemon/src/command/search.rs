use serde_json::Value;

use super::{items, text};
use crate::{
    cli::{SearchArgs, SortArg, VersionsArg},
    client::{Client, query},
    failure::Failure,
    print,
};

pub(super) async fn run(client: &Client, args: SearchArgs, wants_json: bool) -> Result<(), Failure> {
    let answer = client.get(&format!("/themes/{}/search{}", args.theme, query(&parameters(&args)))).await?;
    if wants_json {
        print::json(&answer);
        return Ok(());
    }
    print::line(&format!(
        "{} captures match, of {} captures analysed.",
        text(&answer["total"]),
        text(&answer["up_to"])
    ));
    if answer["erased"].as_u64().is_some_and(|erased| erased > 0) {
        print::line(&format!("{} of them were erased since.", text(&answer["erased"])));
    }
    print::line(&format!("Generation {}; --generation repeats it.", text(&answer["generation"])));
    if answer["withheld_since"].as_u64().is_some_and(|withheld| withheld > 0) {
        print::line(&format!(
            "{} captures were erased or sealed since that generation.",
            text(&answer["withheld_since"])
        ));
    }
    for facet in items(&answer["facets"]) {
        print_facet(facet);
    }
    for hit in items(&answer["hits"]) {
        print::line("");
        print::prepared(&print::highlighted(&text(&hit["title"]), &ranges(&hit["title_highlights"])));
        print::line(&format!("  {}", text(&hit["uri"])));
        print::line(&format!(
            "  {}  {}  {}  {}",
            text(&hit["capture"]),
            text(&hit["captured_at"]),
            text(&hit["kind"]),
            text(&hit["outcome"])
        ));
        if let Some(price) = hit["price"].as_str() {
            print::line(&format!("  {price}"));
        }
        let snippet = print::highlighted(&text(&hit["snippet"]), &ranges(&hit["highlights"])).replace('\n', " ");
        print::prepared(&format!("  {snippet}"));
    }
    if let Some(next) = answer["next"].as_str() {
        print::line(&format!("\nMore: the same command with --after {next}"));
    }
    Ok(())
}

fn print_facet(facet: &Value) {
    print::line("");
    print::line(&format!("By {}:", text(&facet["facet"])));
    for value in items(&facet["values"]) {
        print::line(&format!("  {:>9}  {}", text(&value["count"]), text(&value["value"])));
    }
    if facet["other"].as_u64().is_some_and(|other| other > 0) {
        print::line(&format!("  {:>9}  others", text(&facet["other"])));
    }
}

pub(super) fn parameters(args: &SearchArgs) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("q", args.query.join(" ")), ("limit", args.limit.to_string())];
    pairs.extend(args.target.iter().map(|target| ("target", target.to_string())));
    pairs.extend(args.language.iter().map(|language| ("language", language.clone())));
    pairs.extend(args.kind.iter().map(|kind| ("kind", kind.clone())));
    pairs.extend(args.outcome.iter().map(|outcome| ("outcome", outcome.clone())));
    pairs.extend(args.label.iter().map(|label| ("label", label.to_string())));
    pairs.extend(args.indicator.iter().map(|indicator| ("indicator", indicator.clone())));
    pairs.extend(args.from.iter().map(|from| ("from", from.to_string())));
    pairs.extend(args.until.iter().map(|until| ("until", until.to_string())));
    pairs.extend(args.as_of.iter().map(|moment| ("as_of", moment.to_string())));
    pairs.extend(args.facets.iter().map(|facet| ("facets", facet.clone())));
    pairs.extend(args.generation.iter().map(|generation| ("generation", generation.clone())));
    let versions = |versions| match versions {
        VersionsArg::All => "all",
        VersionsArg::Latest => "latest",
    };
    pairs.extend(args.versions.map(|of| ("versions", versions(of).to_owned())));
    pairs.extend(args.after.iter().map(|after| ("after", after.clone())));
    let name = |sort| match sort {
        SortArg::Relevance => "relevance",
        SortArg::Newest => "newest",
        SortArg::Oldest => "oldest",
        SortArg::Price => "price",
        SortArg::Score => "score",
    };
    pairs.extend(args.sort.map(|sort| ("sort", name(sort).to_owned())));
    pairs
}

/// Highlights, as pairs of character offsets.
fn ranges(value: &Value) -> Vec<(usize, usize)> {
    let offset = |value: &Value| value.as_u64().and_then(|offset| usize::try_from(offset).ok());
    items(value).iter().filter_map(|range| Some((offset(&range["start"])?, offset(&range["end"])?))).collect()
}
