use std::borrow::Cow;

use model::{Contribution, Grade, ObservableKind, Place as Spot, Price, Span, words::Words};
use regex::Regex;

use crate::{
    condition::{Condition, Place, Term, Test},
    decimal::Decimal,
    observable::key,
    reading::{Hit, Reading, values},
    vocabulary::FormId,
};

/// How much of a text patterns look through, in bytes.
const MAX_SCANNED: usize = 2 << 20;

/// How many matches of a pattern are looked at, the empty ones among them, which do not count.
const MAX_LOOKS: usize = 200;

/// Where a condition holds; `None` when it does not.
pub(super) fn found(condition: &Condition, reading: &Reading<'_>, forms: &[FormId]) -> Option<Found> {
    let found = match &condition.test {
        Test::Terms { terms, places } => terms_in(terms, places, reading, forms),
        Test::Near { terms, distance, places } => near(terms, *distance, places, reading, forms),
        Test::Pattern { pattern, places } => matches_of(pattern, places, reading),
        Test::Observable { kind, grade, values } => {
            observables(*kind, *grade, |value| values.as_ref().is_none_or(|values| values.contains(value)), reading)
        }
        Test::Price { field, above, below, currency } => {
            let lies = |price: &Price| is_between(price, above.as_ref(), below.as_ref(), currency);
            let prices = field.values(reading.document).into_iter().filter(|(_, price)| lies(price));
            Found::whole_values(field.name(), prices.map(|(item, price)| (item, price.amount.len())))
        }
        Test::Is { field, values } => {
            let texts = field.values(reading.document).into_iter().filter(|(_, text)| values.contains(&folded(text)));
            Found::whole_values(field.name(), texts.map(|(item, text)| (item, text.len())))
        }
        Test::Kind(kinds) => Found::page(kinds.contains(&reading.document.kind)),
        Test::PageLanguage(languages) => {
            Found::page(reading.document.language.as_ref().is_some_and(|language| languages.contains(language)))
        }
    };
    (found.matches > 0).then_some(found)
}

/// Where a condition holds.
#[derive(Default)]
pub(super) struct Found {
    spans: Vec<Span>,
    matches: u32,
}

impl Found {
    /// What the condition adds to a finding.
    pub(super) fn into_contribution(self, Condition { says, weight, .. }: &Condition) -> Contribution {
        Contribution { condition: says.clone(), weight: *weight, spans: self.spans, matches: self.matches }
    }

    /// What holds of the page as a whole.
    fn page(holds: bool) -> Self {
        Self { spans: Vec::new(), matches: holds.into() }
    }

    /// What holds of whole values of a field, which are so many bytes long.
    fn whole_values(field: &str, values: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut found = Self::default();
        for (item, length) in values {
            found.add(|| {
                let place = Spot::Field { name: field.to_owned(), item: offset(item) };
                Span { place, at: 0..offset(length) }
            });
        }
        found
    }

    fn add(&mut self, span: impl FnOnce() -> Span) {
        self.matches = self.matches.saturating_add(1);
        if self.spans.len() < Contribution::MAX_SPANS {
            self.spans.push(span());
        }
    }

    /// Adds hits in a place, in page order and each once.
    fn add_hits(&mut self, place: Place, mut hits: Vec<Hit>) {
        hits.sort_unstable_by_key(|hit| (hit.item, hit.start, hit.end));
        hits.dedup();
        for hit in hits {
            self.add(|| Span { place: place.spot(hit.item), at: hit.start..hit.end });
        }
    }
}

/// Offsets are of 32 bits; texts are shorter.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn terms_in(terms: &[Term], places: &[Place], reading: &Reading<'_>, forms: &[FormId]) -> Found {
    let mut found = Found::default();
    for &place in places {
        let hits = terms.iter().flat_map(|term| occurrences(term, place, reading, forms).into_owned());
        found.add_hits(place, hits.collect());
    }
    found
}

/// Where a term stands: its words one after the other.
fn occurrences<'r>(term: &Term, place: Place, reading: &'r Reading<'_>, forms: &[FormId]) -> Cow<'r, [Hit]> {
    let mut words = term.iter().map(|&form| forms.get(form).map_or(&[][..], |&form| reading.hits(place, form)));
    let first = words.next().unwrap_or_default();
    if first.is_empty() || term.len() == 1 {
        return Cow::Borrowed(first);
    }
    let rest: Vec<&[Hit]> = words.collect();
    let followed = |hit: &Hit| {
        let mut run = *hit;
        for (next, hits) in (hit.word + 1..).zip(&rest) {
            let at = hits.binary_search_by_key(&next, |hit| hit.word).ok()?;
            run.end = hits.get(at)?.end;
        }
        Some(run)
    };
    Cow::Owned(first.iter().filter_map(followed).collect())
}

fn near(terms: &[Term], distance: u32, places: &[Place], reading: &Reading<'_>, forms: &[FormId]) -> Found {
    let mut found = Found::default();
    for &place in places {
        let occurrences = terms.iter().map(|term| occurrences(term, place, reading, forms));
        let lists: Option<Vec<_>> = occurrences.map(|list| (!list.is_empty()).then_some(list)).collect();
        found.add_hits(place, lists.map(|lists| stretches(&lists, distance)).unwrap_or_default());
    }
    found
}

/// The stretches that hold a hit of each list, first words no more than `distance` apart. None overlaps another, and none could begin later.
fn stretches(lists: &[Cow<'_, [Hit]>], distance: u32) -> Vec<Hit> {
    let mut found = Vec::new();
    let mut next: Vec<usize> = vec![0; lists.len()];
    while let Some(current) = lists.iter().zip(&next).map(|(list, &at)| list.get(at)).collect::<Option<Vec<_>>>() {
        let words = current.iter().map(|hit| hit.word);
        let (Some(first), Some(last)) = (words.clone().min(), words.max()) else { break };
        let could_begin_later = lists
            .iter()
            .zip(&next)
            .zip(&current)
            .any(|((list, &at), hit)| hit.word == first && list.get(at + 1).is_some_and(|later| later.word < last));
        // All that begins up to here is behind us: the stretch, or what makes it too long.
        let mut behind = first;
        if last - first <= distance && !could_begin_later {
            let start = current.iter().map(|hit| hit.start).min().unwrap_or_default();
            let end = current.iter().map(|hit| hit.end).max().unwrap_or_default();
            found.extend(current.first().map(|hit| Hit { start, end, ..**hit }));
            behind = last;
        }
        for (list, at) in lists.iter().zip(&mut next) {
            *at += list.get(*at..).unwrap_or_default().iter().take_while(|hit| hit.word <= behind).count();
        }
    }
    found
}

fn matches_of(pattern: &Regex, places: &[Place], reading: &Reading<'_>) -> Found {
    let mut found = Found::default();
    for &place in places {
        let (mut scanned, mut looks) = (0, 0);
        for (item, value) in values(place, reading.document) {
            let value = value.get(..value.floor_char_boundary(MAX_SCANNED - scanned)).unwrap_or_default();
            scanned += value.len();
            for at in pattern.find_iter(value).map(|at| at.range()).take(MAX_LOOKS - looks) {
                looks += 1;
                if !at.is_empty() {
                    found.add(|| Span { place: place.spot(offset(item)), at: offset(at.start)..offset(at.end) });
                }
                if found.spans.len() == Contribution::MAX_SPANS {
                    return found;
                }
            }
        }
    }
    found
}

fn observables(kind: ObservableKind, grade: Grade, is_wanted: impl Fn(&str) -> bool, reading: &Reading<'_>) -> Found {
    let mut found = Found::default();
    for observable in reading.observables(kind) {
        if observable.grade >= grade && is_wanted(&key(kind, &observable.value)) {
            found.add(|| Span { place: Spot::Text, at: observable.at.clone() });
        }
    }
    found
}

fn is_between(price: &Price, above: Option<&Decimal>, below: Option<&Decimal>, currency: &str) -> bool {
    price.currency.eq_ignore_ascii_case(currency)
        && Decimal::parse(&price.amount).is_some_and(|amount| {
            above.is_none_or(|bound| amount > *bound) && below.is_none_or(|bound| amount < *bound)
        })
}

/// The folded words of a text; what is too long for a word equals nothing.
fn folded(text: &str) -> Vec<String> {
    let mut words = Words::of(text);
    let mut all = Vec::new();
    while let Some(word) = words.advance() {
        all.push(word.folded.unwrap_or_default().to_owned());
    }
    all
}
