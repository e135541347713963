//! What a page says of offers, sellers and posts, read without knowing the site: labels and their values, records that repeat, and the grammars of
//! prices and places. All of it works on the outline that the one walk over the tree has made.

mod facts;
mod labels;
mod listing;
mod people;
mod place;
mod posts;
mod price;
mod rows;
mod sheet;
mod title;
mod vendor;

use model::{Fields, PageKind};

use self::{facts::Facts, sheet::Sheet};
use crate::walk::Content;

/// Reads the fields that a page of this kind has.
pub(crate) fn of(kind: PageKind, content: &Content) -> Fields {
    let wants = matches!(
        kind,
        PageKind::Listing
            | PageKind::Vendor
            | PageKind::Feedback
            | PageKind::Pgp
            | PageKind::Index
            | PageKind::Search
            | PageKind::Thread
    );
    if !wants || content.outline.pieces.is_empty() {
        return Fields::default();
    }
    let sheet = Sheet::new(content);
    if kind == PageKind::Thread {
        return Fields { posts: posts::read(&sheet), ..Fields::default() };
    }
    let facts = Facts::read(&sheet);
    match kind {
        PageKind::Listing => Fields { listing: Some(Box::new(listing::read(&sheet, &facts))), ..Fields::default() },
        PageKind::Index | PageKind::Search => Fields { rows: rows::read(&sheet, &facts), ..Fields::default() },
        _ => Fields {
            vendor: Some(Box::new(vendor::read(&sheet, &facts))),
            rows: if kind == PageKind::Vendor { rows::read(&sheet, &facts) } else { Vec::new() },
            ..Fields::default()
        },
    }
}

#[cfg(test)]
mod tests;
