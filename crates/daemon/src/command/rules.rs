//! Indicators and site profiles, as files of the analysts.

use std::{fs, path::Path};

use assess::Indicator;
use hyper::Method;
use serde_json::{Value, json};

use super::{items, text};
use crate::{
    cli::{IndicatorsCommand, RuleCommand, RuleRef, SiteCommand, TrialArgs},
    client::{Client, escaped, query},
    failure::Failure,
    print,
};

/// The media type of a rule.
const TOML: &str = "application/toml";

/// A kind of rule, as the command line and the API call it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noun {
    Indicators,
    SiteProfiles,
}

impl Noun {
    const fn path(self) -> &'static str {
        match self {
            Self::Indicators => "indicators",
            Self::SiteProfiles => "site-profiles",
        }
    }

    /// Name and text of each rule in a file.
    fn read(self, path: &Path) -> Result<Vec<(String, String)>, Failure> {
        let text = read(path)?;
        let refused = |problem: String| Failure::Refused(format!("{}: {problem}", path.display()));
        if self == Self::Indicators {
            let rules = assess::parse_set(&text).map_err(|error| refused(error.to_string()))?;
            return Ok(rules.into_iter().map(|(text, rule)| (rule.name().to_owned(), text)).collect());
        }
        // What else is wrong with a profile, the daemon says.
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| refused(error.to_string()))?;
        let name = table.get("name").and_then(toml::Value::as_str).ok_or_else(|| refused("it has no name".into()))?;
        Ok(vec![(name.to_owned(), text)])
    }
}

/// Checks files of indicators and their examples.
pub(super) fn check(files: &[std::path::PathBuf], wants_json: bool) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut count = 0;
    for path in files {
        let rules = assess::parse_set(&read(path)?);
        let rules = match rules {
            Ok(rules) => rules,
            Err(error) => {
                failures.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        count += rules.len();
        let of = |rule: &Indicator| {
            rule.check()
                .iter()
                .map(|failure| format!("{}: {}: {failure}", path.display(), rule.name()))
                .collect::<Vec<_>>()
        };
        failures.extend(rules.iter().flat_map(|(_, rule)| of(rule)));
    }
    if wants_json {
        print::json(&json!({ "indicators": count, "failures": failures }));
    } else {
        for failure in &failures {
            print::line(failure);
        }
    }
    match failures.len() {
        0 if wants_json => Ok(()),
        0 => {
            print::line(&format!("{count} indicators are well formed, and their examples come out as they say."));
            Ok(())
        }
        wrong => Err(Failure::Refused(format!("{wrong} thing(s) are wrong"))),
    }
}

pub(super) async fn indicators(client: &Client, command: IndicatorsCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        IndicatorsCommand::Check { files } => check(&files, wants_json),
        IndicatorsCommand::Test(args) => try_out(client, Noun::Indicators, &args, wants_json, tell_trial).await,
        IndicatorsCommand::Report { rule, before, after } => {
            let pairs = given([("before", before), ("after", after)]);
            let answer = client.get(&format!("{}/report{}", path(Noun::Indicators, &rule), query(&pairs))).await?;
            tell(&answer, wants_json, report);
            Ok(())
        }
        IndicatorsCommand::Flagged { rule, version, from, limit } => {
            let pairs = given([("version", version), ("from", from), ("limit", Some(limit as u64))]);
            let answer = client.get(&format!("{}/flagged{}", path(Noun::Indicators, &rule), query(&pairs))).await?;
            tell(&answer, wants_json, flagged);
            Ok(())
        }
        IndicatorsCommand::Rule(command) => rule(client, Noun::Indicators, command, wants_json).await,
    }
}

pub(super) async fn sites(client: &Client, command: SiteCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        SiteCommand::Test(args) => try_out(client, Noun::SiteProfiles, &args, wants_json, tell_pages).await,
        SiteCommand::Rule(command) => rule(client, Noun::SiteProfiles, command, wants_json).await,
    }
}

/// Why a capture is flagged.
pub(super) async fn findings(client: &Client, capture: model::CaptureId, wants_json: bool) -> Result<(), Failure> {
    let answer = client.get(&format!("/themes/{}/captures/{}/findings", capture.theme, capture.seq)).await?;
    tell(&answer, wants_json, |answer| {
        print::line(&format!("{}: score {}", text(&answer["capture"]), text(&answer["score"])));
        for finding in items(&answer["findings"]) {
            let mark = if finding["is_in_force"] == true { "" } else { ", no longer in force" };
            print::line(&format!(
                "\n{} {} (version {}{mark})\n  {}",
                text(&finding["score"]),
                text(&finding["indicator"]),
                text(&finding["version"]),
                text(&finding["why"]),
            ));
            contributions(&finding["contributions"]);
        }
    });
    Ok(())
}

async fn rule(client: &Client, noun: Noun, command: RuleCommand, wants_json: bool) -> Result<(), Failure> {
    match command {
        RuleCommand::List { theme } => {
            tell(&client.get(&format!("/themes/{theme}/{}", noun.path())).await?, wants_json, list);
            Ok(())
        }
        RuleCommand::Show { rule, version } => {
            let pairs = given([("version", version)]);
            tell(&client.get(&format!("{}{}", path(noun, &rule), query(&pairs))).await?, wants_json, show);
            Ok(())
        }
        RuleCommand::Remove { rule } => {
            let answer = client.send(Method::DELETE, &path(noun, &rule), None).await?;
            tell(&answer, wants_json, show);
            Ok(())
        }
        RuleCommand::Put { theme, file } => {
            let mut answers = Vec::new();
            let mut failure = None;
            for (name, text) in noun.read(&file)? {
                let path = path(noun, &RuleRef { theme, name });
                match client.upload(Method::PUT, &path, TOML, text.into_bytes()).await {
                    Ok(answer) => answers.push(answer),
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            // Those before the one that was refused are in force, and that is said.
            tell(&json!({ "rules": answers }), wants_json, put);
            failure.map_or(Ok(()), Err)
        }
    }
}

async fn try_out(
    client: &Client,
    noun: Noun,
    args: &TrialArgs,
    wants_json: bool,
    tell_one: fn(&Value),
) -> Result<(), Failure> {
    let pairs = [("captures", args.captures.to_string())];
    let kind = if noun == Noun::Indicators { "indicator-trials" } else { "site-profile-trials" };
    let path = format!("/themes/{}/{kind}{}", args.theme, query(&pairs));
    let mut answers = Vec::new();
    for (_, text) in noun.read(&args.file)? {
        answers.push(client.upload(Method::POST, &path, TOML, text.into_bytes()).await?);
    }
    tell(&json!({ "trials": answers }), wants_json, |answer| items(&answer["trials"]).iter().for_each(tell_one));
    Ok(())
}

/// An answer, for programs or for people.
fn tell(answer: &Value, wants_json: bool, tell: impl Fn(&Value)) {
    if wants_json {
        print::json(answer);
    } else {
        tell(answer);
    }
}

fn list(answer: &Value) {
    let fields = ["name", "version", "since", "author", "why"];
    let row = |rule: &Value| fields.iter().map(|field| text(&rule[*field])).collect();
    print::table(&fields, &items(&answer["rules"]).iter().map(row).collect::<Vec<_>>());
}

fn put(answer: &Value) {
    for rule in items(&answer["rules"]) {
        print::line(&format!("{}: version {}", text(&rule["name"]), text(&rule["version"])));
    }
}

fn show(rule: &Value) {
    let state = if rule["is_in_force"] == true { "in force" } else { "not in force" };
    print::line(&format!("{} version {}, {state}", text(&rule["name"]), text(&rule["version"])));
    if let Some(progress) = rule["progress"].as_object() {
        print::line(&format!(
            "looked at captures up to {} of {}, {} flagged",
            text(&progress["up_to"]),
            text(&progress["of"]),
            text(&progress["flagged"]),
        ));
    }
    let version = |version: &Value| {
        let what = if version["is_removal"] == true { "removed" } else { "written" };
        vec![text(&version["version"]), text(&version["at"]), text(&version["author"]), what.into()]
    };
    let rows: Vec<Vec<String>> = items(&rule["history"]).iter().map(version).collect();
    print::line("");
    print::table(&["version", "at", "author", ""], &rows);
    if let Some(text) = rule["text"].as_str() {
        print::line(&format!("\n{text}"));
    }
}

fn flagged(answer: &Value) {
    let row = |flag: &Value| {
        let capture = &flag["capture"];
        vec![text(&flag["score"]), text(&capture["capture"]), text(&capture["started_at"]), text(&capture["uri"])]
    };
    print::table(
        &["score", "capture", "started_at", "uri"],
        &items(&answer["captures"]).iter().map(row).collect::<Vec<_>>(),
    );
    if !answer["next"].is_null() {
        print::line(&format!("\nMore: the same command with --from {}", text(&answer["next"])));
    }
}

fn report(answer: &Value) {
    print::line(&format!(
        "{}: version {} after {}, over captures up to {} of {}",
        text(&answer["indicator"]),
        text(&answer["after"]),
        text(&answer["before"]),
        text(&answer["up_to"]),
        text(&answer["of"]),
    ));
    for what in ["became", "ceased", "rescored", "unchanged"] {
        print::line(&format!("{what:<10} {}", text(&answer[what])));
    }
    let row = |change: &Value| ["capture", "before", "after"].iter().map(|field| text(&change[*field])).collect();
    let rows: Vec<Vec<String>> = items(&answer["changes"]).iter().map(row).collect();
    if !rows.is_empty() {
        print::line("");
        print::table(&["capture", "before", "after"], &rows);
    }
}

fn tell_trial(trial: &Value) {
    print::line(&format!(
        "{}: {} of {} documents flagged",
        text(&trial["name"]),
        text(&trial["flagged"]),
        text(&trial["looked_at"])
    ));
    for failure in items(&trial["failures"]) {
        print::line(&format!("  {}", text(failure)));
    }
    for finding in items(&trial["findings"]) {
        let capture = &finding["capture"];
        print::line(&format!("{} {} {}", text(&finding["score"]), text(&capture["capture"]), text(&capture["uri"])));
        contributions(&finding["contributions"]);
    }
}

fn tell_pages(trial: &Value) {
    print::line(&format!(
        "{}: {} of {} pages are of the site, {} of them lack something",
        text(&trial["name"]),
        text(&trial["fits"]),
        text(&trial["looked_at"]),
        text(&trial["drifted"]),
    ));
    for page in items(&trial["pages"]) {
        let state = if page["matched"] == true { "read" } else { "lacks something" };
        let capture = &page["capture"];
        print::line(&format!(
            "{} {} {} {state}",
            text(&capture["capture"]),
            text(&capture["uri"]),
            text(&page["kind"])
        ));
    }
}

/// What a score is the sum of.
fn contributions(contributions: &Value) {
    for contribution in items(contributions) {
        let places: Vec<String> = items(&contribution["spans"])
            .iter()
            .map(|span| format!("{}:{} “{}”", text(&span["place"]), text(&span["at"]["start"]), text(&span["matched"])))
            .collect();
        print::line(&format!(
            "  {:+} {}  {}",
            contribution["weight"].as_i64().unwrap_or_default(),
            text(&contribution["condition"]),
            places.join(", ")
        ));
    }
}

fn path(noun: Noun, rule: &RuleRef) -> String {
    format!("/themes/{}/{}/{}", rule.theme, noun.path(), escaped(&rule.name))
}

fn given<const N: usize>(pairs: [(&'static str, Option<u64>); N]) -> Vec<(&'static str, String)> {
    pairs.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect()
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::Refused(format!("{}: {error}", path.display())))
}
