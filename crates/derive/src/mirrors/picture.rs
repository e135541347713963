//! What a service looks like at present or looked like at a sequence: the newest page of each of its places, and what these showed before.

use model::{Grant, Seq, ServiceId, ThemeId};
use store::{Error, Mark, Sketch, Store};

/// How much of a service is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// Places.
    pub(crate) places: usize,
    /// Captures of each place.
    pub(crate) depth: usize,
}

/// Enough to compare two services.
pub(crate) const WHOLE: Extent = Extent { places: 512, depth: 4 };

/// Enough to find those that are worth comparing. A service and its mirror show the same places first.
pub(crate) const GLANCE: Extent = Extent { places: 48, depth: 2 };

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) service: ServiceId,
    pub(crate) host: String,
    /// Pages with content of its own, in the order of their places.
    pub(crate) pages: Vec<PlacePage>,
    /// The last place that was looked at, where there are more.
    pub(crate) reach: Option<Mark>,
}

/// A place of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlacePage {
    /// The newest capture that shows content.
    pub(crate) seq: Seq,
    pub(crate) sketch: Sketch,
    /// Captures before it that do, newest first.
    pub(crate) earlier: Vec<Sketch>,
}

impl PlacePage {
    /// The newest capture and those before it.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Sketch> {
        [&self.sketch].into_iter().chain(&self.earlier)
    }
}

impl Picture {
    /// Looks at a service as of `up_to`; `None` where no page of it was read by then.
    pub(crate) fn read(
        store: &Store,
        grant: &Grant,
        theme: ThemeId,
        service: ServiceId,
        up_to: Seq,
        extent: Extent,
    ) -> Result<Option<Self>, Error> {
        let places = store.places(grant, theme, service, up_to, extent.depth, extent.places)?;
        let mut picture: Option<Self> = None;
        for captures in places.captures {
            let mut page: Option<PlacePage> = None;
            for seq in captures {
                let Some(sketch) = store.sketch(grant, theme, seq)? else { continue };
                let picture = picture.get_or_insert_with(|| Self {
                    service,
                    host: sketch.host.clone(),
                    pages: Vec::new(),
                    reach: None,
                });
                if places.is_cut {
                    picture.reach = picture.reach.max(Some(sketch.place));
                }
                match &mut page {
                    _ if !sketch.is_content => {}
                    Some(page) => page.earlier.push(sketch),
                    None => page = Some(PlacePage { seq, sketch, earlier: Vec::new() }),
                }
            }
            if let Some(picture) = &mut picture {
                picture.pages.extend(page);
            }
        }
        Ok(picture)
    }
}
