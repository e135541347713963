//! What a page says of offers, sellers and posts, read without knowing the site: labels and their values, records that repeat, and the grammars of
//! prices and places. All of it works on the outline that the one walk over the tree has made.

mod address;
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

use std::{collections::HashSet, ops::Range};

use model::{Fields, PageKind, Price, Row};

use self::{
    facts::{Fact, Facts},
    labels::Key,
    price::{Found, prices},
    sheet::Sheet,
};
use crate::walk::Content;

/// Prices beyond this number are not read.
const MAX_PRICES: usize = 5000;

/// What was read off a page before anything is made of it: labels, prices, and the offers of a list, if it is one.
pub(crate) struct Reading<'a> {
    sheet: Sheet<'a>,
    facts: Facts,
    prices: Vec<Found>,
    rows: Vec<Row>,
    /// Where in the text they stand.
    list: Vec<Range<usize>>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(content: &'a Content) -> Self {
        let sheet = Sheet::new(content);
        let mut prices = prices(sheet.text, MAX_PRICES);
        prices.retain(|found| !sheet.is_control(sheet.pieces_in(&found.at).start));
        let facts = Facts::read(&sheet);
        let (rows, list) = rows::read(&sheet, &facts, &prices);
        Self { sheet, facts, prices, rows, list }
    }

    /// Where prices stand in the text.
    pub(crate) fn prices(&self) -> impl Iterator<Item = usize> {
        self.prices.iter().map(|found| found.at.start)
    }

    /// How many offers the page lists, and how many of them name who offers.
    pub(crate) fn rows(&self) -> (usize, usize) {
        (self.rows.len(), self.rows.iter().filter(|row| row.vendor.is_some()).count())
    }

    /// How many different people offer what the page lists.
    pub(crate) fn sellers(&self) -> usize {
        // Buyers are shown with stars in their names.
        let names = self.rows.iter().filter_map(|row| row.vendor.as_deref()).filter(|name| !name.contains('*'));
        names.collect::<HashSet<_>>().len()
    }

    /// How many different facts of one offer the page tells, each once or twice: a list tells them in each row.
    pub(crate) fn facts_of_goods(&self) -> usize {
        const OF_GOODS: [Key; 8] = [
            Key::Price,
            Key::Vendor,
            Key::ShipsFrom,
            Key::ShipsTo,
            Key::Stock,
            Key::Escrow,
            Key::Category,
            Key::Payment,
        ];
        OF_GOODS.iter().filter(|&&key| (1..=2).contains(&self.count(key))).count()
    }

    /// How many different facts of one person the page tells, each once or twice.
    pub(crate) fn facts_of_people(&self) -> usize {
        [Key::Joined, Key::LastSeen].iter().filter(|&&key| (1..=2).contains(&self.count(key))).count()
    }

    /// Whether the page shows one thing without labelling it: a price that stands out, or a way that it goes.
    pub(crate) fn shows_goods(&self) -> (bool, bool) {
        if !self.rows.is_empty() {
            return (false, false);
        }
        let stands_out = |found: &Found| listing::shown_score(&self.sheet, &found.at).is_some_and(|score| score >= 70);
        let price = self.prices.iter().take(50).any(stands_out);
        let (from, to) = if price { listing::told_ships(&self.sheet, 0) } else { (None, None) };
        (price, from.is_some() || to.is_some())
    }

    fn count(&self, key: Key) -> usize {
        // What stands in a list, or heads it, is said of each thing in it.
        let is_listed = |at: usize| {
            let next = self.list.partition_point(|record| record.end <= at);
            self.list.get(next).is_some_and(|record| record.start <= at)
        };
        let is_apart = |fact: &&Fact| !is_listed(fact.label.start) && !is_listed(fact.value.start);
        self.facts.all().iter().filter(|fact| fact.key == key).filter(is_apart).count()
    }

    /// Makes the fields that a page of this kind has.
    pub(crate) fn fields(self, kind: PageKind) -> Fields {
        let Self { sheet, facts, prices, rows, .. } = self;
        match kind {
            PageKind::Listing => {
                Fields { listing: Some(Box::new(listing::read(&sheet, &facts, &prices))), ..Fields::default() }
            }
            PageKind::Index | PageKind::Search => Fields { rows, ..Fields::default() },
            PageKind::Vendor => {
                Fields { vendor: Some(Box::new(vendor::read(&sheet, &facts))), rows, ..Fields::default() }
            }
            PageKind::Feedback | PageKind::Pgp => {
                Fields { vendor: Some(Box::new(vendor::read(&sheet, &facts))), ..Fields::default() }
            }
            PageKind::Thread => Fields { posts: posts::read(&sheet), ..Fields::default() },
            _ => Fields::default(),
        }
    }
}

/// The first price in a text.
pub(crate) fn first_price(text: &str) -> Option<Price> {
    prices(text, 1).pop().map(|found| found.price)
}

/// The names in a list of places.
pub(crate) fn places(text: &str) -> Vec<String> {
    place::places(text).map(|(names, _)| names).unwrap_or_default()
}

#[cfg(test)]
mod tests;
