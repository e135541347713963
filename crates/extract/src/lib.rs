//! Bytes and headers of a capture become a [`model::Document`]: content codings undone, character encoding found, HTML parsed, and out of it
//! title, text, languages, links, images, refresh, forms, observables, shape, page kind, the fields of offers, sellers and posts, and the content digest
//! that tells a change from noise.
//!
//! Everything here is pure and total. Whatever a site sends, [`document()`] returns a document, tells beside it what could not be read, and stays
//! within [`Limits`]. This crate deliberately fetches nothing, stores nothing, and does not judge what a page is about.

mod charset;
mod decode;
mod digest;
mod document;
mod fields;
mod kind;
mod language;
mod media;
mod noise;
mod observables;
mod page;
mod parse;
mod refresh;
mod site;
mod user_names;
mod walk;

pub use decode::decode;
pub use digest::{DIGEST_RULE, target_without_noise};
pub use document::{EXTRACTOR, document, document_of_site};
pub use noise::noise;
pub use observables::observables;
pub use page::{Limits, Page};
pub use refresh::refresh;
pub use site::{InvalidProfile, SiteProfile};
pub use user_names::user_name;
