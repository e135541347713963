mod held;

use std::{collections::BTreeSet, fmt, sync::Mutex};

use model::{Document, Finding};

use crate::{
    condition::Place,
    indicator::Indicator,
    reading::{Reading, Seen},
    vocabulary::{FormId, Vocabulary},
};

/// Indicators in force, ready to assess many documents.
pub struct RuleSet {
    rules: Vec<Rule>,
    vocabulary: Vocabulary,
    /// Where words are looked for.
    places: BTreeSet<Place>,
    /// What one document at a time finds and leaves; another one at the same time does without.
    seen: Mutex<Seen>,
}

/// An indicator in force.
struct Rule {
    version: u64,
    indicator: Indicator,
    /// The numbers in the vocabulary of the indicator's forms.
    forms: Vec<FormId>,
}

impl RuleSet {
    /// Takes indicators, each with its version: the leaf of the act that made it.
    pub fn new(indicators: impl IntoIterator<Item = (u64, Indicator)>) -> Self {
        let mut vocabulary = Vocabulary::default();
        let mut places = BTreeSet::from(Place::PAGE);
        let rules = indicators.into_iter().map(|(version, indicator)| {
            let forms = indicator.forms.iter().map(|form| vocabulary.take_in(form)).collect();
            places.extend(indicator.conditions().flat_map(|condition| condition.test.word_places()).copied());
            Rule { version, indicator, forms }
        });
        let rules = rules.collect();
        // The bare text is the text, which is read once.
        places.remove(&Place::BareText);
        Self { rules, vocabulary, places, seen: Mutex::default() }
    }

    /// Whether there is no indicator.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The findings on a document, in the order of the indicators.
    pub fn assess(&self, document: &Document) -> Vec<Finding> {
        let reading = self.read(document);
        self.rules.iter().filter_map(|rule| rule.finding(&reading)).collect()
    }

    fn read<'a>(&self, document: &'a Document) -> Reading<'a> {
        match self.seen.try_lock() {
            Ok(mut seen) => Reading::new(document, &self.vocabulary, &self.places, &mut seen),
            Err(_) => Reading::new(document, &self.vocabulary, &self.places, &mut Seen::default()),
        }
    }
}

impl Rule {
    fn finding(&self, reading: &Reading<'_>) -> Option<Finding> {
        let Indicator { name, threshold, all, any, none, .. } = &self.indicator;
        let held = |condition| Some((condition, held::found(condition, reading, &self.forms)?));
        let mut found: Vec<_> = all.iter().map(held).collect::<Option<_>>()?;
        found.extend(any.iter().filter_map(held));
        if !any.is_empty() && found.len() == all.len() {
            return None;
        }
        let score = found.iter().map(|(condition, _)| condition.weight).sum();
        if score < *threshold || none.iter().any(|condition| held(condition).is_some()) {
            return None;
        }
        let contributions = found.into_iter().map(|(condition, found)| found.into_contribution(condition)).collect();
        Some(Finding { indicator: name.clone(), version: self.version, score, contributions })
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.rules.iter().map(|rule| (&rule.indicator.name, rule.version));
        f.debug_map().entries(names).finish()
    }
}

#[cfg(test)]
mod tests;
