//! WACZ 1.1.1: an archive, its index and a manifest in one zip file, and WACZ Signing and Verification 0.1.0.

mod read;
mod write;

use serde::{Deserialize, Serialize};

pub use read::{Problem, WaczLimits, WaczReader};
pub use write::{About, Page, Signature, WaczFiles, WaczWriter};

const VERSION: &str = "1.1.1";
/// The directory of archives, and the index of them all.
const ARCHIVES: &str = "archive";
const INDEX: &str = "indexes/index.cdx";
const PAGES: &str = "pages/pages.jsonl";
const MANIFEST: &str = "datapackage.json";
const DIGEST: &str = "datapackage-digest.json";

/// The manifest, `datapackage.json`: what the package is, and every file in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always `data-package`.
    pub profile: String,
    /// The version of the format.
    #[serde(rename = "wacz_version")]
    pub wacz_version: String,
    /// What it is, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// Where replay begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_page_url: Option<String>,
    /// The date of the page where replay begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_page_date: Option<String>,
    /// The files.
    pub resources: Vec<Resource>,
}

/// A file of the package, as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The last part of its path, in lower case.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its labelled digest.
    pub hash: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// `datapackage-digest.json`: the digest of the manifest, and a signature of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ManifestDigest {
    path: String,
    hash: String,
    #[serde(rename = "signedData", default, skip_serializing_if = "Option::is_none")]
    signed_data: Option<serde_json::Value>,
}

/// An anonymous signature: only the key tells who made it (WACZ Signing and Verification 0.1.0, *Anonymous Signature*, which permits these
/// members and no others).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedData {
    /// The labelled digest of the manifest. Its text is what is signed.
    pub hash: String,
    /// When the package was made; the same text as in the manifest.
    pub created: String,
    /// What made the signature.
    pub software: String,
    /// The version of the specification.
    pub version: String,
    /// The signature, in Base64.
    pub signature: String,
    /// The public key, in Base64.
    pub public_key: String,
}

#[cfg(test)]
mod tests;
