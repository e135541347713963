use model::{CaptureId, Seq, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FoundIn, SeenAt, ServicePair};

/// An item over the mirrors of a service, and what it cost over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// The title, as the capture that was asked about shows it.
    pub title: String,
    /// Who offers it, as that capture shows it.
    pub vendor: Option<String>,
    /// The services of the cluster that it was looked for on.
    pub hosts: Vec<String>,
    /// A page of the captures that show it, oldest first.
    pub captures: Vec<ItemCapture>,
    /// What the next page begins with, if there is one.
    #[schema(value_type = Option<u64>)]
    pub next: Option<Seq>,
    /// What it cost, service by service and oldest first: captures of one service that show one price are one run.
    pub prices: Vec<PriceRun>,
    /// Whether there are older captures than were looked at, the newest 1000 of each service.
    pub is_cut: bool,
}

/// A capture of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemCapture {
    /// Theme and sequence.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// The service.
    pub host: String,
    /// When the attempt began.
    #[schema(value_type = String, format = DateTime)]
    pub seen: Timestamp,
    /// The title that it shows.
    pub title: String,
    /// What it costs: amount and currency.
    #[schema(example = "12.50 EUR")]
    pub price: Option<String>,
}

/// A run of captures of one service that show one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceRun {
    /// The service.
    pub host: String,
    /// Amount and currency.
    #[schema(example = "12.50 EUR")]
    pub price: String,
    /// When it was seen first.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// When it was seen last.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// The capture that shows it first.
    #[schema(value_type = u64)]
    pub first: Seq,
    /// The one that shows it last.
    #[schema(value_type = u64)]
    pub last: Seq,
    /// How many captures show it.
    pub captures: u64,
}

/// What is known of a seller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Vendor {
    /// The pages of the sellers of this name. On different services that may be different people.
    pub pages: Vec<VendorPage>,
    /// The keys on these pages, and on whose pages else they stand: what links a seller over services.
    pub keys: Vec<VendorKey>,
}

/// A seller's own pages on one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VendorPage {
    /// The name, as shown.
    pub name: String,
    /// The service.
    pub host: String,
    /// The oldest capture that was looked at.
    #[schema(value_type = u64)]
    pub first: Seq,
    /// The newest one.
    #[schema(value_type = u64)]
    pub last: Seq,
    /// When the attempt of the newest one began.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: Timestamp,
}

/// A verified key, and whose pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VendorKey {
    /// The fingerprint.
    pub fingerprint: String,
    /// Whether the pages of several sellers of one service show it: then it is the market's, and links nobody.
    pub is_shared: bool,
    /// The pages that show it; for a key that links nobody those of the sellers of this name.
    pub pages: Vec<VendorPage>,
}

/// What is proposed to be watched. Nothing is crawled for being listed: that takes a proposal by a person, and a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposals {
    /// A page of proposals, by host.
    pub proposals: Vec<Proposal>,
    /// What the next page begins with, if there is one.
    pub next: Option<String>,
    /// Whether there is more to look at than was.
    pub is_cut: bool,
}

/// An onion service that belongs to no target and is held to be that of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Its address.
    pub host: String,
    /// The reasons, in sentences.
    pub because: Vec<String>,
    /// Where it was come by, to be handed in when somebody proposes to watch it.
    pub found_in: FoundIn,
    /// The watched services that call it a mirror.
    pub called_by: Vec<CalledBy>,
    /// The watched services that it is like; the watched one is the first of each pair.
    pub alike: Vec<ServicePair>,
}

/// A service that calls another a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CalledBy {
    /// Its address.
    pub host: String,
    /// The first capture that does.
    pub first: SeenAt,
    /// The last.
    pub last: SeenAt,
}
