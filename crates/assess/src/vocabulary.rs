use foldhash::{HashMap, HashMapExt};
use model::Language;

/// A word that a condition looks for: itself, or whatever has its stem.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    /// The language of the stem; `None` for the word itself.
    pub(crate) language: Option<Language>,
    /// The folded word or the stem of it.
    pub(crate) word: String,
}

/// The number of a form within a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FormId(pub(crate) usize);

/// All forms that the indicators of a set look for.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    exact: HashMap<String, FormId>,
    stems: Vec<(Language, HashMap<String, FormId>)>,
    len: usize,
}

impl Vocabulary {
    /// The number of a form, which is taken in when it is new.
    pub(crate) fn take_in(&mut self, form: &Form) -> FormId {
        let words = match form.language {
            None => &mut self.exact,
            Some(language) => {
                let known = self.stems.iter().position(|(of, _)| *of == language);
                let at = known.unwrap_or_else(|| {
                    self.stems.push((language, HashMap::new()));
                    self.stems.len() - 1
                });
                &mut self.stems[at].1
            }
        };
        *words.entry(form.word.clone()).or_insert_with(|| {
            self.len += 1;
            FormId(self.len - 1)
        })
    }

    /// How many forms there are; they are numbered from 0.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether any form is a stem.
    pub(crate) fn has_stems(&self) -> bool {
        !self.stems.is_empty()
    }

    /// The form that is this word itself.
    pub(crate) fn exact(&self, folded: &str) -> Option<FormId> {
        self.exact.get(folded).copied()
    }

    /// The forms that are stems of this word, one a language.
    pub(crate) fn stems(&self, folded: &str) -> impl Iterator<Item = FormId> {
        self.stems.iter().filter_map(move |(language, forms)| forms.get(&*language.stem(folded)).copied())
    }
}
