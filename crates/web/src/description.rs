//! What the description of the API says beyond what each operation says of itself: who may ask, every status and every kind of problem that an answer may
//! have, and the header fields that requests and answers share.

mod example;

use std::collections::BTreeMap;

use axum::http::{
    HeaderName, Method, StatusCode,
    header::{ETAG, IF_MATCH},
};
use serde_json::json;
use utoipa::openapi::{
    Content, HeaderBuilder, KnownFormat, OpenApi, RefOr, Required, ResponseBuilder, Schema, SchemaFormat,
    example::Example,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
    schema::Ref,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use crate::{
    access::{Needs, Route},
    idempotency, limits,
    refusal::{Kind, PROBLEM_JSON, TAG},
    request::PURPOSE,
};

/// What may become of an operation beyond what follows from its path, its body and who may ask.
#[rustfmt::skip]
const BEYOND: &[(&str, &[Kind])] = &[
    ("log_in", &[Kind::WRONG_PASSWORD, Kind::TOO_MANY_ATTEMPTS, Kind::CROSS_ORIGIN, Kind::UNAUDITED]),
    ("readyz", &[Kind::NOT_READY]),
    ("set_password", &[Kind::WRONG_PASSWORD, Kind::TOO_MANY_ATTEMPTS, Kind::NO_ACCOUNT]),
    ("list_tokens", &[Kind::NO_ACCOUNT]),
    ("make_token", &[Kind::NO_ACCOUNT, Kind::TOO_MANY, Kind::NO_ROLE]),
    ("revoke_token", &[Kind::NO_ACCOUNT]),
    ("make_account", &[Kind::ACCOUNT_TAKEN]),
    ("reset_password", &[Kind::ONESELF]),
    ("disable_account", &[Kind::ONESELF]),
    ("give_role", &[Kind::ONESELF, Kind::UNKNOWN_THEME]),
    ("end_role", &[Kind::ONESELF]),
    ("make_backup", &[Kind::SOCKET_ONLY]),
    ("export_erasures", &[Kind::SOCKET_ONLY]),
    ("newest_checkpoint", &[Kind::UNKNOWN_CHECKPOINT]),
    ("attach_time_stamp", &[Kind::UNPROVEN, Kind::TOO_MANY]),
    ("check_consistency", &[Kind::UNPROVEN]),
    ("propose_probe", &[Kind::RETIRED]),
    ("propose_change", &[Kind::RETIRED]),
    ("approve_proposal", &[Kind::OWN_PROPOSAL, Kind::ANSWERED, Kind::OVERTAKEN, Kind::RETIRED]),
    ("reject_proposal", &[Kind::OWN_PROPOSAL, Kind::ANSWERED]),
    ("withdraw_proposal", &[Kind::NOT_YOUR_PROPOSAL, Kind::ANSWERED]),
    ("change_target", &[Kind::RETIRED]),
    ("end_decision", &[Kind::NOT_IN_FORCE, Kind::RETIRED]),
    ("pause_target", &[Kind::RETIRED]),
    ("resume_target", &[Kind::RETIRED]),
    ("retire_target", &[Kind::RETIRED]),
    ("hand_over_login", &[Kind::RETIRED]),
    ("forget_login", &[Kind::RETIRED]),
    ("capture_text", &[Kind::NO_DOCUMENT]),
    ("capture_document", &[Kind::NO_DOCUMENT]),
    ("released_text", &[Kind::NO_DOCUMENT]),
    ("released_document", &[Kind::NO_DOCUMENT]),
    ("capture_proof", &[Kind::UNKNOWN_CHECKPOINT]),
    ("list_similar", &[Kind::NO_DOCUMENT, Kind::TOO_COSTLY]),
    ("show_item", &[Kind::NO_ITEM]),
    ("show_vendor", &[Kind::BAD_PARAMETER]),
    ("name_version", &[]),
    ("unname_version", &[Kind::UNKNOWN_NAME]),
    ("label_version", &[Kind::UNKNOWN_RULE]),
    ("search", &SEARCH),
    ("export_results", &SEARCH),
    ("export_results", &[Kind::SOCKET_ONLY]),
    ("note_export_file", &[Kind::SOCKET_ONLY]),
    ("make_watch", &SEARCH),
    ("make_watch", &[Kind::TOO_MANY]),
    ("change_watch", &SEARCH),
    ("change_watch", &[Kind::WATCH_CHANGED]),
    ("acknowledge_alert", &[Kind::ACKNOWLEDGED]),
    ("change_indicator", &[Kind::RULE_CHANGED]),
    ("remove_indicator", &[Kind::RULE_CHANGED]),
    ("change_site_profile", &[Kind::RULE_CHANGED]),
    ("remove_site_profile", &[Kind::RULE_CHANGED]),
    ("set_hold", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::UNKNOWN_TARGET, Kind::ERASED]),
    ("erase", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::HELD, Kind::NOT_ANALYSED, Kind::ERASED]),
    ("seal_capture", &[Kind::NOT_ANALYSED]),
    ("release_dossier", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::ERASED, Kind::SEALED]),
    ("add_to_dossier", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::ERASED, Kind::SEALED]),
    ("order_export", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::UNKNOWN_CHECKPOINT, Kind::BEYOND_CHECKPOINT, Kind::ERASED, Kind::SEALED, Kind::UNKNOWN_DOSSIER, Kind::WITHDRAWN]),
    ("read_export", &[Kind::CHANGED, Kind::BEYOND_END, Kind::ERASED, Kind::SEALED]),
];

/// What may become of a search.
const SEARCH: [Kind; 8] = [
    Kind::BAD_QUERY,
    Kind::BAD_CURSOR,
    Kind::TOO_COSTLY,
    Kind::NOT_YET_INDEXED,
    Kind::GENERATION_RETIRED,
    Kind::BAD_PARAMETER,
    Kind::UNKNOWN_TARGET,
    Kind::UNKNOWN_RULE,
];

/// What may become of whatever has this in its path.
const BY_PATH: &[(&str, &[Kind])] = &[
    ("/targets/{id}", &[Kind::UNKNOWN_TARGET]),
    ("{proposal}", &[Kind::UNKNOWN_PROPOSAL]),
    ("/captures/{seq}", &[Kind::UNKNOWN_CAPTURE, Kind::ERASED, Kind::SEALED]),
    ("/versions/{seq}", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::ERASED, Kind::SEALED]),
    ("/versions/{a}", &[Kind::UNKNOWN_CAPTURE, Kind::UNKNOWN_VERSION, Kind::NO_DOCUMENT, Kind::ERASED, Kind::SEALED]),
    ("{host}", &[Kind::UNKNOWN_SERVICE]),
    ("/indicators/{name}", &[Kind::UNKNOWN_RULE]),
    ("/site-profiles/{name}", &[Kind::UNKNOWN_RULE]),
    ("/accounts/{name}", &[Kind::UNKNOWN_ACCOUNT]),
    ("{number}", &[Kind::UNKNOWN_ROLE]),
    ("{watch}", &[Kind::UNKNOWN_WATCH]),
    ("{alert}", &[Kind::UNKNOWN_ALERT]),
    ("{dossier}", &[Kind::UNKNOWN_DOSSIER, Kind::WITHDRAWN]),
    ("/holds/{leaf}", &[Kind::UNKNOWN_HOLD]),
    ("/exports/{leaf}", &[Kind::UNKNOWN_EXPORT]),
    ("{size}", &[Kind::UNKNOWN_CHECKPOINT]),
    ("/tokens/{id}", &[Kind::UNKNOWN_TOKEN]),
    ("/tile/", &[Kind::UNKNOWN_TILE]),
];

/// Operations whose answers carry an entity tag, and whether they change what it is of.
const TAGGED: &[(&str, bool)] = &[
    ("show_target", false),
    ("change_target", true),
    ("show_indicator", false),
    ("change_indicator", true),
    ("remove_indicator", true),
    ("show_site_profile", false),
    ("change_site_profile", true),
    ("remove_site_profile", true),
    ("show_watch", false),
    ("change_watch", true),
    ("delete_watch", true),
];

/// Completes the document.
pub(crate) fn complete(document: &mut OpenApi) {
    // axum marks a part that spans slashes with an asterisk; OpenAPI has no word for it.
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    describe_security(document);
    describe_fields(document);
    let mut problems: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let needs = Route::of(method.as_str(), &path.replace("{path}", "{*path}")).map(|route| route.needs);
            if needs.is_none() {
                operation.security = Some(Vec::new());
            }
            describe_requests(&method, path, needs, operation);
            widen(operation);
            describe_answers(needs, operation);
            for (status, kinds) in problems_of(&method, path, needs, operation) {
                let names: Vec<_> = kinds.iter().map(|kind| kind.name).collect();
                let name = format!("{}.{}", status.as_u16(), names.join("."));
                let reference = RefOr::Ref(Ref::from_response_name(&name));
                operation.responses.responses.insert(status.as_str().to_owned(), reference);
                problems.insert(name, kinds);
            }
        }
    }
    let components = document.components.get_or_insert_default();
    for (name, kinds) in problems {
        let titles: Vec<_> = kinds.iter().map(|kind| kind.title).collect();
        let schema = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
        let mut content = schema;
        for kind in &kinds {
            content
                .examples
                .insert(kind.name.to_owned(), RefOr::Ref(Ref::new(format!("#/components/examples/{}", kind.name))));
        }
        let response = ResponseBuilder::new().description(titles.join(", or: ")).content(PROBLEM_JSON, content);
        components.responses.insert(name, RefOr::T(response.build()));
    }
    for kind in Kind::ALL {
        let problem = json!({
            "type": format!("{TAG}{}", kind.name),
            "title": kind.title,
            "status": kind.status.as_u16(),
            "detail": kind.example,
        });
        components.examples.insert(kind.name.to_owned(), RefOr::T(Example::builder().value(Some(problem)).build()));
    }
}

fn describe_security(document: &mut OpenApi) {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of an account: `POST /account/tokens` makes one."))
        .build();
    let session = ApiKeyValue::with_description("nachtwacht", "The cookie of a session: `POST /sessions` begins one.");
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
    let either = ["token", "session"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    document.security = Some(either.to_vec());
}

/// Names the header fields that many requests and answers share.
fn describe_fields(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let requests = [
        (
            &PURPOSE,
            "What the request is for: a purpose, or the number of a case. Themes may demand it.",
            "case 2026-0815",
        ),
        (
            &idempotency::KEY,
            "A request that is sent again with the same key is carried out once, for a day; each request has a key of its own \
             (draft-ietf-httpapi-idempotency-key-header).",
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
        ),
        (
            &IF_MATCH,
            "The entity tag of the state that was read: another state is not changed (RFC 9110, section 13.1.1).",
            "\"4711\"",
        ),
    ];
    for (name, description, example) in requests {
        let parameter = ParameterBuilder::new()
            .name(name.as_str())
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(text()))
            .example(Some(example.into()))
            .build();
        components.parameters.insert(name.as_str().to_owned(), RefOr::T(parameter));
    }
    let answers = [
        (
            &limits::POLICY,
            "How many requests are granted, in how many seconds (draft-ietf-httpapi-ratelimit-headers).",
            "\"requests\";q=500;w=10",
        ),
        (
            &limits::LEFT,
            "How many requests are left, and in how many seconds there are all of them again.",
            "\"requests\";r=499;t=1",
        ),
        (&ETAG, "The state that is shown, for `If-Match`.", "\"4711\""),
    ];
    for (name, description, example) in answers {
        let header = HeaderBuilder::new()
            .schema(Some(text()))
            .description(Some(description))
            .example(Some(example.into()))
            .build();
        components.headers.insert(name.as_str().to_owned(), RefOr::T(header));
    }
}

fn text() -> utoipa::openapi::Object {
    utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String).build()
}

/// The header fields that requests may have.
fn describe_requests(method: &Method, path: &str, needs: Option<Needs>, operation: &mut Operation) {
    let mut fields = Vec::new();
    if matches!(needs, Some(Needs::Content(_) | Needs::Released(_))) {
        fields.push(PURPOSE);
    }
    if needs.is_some() && idempotency::takes_key(method, path) {
        fields.push(idempotency::KEY);
    }
    if changes_what_is_tagged(operation) {
        fields.push(IF_MATCH);
    }
    let reference =
        |name: &HeaderName| RefOr::<Parameter>::Ref(Ref::new(format!("#/components/parameters/{}", name.as_str())));
    if !fields.is_empty() {
        operation.parameters.get_or_insert_default().extend(fields.iter().map(reference));
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(Required::True);
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content
                && let Some(RefOr::Ref(schema)) = &content.schema
            {
                content.example = schema.ref_location.rsplit('/').next().and_then(example::of);
            }
        }
    }
}

/// Says of whole numbers without a sign that they have 64 bits: their format is no `int64`, whose largest is half as large.
fn widen(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(Parameter { schema: Some(RefOr::T(Schema::Object(object))), .. }) = parameter
            && object.minimum.is_some()
            && object.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int64))
        {
            object.format = Some(SchemaFormat::Custom("uint64".to_owned()));
        }
    }
}

/// The header fields that answers have.
fn describe_answers(needs: Option<Needs>, operation: &mut Operation) {
    let is_tagged = tagged(operation).is_some();
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let fields = [(&limits::POLICY, needs.is_some()), (&limits::LEFT, needs.is_some()), (&ETAG, is_tagged)];
        for (name, _) in fields.iter().filter(|(_, applies)| *applies) {
            let reference = Ref::new(format!("#/components/headers/{}", name.as_str()));
            response.headers.insert(name.as_str().to_owned(), RefOr::Ref(reference));
        }
    }
}

fn tagged(operation: &Operation) -> Option<bool> {
    let id = operation.operation_id.as_deref()?;
    TAGGED.iter().find(|tagged| tagged.0 == id).map(|tagged| tagged.1)
}

fn changes_what_is_tagged(operation: &Operation) -> bool {
    tagged(operation) == Some(true)
}

/// The kinds of problems of an operation, by status.
fn problems_of(
    method: &Method,
    path: &str,
    needs: Option<Needs>,
    operation: &Operation,
) -> BTreeMap<StatusCode, Vec<Kind>> {
    let mut kinds = vec![Kind::INTERNAL];
    let is_write = method != Method::GET;
    if let Some(needs) = needs {
        kinds.extend([
            Kind::UNAUTHENTICATED,
            Kind::TOO_MANY_REQUESTS,
            Kind::PASSWORD_CHANGE_NEEDED,
            Kind::UNAUDITED,
            Kind::CLOSING,
        ]);
        if needs != Needs::Account {
            kinds.push(Kind::NO_ROLE);
        }
        if path.contains("{theme}") {
            kinds.extend([Kind::UNKNOWN_THEME, Kind::ERASING]);
        }
        if path.contains('{') {
            // A part of the path is no UTF-8.
            kinds.push(Kind::NOT_FOUND);
        }
        if matches!(needs, Needs::Content(_) | Needs::Released(_)) {
            kinds.extend([Kind::PURPOSE_NEEDED, Kind::BAD_PARAMETER, Kind::INVALID]);
        }
        if is_write {
            kinds.extend([
                Kind::CROSS_ORIGIN,
                Kind::NO_ROOM,
                Kind::BAD_PARAMETER,
                Kind::BAD_BODY,
                Kind::TOO_LARGE,
                Kind::TOO_SLOW,
            ]);
        }
        if idempotency::takes_key(method, path) {
            kinds.extend([Kind::KEY_IN_USE, Kind::DONE_ALREADY, Kind::OUTCOME_UNKNOWN, Kind::KEY_REUSED]);
        }
    }
    if operation.parameters.iter().flatten().any(is_in_query) {
        kinds.push(Kind::BAD_PARAMETER);
    }
    if let Some(RefOr::T(body)) = &operation.request_body {
        kinds.extend([Kind::BAD_BODY, Kind::TOO_LARGE, Kind::TOO_SLOW, Kind::INVALID]);
        if body.content.contains_key("application/json") {
            kinds.push(Kind::MEDIA_TYPE);
        }
    }
    if changes_what_is_tagged(operation) {
        kinds.push(Kind::PRECONDITION_FAILED);
    }
    let of_path = BY_PATH.iter().filter(|(part, _)| path.contains(part)).flat_map(|(_, kinds)| *kinds);
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let beyond = BEYOND.iter().filter(|(operation, _)| *operation == id).flat_map(|(_, kinds)| *kinds);
    kinds.extend(of_path.chain(beyond));
    let mut by_status: BTreeMap<StatusCode, Vec<Kind>> = BTreeMap::new();
    for kind in Kind::ALL.iter().filter(|kind| kinds.contains(kind)) {
        by_status.entry(kind.status).or_default().push(*kind);
    }
    by_status
}

fn is_in_query(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::PATCH, patch),
        (Method::DELETE, delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_is_named_exists() {
        let document = serde_json::to_string(&crate::openapi()).unwrap();
        let named = BEYOND.iter().map(|row| row.0).chain(TAGGED.iter().map(|row| row.0));
        for id in named {
            assert!(document.contains(&format!("\"operationId\":\"{id}\"")), "there is no operation {id}");
        }
    }
}
