//! As of what a query is answered, and whether it can be answered so again.

use model::{Seq, ThemeId};
use search::{Generation, Query, Sort};
use store::Store;

use crate::refusal::Refusal;

/// How the views of a theme stand, beside how far they have come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    extractor: u32,
    edition: u64,
    /// How many captures are withheld.
    withheld: u64,
}

impl State {
    pub(super) fn of(store: &Store, theme: ThemeId) -> Result<Self, Refusal> {
        Ok(Self {
            extractor: store.extractor(theme)?.unwrap_or(0),
            edition: store.edition(theme)?,
            withheld: store.withheld_up_to(theme, Seq(u64::MAX))?,
        })
    }

    /// The generation of this state.
    pub(super) fn generation(
        &self,
        store: &Store,
        theme: ThemeId,
        up_to: Seq,
        acts: u64,
    ) -> Result<Generation, Refusal> {
        let withheld = store.withheld_up_to(theme, up_to)?;
        let generation =
            Generation { up_to, acts, extractor: self.extractor, edition: self.edition, withheld, check: 0 };
        Ok(generation.checked_by(theme, store.log_root(acts)?.as_bytes()))
    }

    /// Refuses a generation as of which a query would be answered otherwise than it was.
    pub(super) fn can_repeat(
        &self,
        store: &Store,
        theme: ThemeId,
        query: &Query,
        generation: Generation,
    ) -> Result<(), Refusal> {
        let is_of_this_log = generation.acts <= store.log_head().size
            && generation == generation.checked_by(theme, store.log_root(generation.acts)?.as_bytes());
        let why = if !is_of_this_log {
            "it is not of this theme, or not of this log"
        } else if generation.extractor != self.extractor {
            "another version of the program reads the pages now"
        } else if generation.edition != self.edition {
            "pages were read anew since, or given back"
        } else if !generation.edition.is_multiple_of(2) {
            "it was named while pages were read anew or given back"
        } else if generation.withheld != store.withheld_up_to(theme, generation.up_to)?
            && query.after.is_some()
            && query.sort == Sort::Relevance
        {
            "captures were erased or sealed since, and what is left weighs otherwise than on the page before"
        } else if generation.withheld != store.withheld_up_to(theme, generation.up_to)?
            && query.depends_on_withheld()?
        {
            "captures were erased or sealed since, and what bears a label, is the latest, or is like what, depends on them"
        } else {
            return Ok(());
        };
        Err(Refusal::GenerationRetired(why))
    }
}
