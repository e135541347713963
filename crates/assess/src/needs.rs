use model::Language;

use crate::{
    condition::{Condition, Place, Term, Test},
    indicator::Indicator,
    vocabulary::Form,
};

/// Words that stand in the title or the text of every document that an indicator flags, as [`model::words`] folds them.
///
/// It says what must be there and not what is enough: it finds candidates in an index, which the indicator then judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// This word.
    Word(String),
    /// A word with this stem, by [`Language::stem`].
    Stem(Language, String),
    /// All of these, of which there are two at least.
    All(Vec<Needs>),
    /// One of these, of which there are two at least.
    Any(Vec<Needs>),
}

impl Needs {
    /// Whether words meet the needs, which `has` tells of each word and stem.
    pub fn are_met(&self, has: &impl Fn(Option<Language>, &str) -> bool) -> bool {
        match self {
            Self::Word(word) => has(None, word),
            Self::Stem(language, stem) => has(Some(*language), stem),
            Self::All(needs) => needs.iter().all(|needs| needs.are_met(has)),
            Self::Any(needs) => needs.iter().any(|needs| needs.are_met(has)),
        }
    }

    fn all(mut needs: Vec<Self>) -> Option<Self> {
        if needs.len() > 1 { Some(Self::All(needs)) } else { needs.pop() }
    }

    fn any(mut needs: Vec<Self>) -> Option<Self> {
        if needs.len() > 1 { Some(Self::Any(needs)) } else { needs.pop() }
    }
}

impl Indicator {
    /// The words without which the indicator flags nothing; `None` where words alone cannot tell, as with patterns,
    /// observables and fields.
    pub fn needs(&self) -> Option<Needs> {
        let mut needs: Vec<Needs> = self.all.iter().filter_map(|condition| self.needs_of(condition)).collect();
        needs.extend(self.needs_of_any());
        Needs::all(needs)
    }

    /// What the conditions of which one must hold need together. Where some of them need no words, the others count
    /// all the same if the score is not reached without them.
    fn needs_of_any(&self) -> Option<Needs> {
        let known: Vec<(i64, Option<Needs>)> =
            self.any.iter().map(|condition| (condition.weight, self.needs_of(condition))).collect();
        let of_all: i64 = self.all.iter().map(|condition| condition.weight).sum();
        let without_words = known.iter().filter(|(_, needs)| needs.is_none());
        let reached: i64 = of_all + without_words.clone().map(|(weight, _)| weight.max(&0)).sum::<i64>();
        if without_words.count() == 0 {
            return Needs::any(known.into_iter().filter_map(|(_, needs)| needs).collect());
        }
        if reached >= self.threshold {
            return None;
        }
        Needs::any(known.into_iter().filter(|(weight, _)| *weight > 0).filter_map(|(_, needs)| needs).collect())
    }

    fn needs_of(&self, condition: &Condition) -> Option<Needs> {
        match &condition.test {
            Test::Terms { terms, places } if is_indexed(places) => {
                Needs::any(terms.iter().filter_map(|term| self.needs_of_term(term)).collect())
            }
            Test::Near { terms, places, .. } if is_indexed(places) => {
                Needs::all(terms.iter().filter_map(|term| self.needs_of_term(term)).collect())
            }
            _ => None,
        }
    }

    fn needs_of_term(&self, term: &Term) -> Option<Needs> {
        let forms = term.iter().filter_map(|&form| self.forms.get(form));
        Needs::all(
            forms
                .map(|Form { language, word }| match language {
                    None => Needs::Word(word.clone()),
                    Some(language) => Needs::Stem(*language, word.clone()),
                })
                .collect(),
        )
    }
}

/// Whether what is found in the places stands in the index: values of fields may come from what is no text of the page.
fn is_indexed(places: &[Place]) -> bool {
    !places.iter().any(|place| matches!(place, Place::Field(_)))
}
