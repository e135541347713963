use model::{Outcome, Seq, TargetId};
use tantivy::{
    TantivyDocument,
    schema::{FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value},
};

use crate::{Entry, analyzer, query::Place};

/// The language of a text that is too short to tell: ISO 639-3, *undetermined*.
pub(crate) const UNDETERMINED: &str = "und";

/// The name of the fast field that holds the sequence.
pub(crate) const SEQ: &str = "seq";
/// The name of the fast field that holds the time in microseconds.
pub(crate) const CAPTURED_AT: &str = "captured_at";

/// The fields of the index.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    pub(crate) seq: Field,
    pub(crate) captured_at: Field,
    pub(crate) target: Field,
    pub(crate) outcome: Field,
    pub(crate) kind: Field,
    pub(crate) language: Field,
    pub(crate) uri: Field,
    pub(crate) title: Field,
    pub(crate) text: Field,
    page: [Field; 2],
}

impl Fields {
    pub(crate) fn new() -> Self {
        let words = TextFieldIndexing::default()
            .set_tokenizer(analyzer::NAME)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions)
            .set_fieldnorms(true);
        let words = TextOptions::default().set_indexing_options(words).set_stored();
        let mut schema = Schema::builder();
        let title = schema.add_text_field("title", words.clone());
        let text = schema.add_text_field("text", words.clone());
        Self {
            // Searched for only when entries are taken out.
            seq: schema.add_u64_field(SEQ, FAST | STORED | INDEXED),
            captured_at: schema.add_i64_field(CAPTURED_AT, FAST | STORED),
            target: schema.add_u64_field("target", INDEXED | STORED),
            outcome: schema.add_text_field("outcome", STRING | STORED),
            kind: schema.add_text_field("kind", STRING | STORED),
            language: schema.add_text_field("language", STRING | STORED),
            uri: schema.add_text_field("uri", words),
            title,
            text,
            page: [title, text],
            schema: schema.build(),
        }
    }

    pub(crate) fn document(&self, entry: &Entry) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        document.add_u64(self.seq, entry.seq.0);
        document.add_i64(self.captured_at, entry.captured_at.as_micros());
        document.add_u64(self.target, entry.target.as_u64());
        // The first value is given back with a hit; the others are what the outcome is found by.
        document.add_text(self.outcome, entry.outcome.to_string());
        for term in outcome_terms(entry.outcome) {
            document.add_text(self.outcome, term);
        }
        document.add_text(self.kind, entry.kind.as_str());
        document.add_text(self.language, entry.language.as_deref().unwrap_or(UNDETERMINED));
        document.add_text(self.uri, entry.uri.as_str());
        document.add_text(self.title, &entry.title);
        document.add_text(self.text, &entry.text);
        document
    }

    /// The fields that a place means.
    pub(crate) fn of(&self, place: Place) -> &[Field] {
        match place {
            Place::Page => &self.page,
            Place::Title => std::slice::from_ref(&self.title),
            Place::Text => std::slice::from_ref(&self.text),
            Place::Uri => std::slice::from_ref(&self.uri),
        }
    }

    /// The entry that a stored document was made from; `None` when it is damaged.
    pub(crate) fn entry(&self, document: &TantivyDocument) -> Option<Entry> {
        let text = |field| document.get_first(field)?.as_str().map(str::to_owned);
        Some(Entry {
            seq: Seq(document.get_first(self.seq)?.as_u64()?),
            target: TargetId::from_u64(document.get_first(self.target)?.as_u64()?),
            uri: text(self.uri)?.parse().ok()?,
            captured_at: model::Timestamp::from_micros(document.get_first(self.captured_at)?.as_i64()?),
            outcome: text(self.outcome)?.parse().ok()?,
            kind: text(self.kind)?.parse().ok()?,
            language: Some(text(self.language)?).filter(|language| language != UNDETERMINED),
            title: text(self.title)?,
            text: text(self.text)?,
        })
    }
}

/// The terms under which an outcome is found: its text in lower case, and the part before its detail.
pub(crate) fn outcome_terms(outcome: Outcome) -> impl Iterator<Item = String> {
    let whole = outcome.to_string().to_ascii_lowercase();
    let family = whole.split_once('(').map(|(family, _)| family.to_owned());
    std::iter::once(whole).chain(family)
}

#[cfg(test)]
mod tests {
    use model::{PageKind, Timestamp};

    use super::*;

    #[test]
    fn a_stored_document_gives_its_entry_back() {
        let entry = Entry {
            seq: Seq(9),
            target: TargetId::from_u64(u64::MAX),
            uri: "http://example.com/a?b=c".parse().unwrap(),
            captured_at: Timestamp::from_micros(-5),
            outcome: Outcome::HttpError(404),
            kind: PageKind::AntiDdos,
            language: None,
            title: "Título".into(),
            text: "línea\nuno".into(),
        };
        let fields = Fields::new();
        assert_eq!(fields.entry(&fields.document(&entry)), Some(entry.clone()));
        assert_eq!(fields.entry(&TantivyDocument::new()), None);
        let known = Entry { language: Some("nld".into()), outcome: Outcome::Ok, ..entry };
        assert_eq!(fields.entry(&fields.document(&known)), Some(known));
    }
}
