use std::collections::BTreeSet;

use model::{ObservableKind, Outcome, Price, Seq, TargetId};
use tantivy::{
    TantivyDocument,
    schema::{FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions, Value},
};

use crate::{Entry, analyzer, price, query::Place, stems};

/// The language of a text that is too short to tell: ISO 639-3, *undetermined*.
pub(crate) const UNDETERMINED: &str = "und";

/// The name of the fast field that holds the sequence.
pub(crate) const SEQ: &str = "seq";
/// The name of the fast field that holds the time in microseconds.
pub(crate) const CAPTURED_AT: &str = "captured_at";

/// The names of further fast fields.
pub(crate) const TARGET: &str = "target";
pub(crate) const KIND: &str = "kind";
pub(crate) const LANGUAGE: &str = "language";
/// The outcome as it is written.
pub(crate) const ENDED: &str = "ended";
pub(crate) const OBSERVABLE_KIND: &str = "observable_kind";
/// The price in hundred-millionths, and the letters of its currency.
pub(crate) const AMOUNT: &str = "amount";
pub(crate) const CURRENCY: &str = "currency";
/// Whether the capture has content: 1 or 0.
pub(crate) const HAS_CONTENT: &str = "has_content";
/// The two halves of the id of the URI.
pub(crate) const URI_HIGH: &str = "uri_high";
pub(crate) const URI_LOW: &str = "uri_low";

/// The longest value of an observable that tells it from others, in bytes: the engine takes no term that is much longer.
const MAX_OBSERVABLE: usize = 4096;

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
    pub(crate) observable: Field,
    pub(crate) observable_kind: Field,
    ended: Field,
    price: Field,
    amount: Field,
    currency: Field,
    has_content: Field,
    uri_halves: [Field; 2],
    page: [Field; 2],
    page_stems: [Field; 2],
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
        let stems = TextFieldIndexing::default()
            .set_tokenizer(stems::NAME)
            .set_index_option(IndexRecordOption::WithFreqs)
            .set_fieldnorms(false);
        let stems = TextOptions::default().set_indexing_options(stems);
        let title_stems = schema.add_text_field("title_stems", stems.clone());
        let text_stems = schema.add_text_field("text_stems", stems);
        let untold = STRING;
        Self {
            // Searched for only when entries are taken out.
            seq: schema.add_u64_field(SEQ, FAST | STORED | INDEXED),
            captured_at: schema.add_i64_field(CAPTURED_AT, FAST | STORED),
            target: schema.add_u64_field(TARGET, INDEXED | STORED | FAST),
            outcome: schema.add_text_field("outcome", STRING | STORED),
            kind: schema.add_text_field(KIND, STRING | STORED | FAST),
            language: schema.add_text_field(LANGUAGE, STRING | STORED | FAST),
            observable: schema.add_text_field("observable", untold.clone()),
            observable_kind: schema.add_text_field(OBSERVABLE_KIND, untold | FAST),
            ended: schema.add_text_field(ENDED, FAST),
            price: schema.add_text_field("price", STORED),
            amount: schema.add_u64_field(AMOUNT, FAST),
            currency: schema.add_u64_field(CURRENCY, FAST),
            has_content: schema.add_u64_field(HAS_CONTENT, FAST),
            uri_halves: [schema.add_u64_field(URI_HIGH, FAST), schema.add_u64_field(URI_LOW, FAST)],
            uri: schema.add_text_field("uri", words),
            title,
            text,
            page: [title, text],
            page_stems: [title_stems, text_stems],
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
        document.add_text(self.ended, entry.outcome.to_string());
        document.add_u64(self.has_content, entry.outcome.has_content().into());
        let uri = u128::from_be_bytes(*entry.uri.id().as_bytes());
        for (field, half) in self.uri_halves.into_iter().zip([uri >> 64, uri]) {
            document.add_u64(field, u64::try_from(half & u128::from(u64::MAX)).unwrap_or_default());
        }
        self.add_price(&mut document, entry.price.as_ref());
        self.add_observables(&mut document, &entry.observables);
        for (field, text) in self.page_stems.into_iter().zip([&entry.title, &entry.text]) {
            if let Some(text) = stems::in_language(entry.language.as_deref(), text) {
                document.add_text(field, text);
            }
        }
        document.add_text(self.kind, entry.kind.as_str());
        document.add_text(self.language, entry.language.as_deref().unwrap_or(UNDETERMINED));
        document.add_text(self.uri, entry.uri.as_str());
        document.add_text(self.title, &entry.title);
        document.add_text(self.text, &entry.text);
        document
    }

    fn add_price(&self, document: &mut TantivyDocument, price: Option<&Price>) {
        let Some(price) = price else { return };
        document.add_text(self.price, price.to_string());
        if let (Some(amount), Some(currency)) = (price::units(&price.amount), price::currency(&price.currency)) {
            document.add_u64(self.amount, amount);
            document.add_u64(self.currency, currency);
        }
    }

    fn add_observables(&self, document: &mut TantivyDocument, observables: &[(ObservableKind, String)]) {
        let kinds: BTreeSet<ObservableKind> = observables.iter().map(|(kind, _)| *kind).collect();
        for kind in &kinds {
            document.add_text(self.observable_kind, kind.as_str());
        }
        let terms: BTreeSet<String> = observables.iter().map(|(kind, value)| observable_term(*kind, value)).collect();
        for term in terms {
            document.add_text(self.observable, term);
        }
    }

    /// The fields in which the stems of a place are.
    pub(crate) fn stems_of(&self, place: Place) -> &[Field] {
        let [title, text] = &self.page_stems;
        match place {
            Place::Page => &self.page_stems,
            Place::Title => std::slice::from_ref(title),
            Place::Text => std::slice::from_ref(text),
            Place::Uri => &[],
        }
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
            price: text(self.price).and_then(|price| price_of(&price)),
            observables: Vec::new(),
            title: text(self.title)?,
            text: text(self.text)?,
        })
    }
}

/// The term of an observable; of one that is very long, of its beginning.
pub(crate) fn observable_term(kind: ObservableKind, value: &str) -> String {
    let value = value.get(..value.floor_char_boundary(MAX_OBSERVABLE)).unwrap_or(value);
    format!("{kind}={value}")
}

/// The price that a text was made from.
fn price_of(text: &str) -> Option<Price> {
    let (amount, currency) = text.split_once(' ')?;
    Some(Price { amount: amount.to_owned(), currency: currency.to_owned().into() })
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
            price: Some(Price { amount: "0.5".into(), currency: "BTC".into() }),
            observables: Vec::new(),
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
