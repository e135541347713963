//! The handlers, by noun. Each reads what is asked, does it off the event loop, and answers in the shapes of
//! [`crate::api`].

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod captures;
pub(crate) mod content;
pub(crate) mod dossiers;
pub(crate) mod erasures;
pub(crate) mod exports;
pub(crate) mod findings;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod holds;
pub(crate) mod indicators;
pub(crate) mod items;
pub(crate) mod labels;
pub(crate) mod log;
pub(crate) mod logins;
pub(crate) mod metrics;
pub(crate) mod observables;
pub(crate) mod pivots;
pub(crate) mod profiles;
pub(crate) mod proposals;
pub(crate) mod results;
mod rules;
pub(crate) mod seals;
pub(crate) mod search;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod status;
pub(crate) mod steering;
pub(crate) mod targets;
pub(crate) mod themes;
pub(crate) mod tokens;
pub(crate) mod versions;
pub(crate) mod watches;
