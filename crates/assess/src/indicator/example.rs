use std::collections::BTreeMap;

use model::{CharsetSource, Digest, Document, Fields, Grade, Observable, ObservableKind};

use super::{
    Example,
    compile::{At, MAX_EXAMPLES},
    raw::RawExample,
};
use crate::{
    InvalidIndicator,
    field::{PriceField, TextField, price_of},
};

/// Makes documents of examples.
pub(super) fn examples(raw: Vec<RawExample>, at: &At<'_>) -> Result<Vec<Example>, InvalidIndicator> {
    if raw.len() > MAX_EXAMPLES {
        return at.key("example").err(format!("is too long: an indicator has at most {MAX_EXAMPLES} examples"));
    }
    let numbered = (1..).zip(raw);
    numbered.map(|(number, raw)| example(raw, &at.numbered("example", number))).collect()
}

fn example(raw: RawExample, at: &At<'_>) -> Result<Example, InvalidIndicator> {
    let RawExample { flags, title, text, kind, language, fields, observables } = raw;
    let document = Document {
        extractor: 0,
        charset: "UTF-8".to_owned(),
        charset_source: CharsetSource::Header,
        kind,
        cues: Vec::new(),
        fields: read_fields(&fields, at)?,
        links: Vec::new(),
        refresh: None,
        forms: Vec::new(),
        observables: observables.iter().flat_map(|(kind, values)| read_observables(*kind, values, &text)).collect(),
        hidden: Vec::new(),
        languages: Vec::new(),
        images: Vec::new(),
        shape: 0,
        content_digest: Digest::of(text.as_bytes()),
        digest_rule: 0,
        title,
        text,
        language,
    };
    Ok(Example { document, flags })
}

fn read_fields(raw: &BTreeMap<String, Vec<String>>, at: &At<'_>) -> Result<Fields, InvalidIndicator> {
    let mut fields = Fields::default();
    for (name, values) in raw {
        if let Some(field) = TextField::of_name(name) {
            field.set(&mut fields, values);
        } else if let Some(field) = PriceField::of_name(name) {
            let prices = values.iter().map(|value| price_of(value)).collect::<Option<Vec<_>>>();
            let wrong = || at.key(name).error("is no list of prices such as [\"120.50 EUR\"]");
            field.set(&mut fields, prices.ok_or_else(wrong)?);
        } else {
            return at.key("fields").err(format!("has no field {name}"));
        }
    }
    Ok(fields)
}

/// Observables where they stand in the text; those that do not, at its beginning.
fn read_observables(kind: ObservableKind, values: &[String], text: &str) -> Vec<Observable> {
    let place = |value: &String| {
        let start = text.find(value.as_str()).unwrap_or_default();
        let end = if text.contains(value.as_str()) { start + value.len() } else { start };
        u32::try_from(start).unwrap_or_default()..u32::try_from(end).unwrap_or_default()
    };
    let grade = Grade::Verified;
    values.iter().map(|value| Observable { kind, grade, value: value.clone(), at: place(value), key: None }).collect()
}
