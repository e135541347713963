//! Indicators: rules that analysts write, which turn a [`model::Document`] into findings, each with its explanation.
//!
//! Pure and total: what a site sends costs time linear in its size for each condition, and bounded memory. This crate
//! deliberately keeps nothing and searches nothing; it says which words an indicator needs ([`Needs`]), so that whoever has
//! an index can leave out what cannot match.

mod condition;
mod decimal;
mod error;
mod field;
mod indicator;
mod needs;
mod observable;
mod reading;
mod rules;
mod vocabulary;

pub use error::InvalidIndicator;
pub use field::field_value;
pub use indicator::{ExampleResult, Indicator, parse_set};
pub use needs::Needs;
pub use rules::RuleSet;
