mod open;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use model::{Grant, Language, Phase, Seq, ThemeId};
use tantivy::{DocAddress, IndexReader, Searcher, SegmentReader, TantivyDocument};

use self::writer::Writer;
use crate::{
    Config, Cursor, Entry, Error, Hit, Holding, InvalidCursor, Page, Query, Sort, Versions,
    budget::Budget,
    expand::{Expander, languages},
    facets::Matches,
    holding,
    latest::latest,
    matching::{Documents, Matcher},
    query::{Clause, MAX_LIMIT, Place, Wanted},
    relevance::{Lengths, Relevance},
    schema::Fields,
    segment::Segment,
    select::{Rank, Selector},
    snippet::{Snippet, cut, mark},
};

/// The index of one theme. Reading and writing do not wait for each other.
pub struct Index {
    theme: ThemeId,
    directory: PathBuf,
    fields: Fields,
    engine: tantivy::Index,
    reader: IndexReader,
    state: RwLock<Arc<State>>,
    writer: Mutex<Writer>,
    /// What a query may cost, in looks at entries.
    query_cost: u64,
    lengths: Lengths,
}

/// What one commit left behind: its entries, and the sequence that it is complete to.
struct State {
    searcher: Searcher,
    up_to: Seq,
}

impl Index {
    /// Opens the index in `directory`; one that is damaged, foreign or of another version is emptied.
    pub(crate) fn open(directory: &Path, theme: ThemeId, config: &Config) -> Result<Self, Error> {
        let fields = Fields::new();
        let (engine, reader, up_to) = open::open_or_empty(directory, theme, &fields)?;
        Ok(Self {
            theme,
            directory: directory.to_owned(),
            fields,
            state: RwLock::new(Arc::new(State { searcher: reader.searcher(), up_to })),
            writer: Mutex::new(Writer::new(theme, config.writer_memory_bytes(), up_to)),
            engine,
            reader,
            query_cost: config.query_cost(),
            lengths: Lengths::default(),
        })
    }

    /// The sequence to which the index is complete, as far as it is committed; 0 when it is new.
    pub fn indexed_up_to(&self) -> Seq {
        self.state().up_to
    }

    /// Adds an entry, which is found after the next commit. Entries come in sequence order; one that is not behind the
    /// last one added, and the last commit, is there already and is left out.
    pub fn add(&self, entry: &Entry) -> Result<(), Error> {
        self.lock_writer().add(entry, &self.engine, &self.fields)
    }

    /// Makes what was added durable and found: the index is complete to `up_to`, also where the last captures before it
    /// gave no entry. After an error the last commit, or this one, stands; [`Index::rewind`] tells.
    pub fn commit(&self, up_to: Seq) -> Result<(), Error> {
        let mut writer = self.lock_writer();
        if writer.commit(up_to, &self.engine)? {
            self.reload(&mut writer)?;
        }
        Ok(())
    }

    /// Forgets what was added since the last commit, and says where to go on: behind this sequence. The way back after
    /// an error.
    pub fn rewind(&self) -> Result<Seq, Error> {
        let mut writer = self.lock_writer();
        writer.abandon();
        self.reload(&mut writer)?;
        Ok(self.indexed_up_to())
    }

    /// Brings all entries into one segment, as merges in the background do with time. What is found stays the same.
    pub fn merge_all(&self) -> Result<(), Error> {
        let mut writer = self.lock_writer();
        writer.merge_all(&self.engine)?;
        self.reload(&mut writer)
    }

    /// Removes all entries: the index is as new, and is filled again from sequence 1.
    pub fn clear(&self) -> Result<(), Error> {
        let mut writer = self.lock_writer();
        writer.clear(&self.engine)?;
        self.reload(&mut writer)
    }

    /// Takes the entries of `without` out and puts those of `with` in; both may lie before the last commit. When this returns, no file of the
    /// index holds what was taken out. It may be done again after an error or a crash.
    pub fn replace(&self, without: &[Seq], with: &[Entry]) -> Result<(), Error> {
        let mut writer = self.lock_writer();
        writer.replace(without, with, &self.engine, &self.fields)?;
        self.reload(&mut writer)?;
        // The engine leaves files alone that an earlier search still reads; taking away their names does not disturb it.
        open::sweep(&self.directory, &self.engine)
    }

    /// Answers a query, for whoever was granted this theme in a phase in which pages are read.
    pub fn search(&self, grant: &Grant, query: &Query) -> Result<Page, Error> {
        self.demand(grant)?;
        let clause = query.clause()?;
        let state = self.state();
        if state.searcher.segment_readers().iter().any(SegmentReader::has_deletes) {
            return Err(Error::Erasing(self.theme));
        }
        let generation = query.as_of_generation(state.up_to)?;
        let fingerprint = query.fingerprint();
        if query.after.is_some_and(|cursor| cursor.query != fingerprint) {
            return Err(InvalidCursor::OfAnotherQuery.into());
        }
        let segments = Segment::all(&state.searcher, generation.up_to)?;
        let budget = Budget::of(self.query_cost);
        let clause = Expander { fields: &self.fields, segments: &segments, budget: &budget }.expand(clause)?;
        let codes = languages(&state.searcher, &self.fields)?;
        let languages: Vec<Language> = codes.iter().filter_map(|code| Language::of_code(code)).collect();
        let (fields, joined) = (&self.fields, query.joined.as_ref());
        let matcher = Matcher { fields, joined, budget: &budget, languages: &languages };
        let found = matches(query, &clause, &matcher, &segments)?;
        let relevance = match query.sort {
            Sort::Relevance if query.limit > 0 => Some(Relevance::of(&clause, &matcher, &segments, &self.lengths)?),
            _ => None,
        };
        let selection = Selector {
            segments: &segments,
            found: &found,
            matcher: &matcher,
            relevance: relevance.as_ref(),
            sort: query.sort,
            after: query.after.map(|cursor| cursor.rank),
            limit: query.limit.min(MAX_LIMIT),
        }
        .run()?;
        let last = selection.chosen.last().map(|(rank, _)| *rank).filter(|_| selection.has_more);
        let hits = selection.chosen.iter().map(|&(rank, address)| {
            let hit = self.hit(&state.searcher, address, &clause)?;
            Ok(match query.sort {
                Sort::Relevance => Hit { score: Some(rank.relevance()), ..hit },
                Sort::Score => Hit { flagged: Some(joined.score(hit.seq)), ..hit },
                _ => hit,
            })
        });
        let hits = hits.collect::<Result<_, Error>>()?;
        let matches = Matches { segments: &segments, found: &found, joined, budget: &budget };
        Ok(Page {
            total: found.iter().map(Documents::len).sum(),
            hits,
            next: last.map(|rank: Rank| Cursor { query: fingerprint, generation, rank }),
            up_to: generation.up_to,
            generation,
            facets: query.facets.iter().map(|facet| matches.count(*facet)).collect::<Result<_, _>>()?,
        })
    }

    /// The captures behind `after` and up to `up_to`, among those that the index is complete to, whose entries hold certain words, in order.
    ///
    /// One that is being erased may be among them.
    pub fn holding(&self, grant: &Grant, what: &Holding, between: (Seq, Seq)) -> Result<Vec<Seq>, Error> {
        self.demand(grant)?;
        Ok(holding::holding(&self.state().searcher, &self.fields, what, between)?)
    }

    /// Tells every word of the titles and texts of the theme, folded, some of them more than once. It says nothing of where they stand.
    pub fn each_word(&self, grant: &Grant, each: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.demand(grant)?;
        Ok(holding::each_word(&self.state().searcher, &self.fields, each)?)
    }

    /// Whether whoever asks may read pages of the theme.
    fn demand(&self, grant: &Grant) -> Result<(), Error> {
        let may_read = grant.covers(self.theme) && grant.phase() != Phase::Technique;
        if may_read { Ok(()) } else { Err(Error::NotGranted(self.theme)) }
    }

    fn hit(&self, searcher: &Searcher, at: DocAddress, clause: &Clause) -> Result<Hit, Error> {
        let document: TantivyDocument = searcher.doc(at)?;
        let damaged = || tantivy::error::DataCorruption::comment_only("a stored entry cannot be read");
        let entry = self.fields.entry(&document).ok_or_else(|| tantivy::TantivyError::from(damaged()))?;
        let looked_for = clause.looked_for();
        let wanted_in = |place| -> Vec<Wanted<'_>> {
            let of_place = looked_for.iter().filter(|(of, _)| *of == place || *of == Place::Page);
            of_place.map(|(_, wanted)| *wanted).collect()
        };
        let language = entry.language.as_deref().and_then(Language::of_code);
        let title_highlights = mark(&entry.title, &wanted_in(Place::Title), language);
        let Snippet { text: snippet, highlights } = cut(&entry.text, &wanted_in(Place::Text), language);
        let Entry { seq, target, uri, captured_at, outcome, kind, language, price, observables: _, title, text: _ } =
            entry;
        Ok(Hit {
            seq,
            target,
            uri,
            captured_at,
            outcome,
            kind,
            language,
            price,
            title,
            title_highlights,
            snippet,
            highlights,
            score: None,
            flagged: None,
        })
    }

    /// Shows what the disk holds to those who search from now on. The writer is locked, so nothing is committed between
    /// the two looks at the disk.
    fn reload(&self, writer: &mut Writer) -> Result<(), Error> {
        let shown = self.reader.reload().map_err(Error::from).and_then(|()| Ok(open::committed_up_to(&self.engine)?));
        let up_to = shown.inspect_err(|_| writer.abandon())?;
        let state = Arc::new(State { searcher: self.reader.searcher(), up_to });
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        writer.resume_after(up_to);
        Ok(())
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn lock_writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries that a query finds, segment by segment.
fn matches(
    query: &Query,
    clause: &Clause,
    matcher: &Matcher<'_>,
    segments: &[Segment<'_>],
) -> Result<Vec<Documents>, Error> {
    let up_to_then = |segment: &Segment<'_>| {
        let mut found = matcher.matching(clause, segment, &segment.entries)?;
        found.retain(&segment.entries);
        Ok(found)
    };
    let mut found: Vec<Documents> = segments.iter().map(up_to_then).collect::<Result<_, Error>>()?;
    if let Some(moment) = query.as_of {
        let all: Vec<Documents> = segments.iter().map(|segment| segment.entries.clone()).collect();
        let states = latest(segments, &all, Some(moment.as_micros()), matcher.budget)?;
        found.iter_mut().zip(&states).for_each(|(found, states)| found.retain(states));
    }
    match query.versions {
        Versions::All => Ok(found),
        Versions::Latest => latest(segments, &found, None, matcher.budget),
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("theme", &self.theme)
            .field("up_to", &self.indexed_up_to())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
