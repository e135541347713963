use std::collections::HashMap;

use model::{Capture, Grant, Purpose, Seq, ThemeId, UriId};
use store::{Store, Version};

use crate::Error;

/// The versions of a theme's URIs, those included that a batch has come to and that are not written yet.
pub(crate) struct Versions<'a> {
    store: &'a Store,
    theme: ThemeId,
    /// As they became, in order; the last state of a version counts.
    unwritten: HashMap<UriId, Vec<Version>>,
}

impl<'a> Versions<'a> {
    pub(crate) fn new(store: &'a Store, theme: ThemeId) -> Self {
        Self { store, theme, unwritten: HashMap::new() }
    }

    /// The last version of the URI that begins at or before `seq`.
    pub(crate) fn at(&self, uri: UriId, seq: Seq) -> Result<Option<Version>, Error> {
        let unwritten = self.unwritten.get(&uri).into_iter().flatten();
        match unwritten.rev().find(|version| version.first <= seq) {
            Some(version) => Ok(Some(*version)),
            None => Ok(self.store.version_before(self.theme, uri, seq)?),
        }
    }

    /// The version of which a 304 says that the page is still that one: what the same target was shown last. Another target may have been
    /// shown something else since.
    pub(crate) fn vouched_for(&self, capture: &Capture) -> Result<Option<Version>, Error> {
        let (uri, grant) = (capture.uri.id(), Grant::system(Purpose::Derivation));
        let page = self.store.page_held(&grant, self.theme, uri, capture.target, Some(capture.seq))?;
        self.at(uri, page.map_or(capture.seq, |page| page.seq))
    }
}

impl Extend<(UriId, Version)> for Versions<'_> {
    fn extend<T: IntoIterator<Item = (UriId, Version)>>(&mut self, versions: T) {
        for (uri, version) in versions {
            self.unwritten.entry(uri).or_default().push(version);
        }
    }
}
