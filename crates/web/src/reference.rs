//! The description of the API as a page for people: made here from the OpenAPI document, complete in itself, without a script and without anything that
//! is fetched from elsewhere.

use std::fmt::Write as _;

use axum::{
    http::{
        HeaderName,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::IntoResponse,
};
use data_encoding::BASE64;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code{font-family:ui-monospace,monospace;font-size:.9em}h2{margin-top:3rem;border-bottom:1px solid #ccc}\
section{margin:2rem 0;padding-left:1rem;border-left:3px solid #ddd}h3{margin:0}table{border-collapse:collapse;margin:.5rem 0}\
td,th{border:1px solid #ddd;padding:.2rem .6rem;text-align:left;vertical-align:top}a{color:#0645ad}b.m{display:inline-block;min-width:4rem}";

/// A page that is made once and answered as it is.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    html: String,
    policy: String,
}

impl Reference {
    pub(crate) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let document = serde_json::to_value(document).unwrap_or_default();
        let style = BASE64.encode(&Sha256::digest(STYLE));
        Self { html: page(&document), policy: format!("default-src 'none'; style-src 'sha256-{style}'; sandbox") }
    }

    pub(crate) fn answer(&self) -> impl IntoResponse + use<> {
        let fields: [(HeaderName, String); 2] =
            [(CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (CONTENT_SECURITY_POLICY, self.policy.clone())];
        (fields, self.html.clone())
    }
}

fn page(document: &Value) -> String {
    let title = said(&document["info"]["title"]);
    let mut page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}: API</title><style>{STYLE}</style></head><body>\
         <h1>{title}: API</h1><p>{}</p>",
        said(&document["info"]["description"])
    );
    page.push_str("<p>The same for programs: <a href=\"openapi.json\">openapi.json</a>. Parts: ");
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let links: Vec<_> = tags.iter().map(|tag| format!("<a href=\"#{0}\">{0}</a>", said(&tag["name"]))).collect();
    let _ = write!(page, "{}, <a href=\"#schemas\">schemas</a>.</p>", links.join(", "));
    for tag in tags {
        let name = said(&tag["name"]);
        let _ = write!(page, "<h2 id=\"{name}\">{name}</h2><p>{}</p>", said(&tag["description"]));
        for (path, item) in fields(&document["paths"]) {
            for (method, operation) in fields(item) {
                if operation["tags"][0] == tag["name"] {
                    describe(&mut page, document, method, path, operation);
                }
            }
        }
    }
    page.push_str("<h2 id=\"schemas\">schemas</h2>");
    for (name, schema) in fields(&document["components"]["schemas"]) {
        let name = escaped(name);
        let _ = write!(page, "<section id=\"schema-{name}\"><h3>{name}</h3><p>{}</p>", said(&schema["description"]));
        properties(&mut page, schema);
        page.push_str("</section>");
    }
    page.push_str("</body></html>");
    page
}

fn describe(page: &mut String, document: &Value, method: &str, path: &str, operation: &Value) {
    let _ = write!(
        page,
        "<section id=\"{}\"><h3><b class=\"m\">{}</b> <code>{}</code></h3><p><b>{}</b></p><p>{}</p>",
        said(&operation["operationId"]),
        method.to_uppercase(),
        escaped(path),
        said(&operation["summary"]),
        said(&operation["description"]),
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        page.push_str("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>");
        for parameter in parameters.iter().map(|parameter| resolved(document, parameter)) {
            let _ = write!(
                page,
                "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                said(&parameter["name"]),
                if parameter["required"] == true { " *" } else { "" },
                said(&parameter["in"]),
                kind(&parameter["schema"]),
                said(&parameter["description"]),
            );
        }
        page.push_str("</table>");
    }
    for (media, content) in fields(&operation["requestBody"]["content"]) {
        let _ = write!(page, "<p>Body, <code>{}</code>: {}</p>", escaped(media), kind(&content["schema"]));
    }
    page.push_str("<table><tr><th>Status</th><th>Answer</th><th></th></tr>");
    for (status, response) in fields(&operation["responses"]) {
        let response = resolved(document, response);
        let content = fields(&response["content"]).map(|(media, content)| {
            let problems: Vec<_> =
                fields(&content["examples"]).map(|(name, _)| format!("<code>{}</code>", escaped(name))).collect();
            if problems.is_empty() {
                format!("<code>{}</code> {}", escaped(media), kind(&content["schema"]))
            } else {
                problems.join(" ")
            }
        });
        let content: Vec<_> = content.collect();
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(status),
            said(&response["description"]),
            content.join("<br>"),
        );
    }
    page.push_str("</table></section>");
}

/// The fields of a schema, or the values that it has.
fn properties(page: &mut String, schema: &Value) {
    for part in ["allOf", "oneOf", "anyOf"] {
        for schema in schema[part].as_array().into_iter().flatten() {
            let _ = write!(page, "<p>{}: {}</p>", if part == "allOf" { "And" } else { "Or" }, kind(schema));
            properties(page, schema);
        }
    }
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut own = fields(&schema["properties"]).peekable();
    if own.peek().is_some() {
        page.push_str("<table><tr><th>Field</th><th>Type</th><th></th></tr>");
        for (name, field) in own {
            let star = if required.iter().any(|required| required == name) { " *" } else { "" };
            let _ = write!(
                page,
                "<tr><td><code>{}</code>{star}</td><td>{}</td><td>{}</td></tr>",
                escaped(name),
                kind(field),
                said(&field["description"]),
            );
        }
        page.push_str("</table>");
    } else if schema["enum"].is_array() || schema["type"].is_string() {
        let _ = write!(page, "<p>{}</p>", kind(schema));
    }
}

/// The type of a schema, in a word or as a link.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[part].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(if part == "allOf" { " and " } else { " or " });
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(|value| format!("<code>{}</code>", said(value))).collect();
        return values.join(" ");
    }
    let name = match &schema["type"] {
        Value::Array(types) => types.iter().map(said).collect::<Vec<_>>().join(" or "),
        one => said(one),
    };
    match (name.as_str(), &schema["items"]) {
        ("array", items) => format!("list of {}", kind(items)),
        (_, _) if schema["format"].is_string() => format!("{name} ({})", said(&schema["format"])),
        _ => name,
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
    reference.unwrap_or(value)
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// Text for a page; what stands between back-ticks is code.
fn said(value: &Value) -> String {
    let text = match value {
        Value::String(text) => escaped(text),
        Value::Null => String::new(),
        other => escaped(&other.to_string()),
    };
    let mut said = String::with_capacity(text.len());
    for (at, part) in text.split('`').enumerate() {
        match at {
            0 => {}
            at if at % 2 == 1 => said.push_str("<code>"),
            _ => said.push_str("</code>"),
        }
        said.push_str(part);
    }
    if text.matches('`').count() % 2 == 1 {
        said.push_str("</code>");
    }
    said
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_operation_and_schema_and_fetches_nothing() {
        let document = crate::openapi();
        let Reference { html, policy } = Reference::of(&document);
        let document = serde_json::to_value(document).unwrap();
        for (path, item) in fields(&document["paths"]) {
            for (_, operation) in fields(item) {
                assert!(html.contains(&format!("id=\"{}\"", operation["operationId"].as_str().unwrap())), "{path}");
            }
        }
        for (name, _) in fields(&document["components"]["schemas"]) {
            assert!(html.contains(&format!("id=\"schema-{name}\"")), "{name}");
        }
        for link in html.split("href=\"#").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(html.contains(&format!("id=\"{target}\"")), "#{target} leads nowhere");
        }
        for fetched in ["<script", "src=", "http-equiv", "@import", "url("] {
            assert!(!html.contains(fetched), "{fetched}");
        }
        assert!(policy.starts_with("default-src 'none'"));
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(said(&Value::from("a `<b>` & `c")), "a <code>&lt;b&gt;</code> &amp; <code>c</code>");
    }
}
