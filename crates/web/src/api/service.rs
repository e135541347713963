use model::{CaptureId, Seq, TargetId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Services {
    /// Services of which a page was read, in an order that says nothing.
    pub services: Vec<ServiceSummary>,
    /// What the next page begins with, if there is one.
    pub next: Option<String>,
}

/// A service in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceSummary {
    /// Its onion address, or its domain.
    pub host: String,
    /// How many different pages of it were read, counted up to 1000.
    pub pages: u64,
    /// The targets that it belongs to by their seeds or scope.
    #[schema(value_type = Vec<String>)]
    pub targets: Vec<TargetId>,
}

/// What is known of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// Its onion address, or its domain.
    pub host: String,
    /// How many different pages of it were read, counted up to 1000.
    pub pages: u64,
    /// The targets that it belongs to by their seeds or scope.
    #[schema(value_type = Vec<String>)]
    pub targets: Vec<TargetId>,
    /// A page of what its pages show: keys, wallets, contacts and the like, and the other services that they name (`mention`, `called-mirror`).
    pub elements: Vec<ServiceElement>,
    /// What the next page of elements begins with, if there is one.
    pub next: Option<String>,
    /// Services whose pages link to it or name it; at most 100.
    pub named_by: Vec<NamedBy>,
    /// Services of which it is a mirror or a suspected clone, or with which it shares verified keys or wallets; at most 16.
    pub alike: Vec<ServicePair>,
}

/// Something that the pages of a service show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceElement {
    /// The kind of an observable, `mention` or `called-mirror`.
    #[schema(example = "pgp-fingerprint")]
    pub kind: String,
    /// Its normal form; of a service its address.
    pub value: String,
    /// On how many captures, counted up to 1000.
    pub captures: u64,
    /// The first of them.
    pub first: SeenAt,
    /// The last.
    pub last: SeenAt,
}

/// A capture, and when its attempt began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenAt {
    /// Theme and sequence.
    #[schema(value_type = String, example = "marketplace/17")]
    pub capture: CaptureId,
    /// When; null where the capture was taken away a moment ago.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen: Option<Timestamp>,
}

/// A service that names another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedBy {
    /// Its address.
    pub host: String,
    /// The last capture that does.
    pub last: SeenAt,
}

/// Two services that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServicePair {
    /// The first one.
    pub a: String,
    /// The second one.
    pub b: String,
    /// `mirror`, `suspected-phishing-clone`, or `related`.
    #[schema(example = "mirror")]
    pub verdict: String,
    /// How sure it is that the two show the same, in percent.
    pub confidence: u8,
    /// Pages of the smaller one that were compared.
    pub compared: u64,
    /// How many of them have a near-equal page on the other.
    pub alike: u64,
    /// The reasons, in sentences.
    pub because: Vec<String>,
    /// Near-equal pages; at most 20.
    pub pages: Vec<PagePair>,
    /// Keys, addresses of money and contacts that both show; at most 20.
    pub shared: Vec<SharedElement>,
    /// What differs, the address first, then what speaks for a clone; at most 21.
    pub differing: Vec<DifferingElement>,
}

/// Two near-equal pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PagePair {
    /// The title in lower case.
    pub title: String,
    /// The capture on the first service.
    #[schema(value_type = u64)]
    pub a: Seq,
    /// The capture on the second one.
    #[schema(value_type = u64)]
    pub b: Seq,
}

/// Something that two services show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedElement {
    /// The kind of an observable.
    pub kind: String,
    /// Its normal form.
    pub value: String,
}

/// Something that differs between two services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferingElement {
    /// `address`, `title`, or the kind of an observable.
    pub kind: String,
    /// What the first service has.
    pub a: Vec<String>,
    /// What the second one has.
    pub b: Vec<String>,
    /// The two captures that show it, where it stands on pages.
    #[schema(value_type = Vec<u64>)]
    pub captures: Vec<Seq>,
    /// Whether it speaks for a clone.
    pub is_evidence: bool,
}

/// Clusters of a theme's services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clusters {
    /// Up to here the captures are analysed.
    #[schema(value_type = u64)]
    pub up_to: Seq,
    /// A page of clusters, by their first hosts.
    pub clusters: Vec<Cluster>,
    /// What the next page begins with, if there is one.
    pub next: Option<String>,
    /// Whether the theme has more services than were looked at.
    pub is_cut: bool,
}

/// Services that are the same behind several addresses, or copies of each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cluster {
    /// Their addresses.
    pub hosts: Vec<String>,
    /// What holds the cluster together.
    pub pairs: Vec<ServicePair>,
}
