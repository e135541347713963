//! Those who ask, in tests.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use model::{Digest, Role, RoleGrant, Timestamp};
use proof::LeafKind;
use serde_json::Value;
use store::{Account, Act, Password, Token, TokenKind};

use super::{Answer, CYBER, House, MARKET, TOKEN, noon};

/// The account behind [`TOKEN`]: whoever holds every role.
pub(crate) const EVERYBODY: &str = "test";

/// The token of somebody else, who may approve what [`EVERYBODY`] proposes.
pub(crate) const SECOND: &str = "nw_second";

const YEAR: Duration = Duration::from_hours(365 * 24);

/// A role in a theme, or for the house.
pub(crate) fn role(role: Role, theme: Option<&str>) -> RoleGrant {
    RoleGrant {
        number: 1,
        role,
        theme: theme.map(super::theme),
        may_search: false,
        qualification: "trained".into(),
        given_by: "local".into(),
        given_at: noon(),
        ends_at: noon().after(YEAR),
        ended: None,
    }
}

impl House {
    /// Makes whoever holds every role everywhere.
    pub(super) fn settle_in(&self) {
        if !self.store.accounts().unwrap().is_empty() {
            return;
        }
        let themes = [CYBER, MARKET];
        let places = |role: &Role| -> Vec<Option<&str>> {
            if role.fits(None) { vec![None] } else { themes.iter().copied().map(Some).collect() }
        };
        let roles = Role::ALL.iter().flat_map(|&held| places(&held).into_iter().map(move |place| role(held, place)));
        self.add_person(EVERYBODY, roles.collect(), TOKEN);
        let approves = themes.map(|theme| role(Role::Approver, Some(theme)));
        self.add_person("second", approves.to_vec(), SECOND);
    }

    /// Makes somebody with these roles; returns a token of theirs.
    pub(crate) fn person(&self, name: &str, roles: Vec<RoleGrant>) -> String {
        let token = format!("nw_{name}");
        self.add_person(name, roles, &token);
        token
    }

    fn add_person(&self, name: &str, roles: Vec<RoleGrant>, secret: &str) {
        let roles = (1..).zip(roles).map(|(number, role)| RoleGrant { number, ..role }).collect();
        let name: model::AccountName = name.parse().unwrap();
        let act = Act::new(None, LeafKind::Account, noon());
        let account = Account {
            full_name: name.as_str().to_uppercase(),
            name: name.clone(),
            made_at: noon(),
            made_by: "local".into(),
            is_disabled: false,
            password: Password { hash: "none".into(), set_at: noon(), is_one_time: false },
            roles,
        };
        self.store.add_account(&account, &act).unwrap();
        let token = Token {
            account: name,
            kind: TokenKind::Program { label: "test".into(), scopes: Vec::new() },
            made_at: noon(),
            fresh_at: noon(),
            used_at: noon(),
            ends_at: noon().after(YEAR),
        };
        self.store.add_token(&Digest::of(secret.as_bytes()), &token, &act).unwrap();
    }

    /// Asks with the token of somebody, with or without a JSON body.
    pub(crate) async fn ask_as(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {token}");
        let request =
            Request::builder().method(method).uri(format!("/api/v1{path}")).header(header::AUTHORIZATION, bearer);
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.ask(request.unwrap()).await
    }

    /// What the audit log tells, the newest first: who, action, status, and whatever else there is.
    pub(crate) async fn audited(&self, limit: usize) -> Vec<Value> {
        let page = self.get(&format!("/audit?limit={limit}")).await.json(200);
        page["entries"].as_array().unwrap().clone()
    }
}

/// A moment some seconds after noon.
pub(crate) fn later(seconds: u64) -> Timestamp {
    noon().after(Duration::from_secs(seconds))
}
