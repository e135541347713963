use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// What was read off a page, field by field. Each value says how sure it is and where it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// The site profile that the page fell under, if any.
    pub profile: Option<ProfileUse>,
    /// What a page about one offer says of it.
    pub listing: Option<Box<ListingFields>>,
    /// What a page about one seller says of them.
    pub vendor: Option<Box<VendorFields>>,
    /// The offers of a list, in page order.
    pub rows: Vec<Row>,
    /// The posts of a thread, in page order.
    pub posts: Vec<Post>,
}

/// That a site profile was tried on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileUse {
    /// The name of the profile.
    pub name: String,
    /// Whether everything that the profile requires of such a page was found; where not, the site has drifted from its profile.
    pub matched: bool,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field<T> {
    /// The value, as shown, white space collapsed.
    pub value: T,
    /// How sure it is, in percent. Values below 50 are guesses.
    pub confidence: u8,
    /// How it was found.
    pub source: Source,
}

/// How a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A site profile points at it.
    Profile,
    /// A label stands before it.
    Label,
    /// A label heads its column.
    Column,
    /// It is a heading.
    Heading,
    /// It is what a link says.
    Link,
    /// Its class says what it is.
    Class,
    /// It has the form of such a value.
    Pattern,
    /// It is part of the page's title.
    Title,
    /// It stands in every record of a list at the same place.
    Record,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Price {
    /// Decimal digits without thousands separators and with a point before the decimals, as many as are shown.
    pub amount: String,
    /// ISO 4217, or the usual letters of a coin.
    pub currency: Cow<'static, str>,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// What a page about one offer says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are the field's and say all there is to say")]
pub struct ListingFields {
    pub title: Option<Field<String>>,
    /// The price that is shown first.
    pub price: Option<Field<Price>>,
    pub vendor: Option<Field<String>>,
    pub ships_from: Option<Field<String>>,
    pub ships_to: Option<Field<Vec<String>>>,
    /// The path of categories, outermost first.
    pub category: Option<Field<Vec<String>>>,
    /// A number, or what stands in its place: `Unlimited`.
    pub stock: Option<Field<String>>,
    pub sold: Option<Field<String>>,
    pub escrow: Option<Field<String>>,
    /// The coins that are accepted.
    pub payment: Option<Field<Vec<String>>>,
}

/// What a page about one seller says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are the field's and say all there is to say")]
pub struct VendorFields {
    pub name: Option<Field<String>>,
    pub joined: Option<Field<String>>,
    pub last_seen: Option<Field<String>>,
    /// The share of customers who were content, or the mark that they give.
    pub rating: Option<Field<String>>,
    pub sales: Option<Field<String>>,
    pub level: Option<Field<String>>,
    pub ships_from: Option<Field<String>>,
    pub ships_to: Option<Field<Vec<String>>>,
    /// Public keys as they stand in the text, armour and all.
    pub keys: Vec<Field<String>>,
}

/// An offer in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What is offered; cut short where the page cuts it short.
    pub title: String,
    /// Who offers it.
    pub vendor: Option<String>,
    /// The price that is shown first.
    pub price: Option<Price>,
    /// The link to its page, as it stands in the page.
    pub href: Option<String>,
    /// How sure the row is, in percent.
    pub confidence: u8,
}

/// What somebody wrote in a thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Who wrote it.
    pub author: Option<String>,
    /// When, as shown.
    pub time: Option<String>,
    /// What; at most 20,000 bytes of it.
    pub text: String,
    /// How sure the post is, in percent.
    pub confidence: u8,
}
