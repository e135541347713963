use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use foldhash::HashMap;
use model::{Document, Observable, ObservableKind, words::Words};

use crate::{
    condition::Place,
    vocabulary::{FormId, Vocabulary},
};

/// How often a form is noted in one place of a document; what stands there more often counts no further.
const MAX_HITS: usize = 100_000;

/// How far apart the values of a field are held, in words, so that no phrase and no distance bridges two of them.
const GAP: u32 = 1_000;

/// How many words are remembered with their forms.
const MAX_SEEN: usize = 1 << 16;

/// The forms of words that were seen, in this document or an earlier one: stems take time.
pub(crate) type Seen = HashMap<String, Vec<FormId>>;

/// A document as indicators read it: where the words stand that any of them looks for.
pub(crate) struct Reading<'a> {
    pub(crate) document: &'a Document,
    hits: Hits,
    observables: BTreeMap<ObservableKind, Vec<&'a Observable>>,
}

/// Where each form stands. Most forms stand nowhere, which a look at `slots` tells.
struct Hits {
    /// For each form, where its places begin in `places`, counted from 1; 0 for a form that stands nowhere.
    slots: Vec<u32>,
    places: Vec<Vec<(Place, Vec<Hit>)>>,
}

/// Where a form, or a run of forms, stands in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The number of its first word, counted through the place.
    pub(crate) word: u32,
    /// Which of the values of the place.
    pub(crate) item: u32,
    /// From where to where, in bytes.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        document: &'a Document,
        vocabulary: &Vocabulary,
        places: &BTreeSet<Place>,
        seen: &mut Seen,
    ) -> Self {
        let hits = Hits { slots: vec![0; vocabulary.len()], places: Vec::new() };
        let mut reader = Reader { vocabulary, seen, hits };
        for &place in places {
            reader.read(place, &values(place, document));
        }
        let mut observables: BTreeMap<ObservableKind, Vec<&Observable>> = BTreeMap::new();
        for observable in &document.observables {
            observables.entry(observable.kind).or_default().push(observable);
        }
        Self { document, hits: reader.hits, observables }
    }

    /// Where a form stands in a place, in order.
    pub(crate) fn hits(&self, place: Place, form: FormId) -> &[Hit] {
        match place {
            Place::BareText if has_offers(self.document) => &[],
            Place::BareText => self.hits.of(Place::Text, form),
            Place::Offered(_) if Place::PAGE.iter().all(|&place| self.hits.of(place, form).is_empty()) => &[],
            place => self.hits.of(place, form),
        }
    }

    /// The observables of a kind, in order.
    pub(crate) fn observables(&self, kind: ObservableKind) -> &[&'a Observable] {
        self.observables.get(&kind).map_or(&[], Vec::as_slice)
    }
}

/// What stands in a place of a document, value by value.
pub(crate) fn values(place: Place, document: &Document) -> Vec<(usize, &str)> {
    match place {
        Place::Title => vec![(0, document.title.as_str())],
        Place::BareText if has_offers(document) => Vec::new(),
        Place::Text | Place::BareText => vec![(0, document.text.as_str())],
        Place::Field(field) | Place::Offered(field) => field.values(document),
    }
}

/// Whether an offer or a post was read off the page.
fn has_offers(document: &Document) -> bool {
    let fields = &document.fields;
    let has_title = fields.listing.as_ref().is_some_and(|listing| listing.title.is_some());
    has_title || !fields.rows.is_empty() || !fields.posts.is_empty()
}

struct Reader<'v> {
    vocabulary: &'v Vocabulary,
    seen: &'v mut Seen,
    hits: Hits,
}

impl Reader<'_> {
    fn read(&mut self, place: Place, values: &[(usize, &str)]) {
        let mut number: u32 = 0;
        for &(item, value) in values {
            let mut words = Words::of(value);
            while let Some(word) = words.advance() {
                if let Some(hit) = hit(number, item, word.range) {
                    self.note(place, word.folded.unwrap_or_default(), hit);
                }
                number = number.saturating_add(1);
            }
            number = number.saturating_add(GAP);
        }
    }

    fn note(&mut self, place: Place, folded: &str, hit: Hit) {
        if !self.vocabulary.has_stems() {
            if let Some(form) = self.vocabulary.exact(folded) {
                self.hits.push(place, form, hit);
            }
            return;
        }
        if !self.seen.contains_key(folded) {
            if self.seen.len() == MAX_SEEN {
                self.seen.clear();
            }
            let forms = self.vocabulary.exact(folded).into_iter().chain(self.vocabulary.stems(folded)).collect();
            self.seen.insert(folded.to_owned(), forms);
        }
        for &form in self.seen.get(folded).into_iter().flatten() {
            self.hits.push(place, form, hit);
        }
    }
}

impl Hits {
    fn of(&self, place: Place, form: FormId) -> &[Hit] {
        let slot = self.slots.get(form.0).copied().unwrap_or_default() as usize;
        let places = slot.checked_sub(1).and_then(|slot| self.places.get(slot));
        let hits = places.and_then(|places| places.iter().find(|(of, _)| *of == place));
        hits.map_or(&[], |(_, hits)| hits)
    }

    fn push(&mut self, place: Place, form: FormId, hit: Hit) {
        let Some(slot) = self.slots.get_mut(form.0) else { return };
        if *slot == 0 {
            self.places.push(Vec::new());
            *slot = u32::try_from(self.places.len()).unwrap_or_default();
        }
        let Some(places) = (*slot as usize).checked_sub(1).and_then(|slot| self.places.get_mut(slot)) else { return };
        // Places are read one after the other.
        match places.last_mut().filter(|(of, _)| *of == place) {
            Some((_, hits)) if hits.len() < MAX_HITS => hits.push(hit),
            Some(_) => {}
            None => places.push((place, vec![hit])),
        }
    }
}

/// A hit at these bytes; none beyond what offsets of 32 bits reach.
fn hit(word: u32, item: usize, at: Range<usize>) -> Option<Hit> {
    Some(Hit {
        word,
        item: u32::try_from(item).ok()?,
        start: u32::try_from(at.start).ok()?,
        end: u32::try_from(at.end).ok()?,
    })
}
