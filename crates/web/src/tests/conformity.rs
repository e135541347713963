//! Holds every answer that any test gets against the description of the API.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(crate::openapi()).unwrap());

/// Panics where the description does not know the status, the media type, or the kind of problem of an answer.
#[track_caller]
pub(super) fn check(method: &Method, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else { return };
    let (id, status) = (&operation["operationId"], answer.status.as_str());
    let response = resolved(&operation["responses"][status]);
    let text = String::from_utf8_lossy(&answer.body);
    assert!(response.is_object(), "{id} answers {status}, which is not described: {text}");
    let media = answer.header("content-type");
    if answer.body.is_empty() && media.is_empty() {
        return;
    }
    let is_described = |described: &&String| base(described) == base(media);
    let content = response["content"].as_object().and_then(|all| Some(&all[all.keys().find(is_described)?]));
    let Some(content) = content else { panic!("{id} answers {status} with {media}, which is not described") };
    if media == "application/problem+json" {
        let kind = serde_json::from_slice::<Value>(&answer.body).unwrap()["type"].as_str().unwrap().to_owned();
        let name = kind.rsplit(':').next().unwrap();
        assert!(content["examples"].get(name).is_some(), "{id} answers {status} {name}, which is not described");
    }
}

/// A media type without its parameters.
fn base(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}

/// The operation of a method at a path; the one with the fewest parameters where several fit.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter().filter(|(template, _)| fits(template, path));
    let (_, item) = paths.min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (mut parts, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) | (Some("{path}"), Some(_)) => return true,
            (Some(part), Some(given)) if part == given || (part.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

fn resolved(value: &'static Value) -> &'static Value {
    let reference = value["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    reference.map_or(value, |reference| DOCUMENT.pointer(reference).unwrap())
}
