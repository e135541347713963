use std::borrow::Cow;

use model::{Document, Field, Fields, ListingFields, Post, Price, Row, Source, VendorFields};

/// A field that holds text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TextField {
    ListingTitle,
    ListingVendor,
    ListingShipsFrom,
    ListingShipsTo,
    ListingCategory,
    ListingStock,
    ListingEscrow,
    ListingPayment,
    VendorName,
    VendorLevel,
    VendorShipsFrom,
    VendorShipsTo,
    RowsTitle,
    RowsVendor,
    PostsAuthor,
    PostsText,
}

/// A field that holds an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PriceField {
    Listing,
    Rows,
}

impl TextField {
    pub(crate) const ALL: [Self; 16] = [
        Self::ListingTitle,
        Self::ListingVendor,
        Self::ListingShipsFrom,
        Self::ListingShipsTo,
        Self::ListingCategory,
        Self::ListingStock,
        Self::ListingEscrow,
        Self::ListingPayment,
        Self::VendorName,
        Self::VendorLevel,
        Self::VendorShipsFrom,
        Self::VendorShipsTo,
        Self::RowsTitle,
        Self::RowsVendor,
        Self::PostsAuthor,
        Self::PostsText,
    ];

    /// The name, as rules and findings write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ListingTitle => "listing.title",
            Self::ListingVendor => "listing.vendor",
            Self::ListingShipsFrom => "listing.ships_from",
            Self::ListingShipsTo => "listing.ships_to",
            Self::ListingCategory => "listing.category",
            Self::ListingStock => "listing.stock",
            Self::ListingEscrow => "listing.escrow",
            Self::ListingPayment => "listing.payment",
            Self::VendorName => "vendor.name",
            Self::VendorLevel => "vendor.level",
            Self::VendorShipsFrom => "vendor.ships_from",
            Self::VendorShipsTo => "vendor.ships_to",
            Self::RowsTitle => "rows.title",
            Self::RowsVendor => "rows.vendor",
            Self::PostsAuthor => "posts.author",
            Self::PostsText => "posts.text",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The values on a page, each with its number; a row or a post without the value leaves its number out.
    pub(crate) fn values(self, document: &Document) -> Vec<(usize, &str)> {
        let Fields { listing, vendor, rows, posts, .. } = &document.fields;
        let (listing, vendor) = (listing.as_deref(), vendor.as_deref());
        match self {
            Self::ListingTitle => one(listing.and_then(|listing| listing.title.as_ref())),
            Self::ListingVendor => one(listing.and_then(|listing| listing.vendor.as_ref())),
            Self::ListingShipsFrom => one(listing.and_then(|listing| listing.ships_from.as_ref())),
            Self::ListingShipsTo => many(listing.and_then(|listing| listing.ships_to.as_ref())),
            Self::ListingCategory => many(listing.and_then(|listing| listing.category.as_ref())),
            Self::ListingStock => one(listing.and_then(|listing| listing.stock.as_ref())),
            Self::ListingEscrow => one(listing.and_then(|listing| listing.escrow.as_ref())),
            Self::ListingPayment => many(listing.and_then(|listing| listing.payment.as_ref())),
            Self::VendorName => one(vendor.and_then(|vendor| vendor.name.as_ref())),
            Self::VendorLevel => one(vendor.and_then(|vendor| vendor.level.as_ref())),
            Self::VendorShipsFrom => one(vendor.and_then(|vendor| vendor.ships_from.as_ref())),
            Self::VendorShipsTo => many(vendor.and_then(|vendor| vendor.ships_to.as_ref())),
            Self::RowsTitle => each(rows, |row| Some(&row.title)),
            Self::RowsVendor => each(rows, |row| row.vendor.as_deref()),
            Self::PostsAuthor => each(posts, |post| post.author.as_deref()),
            Self::PostsText => each(posts, |post| Some(&post.text)),
        }
    }

    /// Puts the values of an example where a page would have them.
    pub(crate) fn set(self, fields: &mut Fields, values: &[String]) {
        match self {
            Self::ListingTitle => listing(fields).title = sure_one(values),
            Self::ListingVendor => listing(fields).vendor = sure_one(values),
            Self::ListingShipsFrom => listing(fields).ships_from = sure_one(values),
            Self::ListingShipsTo => listing(fields).ships_to = Some(sure(values.to_vec())),
            Self::ListingCategory => listing(fields).category = Some(sure(values.to_vec())),
            Self::ListingStock => listing(fields).stock = sure_one(values),
            Self::ListingEscrow => listing(fields).escrow = sure_one(values),
            Self::ListingPayment => listing(fields).payment = Some(sure(values.to_vec())),
            Self::VendorName => vendor(fields).name = sure_one(values),
            Self::VendorLevel => vendor(fields).level = sure_one(values),
            Self::VendorShipsFrom => vendor(fields).ships_from = sure_one(values),
            Self::VendorShipsTo => vendor(fields).ships_to = Some(sure(values.to_vec())),
            Self::RowsTitle => rows(fields, values, |row, value| row.title = value),
            Self::RowsVendor => rows(fields, values, |row, value| row.vendor = Some(value)),
            Self::PostsAuthor => posts(fields, values, |post, value| post.author = Some(value)),
            Self::PostsText => posts(fields, values, |post, value| post.text = value),
        }
    }
}

impl PriceField {
    pub(crate) const ALL: [Self; 2] = [Self::Listing, Self::Rows];

    /// The name, as rules and findings write it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing.price",
            Self::Rows => "rows.price",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The prices on a page, each with its number.
    pub(crate) fn values(self, document: &Document) -> Vec<(usize, &Price)> {
        let fields = &document.fields;
        match self {
            Self::Listing => {
                let price = fields.listing.as_ref().and_then(|listing| listing.price.as_ref());
                price.map(|price| (0, &price.value)).into_iter().collect()
            }
            Self::Rows => {
                let rows = fields.rows.iter().enumerate();
                rows.filter_map(|(at, row)| Some((at, row.price.as_ref()?))).collect()
            }
        }
    }

    /// Puts the prices of an example where a page would have them.
    pub(crate) fn set(self, fields: &mut Fields, prices: Vec<Price>) {
        match self {
            Self::Listing => listing(fields).price = prices.into_iter().next().map(sure),
            Self::Rows => rows(fields, prices, |row, price| row.price = Some(price)),
        }
    }
}

/// The value of a field that a span points into, by name and number, as findings give them; `None` where the document has none.
pub fn field_value<'a>(document: &'a Document, name: &str, item: u32) -> Option<Cow<'a, str>> {
    let is_it = |at: usize| u32::try_from(at) == Ok(item);
    if let Some(field) = TextField::of_name(name) {
        return field.values(document).into_iter().find(|(at, _)| is_it(*at)).map(|(_, value)| value.into());
    }
    let prices = PriceField::of_name(name)?.values(document);
    prices.into_iter().find(|(at, _)| is_it(*at)).map(|(_, price)| price.to_string().into())
}

fn one(field: Option<&Field<String>>) -> Vec<(usize, &str)> {
    field.map(|field| (0, field.value.as_str())).into_iter().collect()
}

fn many(field: Option<&Field<Vec<String>>>) -> Vec<(usize, &str)> {
    field.into_iter().flat_map(|field| &field.value).map(String::as_str).enumerate().collect()
}

fn each<T>(items: &[T], value: impl Fn(&T) -> Option<&str>) -> Vec<(usize, &str)> {
    items.iter().enumerate().filter_map(|(at, item)| Some((at, value(item)?))).collect()
}

fn sure<T>(value: T) -> Field<T> {
    Field { value, confidence: 100, source: Source::Label }
}

fn sure_one(values: &[String]) -> Option<Field<String>> {
    values.first().cloned().map(sure)
}

fn listing(fields: &mut Fields) -> &mut ListingFields {
    fields.listing.get_or_insert_default()
}

fn vendor(fields: &mut Fields) -> &mut VendorFields {
    fields.vendor.get_or_insert_default()
}

fn rows<T: Clone>(fields: &mut Fields, values: impl AsRef<[T]>, put: impl Fn(&mut Row, T)) {
    for (at, value) in values.as_ref().iter().enumerate() {
        if fields.rows.len() == at {
            fields.rows.push(Row { title: String::new(), vendor: None, price: None, href: None, confidence: 100 });
        }
        put(&mut fields.rows[at], value.clone());
    }
}

fn posts(fields: &mut Fields, values: &[String], put: impl Fn(&mut Post, String)) {
    for (at, value) in values.iter().enumerate() {
        if fields.posts.len() == at {
            fields.posts.push(Post { author: None, time: None, text: String::new(), confidence: 100 });
        }
        put(&mut fields.posts[at], value.clone());
    }
}

/// Reads a price as an example writes it: `120 EUR`.
pub(crate) fn price_of(text: &str) -> Option<Price> {
    let (amount, currency) = text.trim().split_once(' ')?;
    crate::decimal::Decimal::parse(amount)?;
    Some(Price { amount: amount.to_owned(), currency: Cow::Owned(currency.trim().to_owned()) })
}
