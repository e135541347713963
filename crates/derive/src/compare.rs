//! What differs between two documents, as data. Pure; bounded in time and memory by the sizes that `text` and `extract::Limits` allow.

mod text;

use std::collections::HashSet;

use model::{Document, FormKind, Link, Refresh, Uri};

pub use text::{Granularity, TextChange, TextDifference};

/// What differs between two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The fields that differ, in a fixed order.
    pub fields: Vec<FieldChange>,
    /// Links of the new document that the old one has not, but for noise; in the order of the page.
    pub links_added: Vec<Link>,
    /// Links of the old document that the new one has not, but for noise; in the order of the page.
    pub links_removed: Vec<Link>,
    /// Where the visible texts differ.
    pub text: TextDifference,
}

/// A field that differs. What a kind of page has beyond others (such as a listing's price) is a field as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The name of the field.
    pub field: &'static str,
    /// What it was, if it was there.
    pub old: Option<String>,
    /// What it is, if it is there.
    pub new: Option<String>,
}

/// Compares two documents, each with the page that it was made of.
pub fn compare((old_page, old): (&Uri, &Document), (new_page, new): (&Uri, &Document)) -> Comparison {
    let fields = fields(old).into_iter().zip(fields(new)).filter(|((_, old), (_, new))| old != new);
    Comparison {
        fields: fields.map(|((field, old), (_, new))| FieldChange { field, old, new }).collect(),
        links_added: missing(new_page, &new.links, old_page, &old.links),
        links_removed: missing(old_page, &old.links, new_page, &new.links),
        text: text::difference(&old.text, &new.text),
    }
}

/// The fields of a document by name; the same names in the same order for every document.
fn fields(document: &Document) -> Vec<(&'static str, Option<String>)> {
    let forms: Vec<&str> = document.forms.iter().map(|form| form_name(*form)).collect();
    vec![
        ("title", given(document.title.clone())),
        ("kind", Some(document.kind.to_string())),
        ("language", document.language.clone()),
        ("charset", Some(document.charset.clone())),
        ("forms", given(forms.join(", "))),
        ("refresh", document.refresh.as_ref().map(refresh)),
    ]
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

const fn form_name(form: FormKind) -> &'static str {
    match form {
        FormKind::Login => "login",
        FormKind::Search => "search",
        FormKind::Captcha => "captcha",
        FormKind::Post => "post",
    }
}

fn refresh(refresh: &Refresh) -> String {
    let to = match &refresh.to {
        None => "the page itself",
        Some(Ok(uri)) => uri.as_str(),
        Some(Err(written)) => written,
    };
    format!("after {} s to {to}", refresh.delay_s)
}

/// The links that are not among the `others`, as far as the digest rule looks.
fn missing(page: &Uri, links: &[Link], other_page: &Uri, others: &[Link]) -> Vec<Link> {
    let known: HashSet<String> =
        others.iter().map(|link| extract::target_without_noise(other_page, &link.uri)).collect();
    let is_missing = |link: &&Link| !known.contains(&extract::target_without_noise(page, &link.uri));
    links.iter().filter(is_missing).cloned().collect()
}

#[cfg(test)]
mod tests;
