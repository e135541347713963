use std::collections::HashSet;

use model::{Grade, Language, ObservableKind, PageKind, Place as Spot};
use regex::Regex;

use crate::{
    decimal::Decimal,
    field::{PriceField, TextField},
};

/// One line of an indicator: what must hold, and what it weighs.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// In plain words, at most [`MAX_WORDS_OF_IT`] characters.
    pub(crate) says: String,
    pub(crate) weight: i64,
    pub(crate) test: Test,
}

/// What must hold.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// One of the terms stands in one of the places.
    Terms { terms: Vec<Term>, places: Vec<Place> },
    /// All of the terms stand in one place, and their first words are at most so many words apart.
    Near { terms: Vec<Term>, distance: u32, places: Vec<Place> },
    /// The pattern matches in one of the places.
    Pattern { pattern: Regex, places: Vec<Place> },
    /// The page has an observable of the kind, of the grade or surer, and of the values if there are any.
    Observable { kind: ObservableKind, grade: Grade, values: Option<HashSet<String>> },
    /// A price in the currency lies between the bounds, which it does not reach.
    Price { field: PriceField, above: Option<Decimal>, below: Option<Decimal>, currency: String },
    /// A field is one of the values, word for word; the values are folded words.
    Is { field: TextField, values: HashSet<Vec<String>> },
    /// The page is of one of the kinds.
    Kind(Vec<PageKind>),
    /// The page is in one of the languages.
    PageLanguage(Vec<String>),
}

/// Words that stand one after the other: the numbers of the indicator's forms.
pub(crate) type Term = Vec<usize>;

/// Where words and patterns are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Title,
    Text,
    Field(TextField),
    /// A field as part of the topic: what stands there counts if it stands in title or text as well.
    Offered(TextField),
    /// The text of a page on which no offer and no post was read.
    BareText,
}

impl Place {
    /// What is looked in where nothing is said: the page.
    pub(crate) const PAGE: [Self; 2] = [Self::Title, Self::Text];

    /// What a page is about, as far as its menus do not say: they name all that a market sells.
    const TOPIC: [Self; 6] = [
        Self::Title,
        Self::Offered(TextField::ListingTitle),
        Self::Offered(TextField::ListingCategory),
        Self::Offered(TextField::RowsTitle),
        Self::Offered(TextField::PostsText),
        Self::BareText,
    ];

    /// The places of this name: `title`, `text`, `topic`, or a field of text.
    pub(crate) fn of_name(name: &str) -> Option<Vec<Self>> {
        match name {
            "title" => Some(vec![Self::Title]),
            "text" => Some(vec![Self::Text]),
            "topic" => Some(Self::TOPIC.into()),
            _ => TextField::of_name(name).map(|field| vec![Self::Field(field)]),
        }
    }

    /// The place as a finding names it.
    pub(crate) fn spot(self, item: u32) -> Spot {
        match self {
            Self::Title => Spot::Title,
            Self::Text | Self::BareText => Spot::Text,
            Self::Field(field) | Self::Offered(field) => Spot::Field { name: field.name().to_owned(), item },
        }
    }
}

/// The longest sentence about a condition, in characters.
const MAX_WORDS_OF_IT: usize = 300;

/// How many of several things a sentence names.
const NAMED: usize = 6;

/// A sentence about a condition, short enough to be kept with each finding.
pub(crate) fn shortened(sentence: String) -> String {
    match sentence.char_indices().nth(MAX_WORDS_OF_IT) {
        Some((end, _)) => format!("{}…", sentence.get(..end).unwrap_or_default()),
        None => sentence,
    }
}

/// `"a", "b" or "c"`, with the number of those that are too many to name.
pub(crate) fn listed<T: AsRef<str>>(things: &[T], last: &str) -> String {
    let quoted: Vec<String> = things.iter().take(NAMED).map(|thing| format!("\"{}\"", thing.as_ref())).collect();
    match (things.len().saturating_sub(NAMED), quoted.split_last()) {
        (0, Some((end, []))) => end.clone(),
        (0, Some((end, before))) => format!("{} {last} {end}", before.join(", ")),
        (more, _) => format!("{} {last} {more} more", quoted.join(", ")),
    }
}

/// How terms are compared: `(Dutch, stemmed)`.
pub(crate) fn manner(language: Option<Language>) -> String {
    language.map_or_else(|| "exact".to_owned(), |language| format!("{language}, stemmed"))
}

impl Test {
    /// The places in which words are looked for.
    pub(crate) fn word_places(&self) -> &[Place] {
        match self {
            Self::Terms { places, .. } | Self::Near { places, .. } => places,
            _ => &[],
        }
    }
}
