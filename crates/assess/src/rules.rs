mod held;

use std::{collections::BTreeSet, fmt};

use model::{Document, Finding};

use crate::{
    condition::Place,
    indicator::Indicator,
    reading::Reading,
    vocabulary::{FormId, Vocabulary},
};

/// Indicators in force, ready to assess many documents.
pub struct RuleSet {
    rules: Vec<Rule>,
    vocabulary: Vocabulary,
    /// Where words are looked for.
    places: BTreeSet<Place>,
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
        let mut places = BTreeSet::new();
        let rules = indicators.into_iter().map(|(version, indicator)| {
            let forms = indicator.forms.iter().map(|form| vocabulary.take_in(form)).collect();
            places.extend(indicator.conditions().flat_map(|condition| condition.test.word_places()).copied());
            Rule { version, indicator, forms }
        });
        Self { rules: rules.collect(), vocabulary, places }
    }

    /// Whether there is no indicator.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The findings on a document, in the order of the indicators.
    pub fn assess(&self, document: &Document) -> Vec<Finding> {
        let reading = Reading::new(document, &self.vocabulary, &self.places);
        self.rules.iter().filter_map(|rule| rule.finding(&reading)).collect()
    }
}

impl Rule {
    fn finding(&self, reading: &Reading<'_>) -> Option<Finding> {
        let Indicator { name, threshold, all, any, none, .. } = &self.indicator;
        let contribution = |condition| held::contribution(condition, reading, &self.forms);
        let mut contributions: Vec<_> = all.iter().map(contribution).collect::<Option<_>>()?;
        contributions.extend(any.iter().filter_map(contribution));
        if !any.is_empty() && contributions.len() == all.len() {
            return None;
        }
        let score = contributions.iter().map(|contribution| contribution.weight).sum();
        let holds = score >= *threshold && !none.iter().any(|condition| contribution(condition).is_some());
        holds.then(|| Finding { indicator: name.clone(), version: self.version, score, contributions })
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
