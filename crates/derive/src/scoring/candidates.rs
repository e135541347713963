//! Which stored documents have to be looked at again: where the index can tell which of them hold the words that an indicator needs, only those.

use std::collections::{HashMap, HashSet, VecDeque};

use assess::{Indicator, Needs};
use model::{CaptureId, Document, Grant, Language, Purpose, Seq, ThemeId};
use search::{Holding, Index};
use store::Store;

use crate::deriver::Error;

/// Sequences that the index is asked about at once.
const WINDOW: u64 = 100_000;

/// The documents that indicators may flag.
pub(super) struct Candidates {
    /// What one of the indicators needs; none where one of them may flag any document.
    needs: Option<Needs>,
    /// What the index told, and up to where.
    told: VecDeque<Seq>,
    told_up_to: Seq,
    /// What is needed in words of the index, and how far this was complete when they were looked up.
    spelled: Option<(Seq, Holding)>,
}

impl Candidates {
    pub(super) fn of<'a>(indicators: impl Iterator<Item = &'a Indicator>) -> Self {
        let needs: Option<Vec<Needs>> = indicators.map(Indicator::needs).collect();
        Self { needs: needs.map(Needs::Any), told: VecDeque::new(), told_up_to: Seq(0), spelled: None }
    }

    /// The next documents behind `after` and up to `end`, at most `limit`, and the sequence up to which these are all.
    pub(super) fn next(
        &mut self,
        store: &Store,
        index: &Index,
        theme: ThemeId,
        (after, end): (Seq, Seq),
        limit: usize,
    ) -> Result<(Vec<(Seq, Document)>, Seq), Error> {
        let grant = Grant::system(Purpose::Derivation);
        let limit = limit.max(1);
        if self.told_up_to <= after {
            let indexed = index.indexed_up_to();
            let up_to = end.min(indexed).min(Seq(after.0.saturating_add(WINDOW)));
            match &self.needs {
                Some(needs) if up_to > after => {
                    if self.spelled.as_ref().is_none_or(|(of, _)| *of != indexed) {
                        self.spelled = Some((indexed, in_words(needs, index, &grant)?));
                    }
                    if let Some((_, words)) = &self.spelled {
                        self.told = index.holding(&grant, words, (after, up_to))?.into();
                    }
                    self.told_up_to = up_to;
                }
                // The index has not come so far, or cannot help.
                _ => return Ok(store.documents_after(&grant, theme, (after, end), limit)?),
            }
        }
        let mut documents = Vec::new();
        while documents.len() < limit {
            let Some(seq) = self.told.pop_front() else { return Ok((documents, self.told_up_to)) };
            match store.document(&grant, CaptureId { theme, seq }) {
                Err(error) if error.is_withheld() => {}
                document => documents.extend(document?.map(|document| (seq, document))),
            }
        }
        let reached = documents.last().map_or(self.told_up_to, |(seq, _)| *seq);
        Ok((documents, if self.told.is_empty() { self.told_up_to } else { reached }))
    }
}

/// The words of the index that have a stem which is needed.
type Stems = HashMap<(Language, String), HashSet<String>>;

/// What is needed, in words of the index.
fn in_words(needs: &Needs, index: &Index, grant: &Grant) -> Result<Holding, Error> {
    let mut stems = Stems::new();
    gather(needs, &mut stems);
    let languages: HashSet<Language> = stems.keys().map(|(language, _)| *language).collect();
    index.each_word(grant, &mut |word| {
        for language in &languages {
            if let Some(words) = stems.get_mut(&(*language, language.stem(word).into_owned())) {
                words.insert(word.to_owned());
            }
        }
    })?;
    Ok(spelled(needs, &stems))
}

fn gather(needs: &Needs, stems: &mut Stems) {
    match needs {
        Needs::Word(_) => {}
        Needs::Stem(language, stem) => _ = stems.entry((*language, stem.clone())).or_default(),
        Needs::All(parts) | Needs::Any(parts) => parts.iter().for_each(|part| gather(part, stems)),
    }
}

fn spelled(needs: &Needs, stems: &Stems) -> Holding {
    let all = |parts: &[Needs]| parts.iter().map(|part| spelled(part, stems)).collect();
    match needs {
        Needs::Word(word) => Holding::Word(word.clone()),
        Needs::Stem(language, stem) => {
            let words = stems.get(&(*language, stem.clone())).into_iter().flatten();
            Holding::Any(words.cloned().map(Holding::Word).collect())
        }
        Needs::All(parts) => Holding::All(all(parts)),
        Needs::Any(parts) => Holding::Any(all(parts)),
    }
}
