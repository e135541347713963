use axum::{body::Body, http::Request};
use serde_json::Value;

use super::House;

#[tokio::test]
async fn the_document_is_served_and_known() {
    let answer = House::new().ask(Request::builder().uri("/api/v1/openapi.json").body(Body::empty()).unwrap()).await;
    let served = answer.json(200);
    assert_eq!(served, serde_json::to_value(crate::openapi()).unwrap());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    insta::assert_json_snapshot!("openapi", served);
}

/// Every operation has a name of its own, tells every status with examples and names its parameters, and every reference leads somewhere.
#[test]
fn the_document_is_whole() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let mut operations = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                operations.insert(operation["operationId"].as_str().unwrap()),
                "{method} {path} has the name of another"
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.contains_key("500") && !responses.contains_key("default"), "{method} {path}");
            for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
                let response = document.pointer(response["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
                let examples = &response["content"]["application/problem+json"]["examples"];
                for (name, example) in examples.as_object().unwrap() {
                    let example = document.pointer(example["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
                    assert_eq!(example["value"]["status"].to_string(), *status, "{name} of {method} {path}");
                    serde_json::from_value::<crate::api::Problem>(example["value"].clone()).unwrap();
                }
            }
            let named: Vec<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|parameter| parameter["in"] == "path")
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let wanted: Vec<&str> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            assert_eq!(named, wanted, "{method} {path}");
        }
    }
    assert_eq!(operations.len(), 122);
    check_references(&document, &document);
}

fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
            }
            fields.values().for_each(|field| check_references(document, field));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}
