use std::{collections::BTreeSet, fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{InvalidId, Timestamp};

/// Something in a text that leads to a person, a service or money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observable {
    /// What it is.
    pub kind: ObservableKind,
    /// How sure it is that it is that.
    pub grade: Grade,
    /// The normal form, the same for every way of writing it, so that pages that share it are found together.
    pub value: String,
    /// Where it stands in the text of the document, in bytes; the text there is its raw form.
    pub at: Range<u32>,
    /// What a PGP key says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Box<PgpKey>>,
}

/// What makes it sure that an observable is what its kind says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// It looks like one.
    ShapeOnly,
    /// It looks like one, and what stands beside it says that it is.
    Contextual,
    /// A checksum holds, or all of it was parsed under strict rules.
    Verified,
}

/// What an observable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the field's and say all there is to say")]
pub enum ObservableKind {
    Btc,
    Bch,
    Ltc,
    Doge,
    Eth,
    Xmr,
    PgpFingerprint,
    OnionV3,
    OnionV2,
    I2p,
    Email,
    Xmpp,
    Tox,
    Session,
    Telegram,
    Wickr,
    Signal,
    Threema,
    Icq,
    Whatsapp,
    Kik,
    Dread,
    Twitter,
    Bitmessage,
    Phone,
    Iban,
    PaymentCard,
    Cve,
    Md5,
    Sha1,
    Sha256,
    Sha512,
    Ipv4,
    Ipv6,
    Domain,
    Url,
    UserName,
}

impl ObservableKind {
    /// Every kind.
    pub const ALL: [Self; 37] = [
        Self::Btc,
        Self::Bch,
        Self::Ltc,
        Self::Doge,
        Self::Eth,
        Self::Xmr,
        Self::PgpFingerprint,
        Self::OnionV3,
        Self::OnionV2,
        Self::I2p,
        Self::Email,
        Self::Xmpp,
        Self::Tox,
        Self::Session,
        Self::Telegram,
        Self::Wickr,
        Self::Signal,
        Self::Threema,
        Self::Icq,
        Self::Whatsapp,
        Self::Kik,
        Self::Dread,
        Self::Twitter,
        Self::Bitmessage,
        Self::Phone,
        Self::Iban,
        Self::PaymentCard,
        Self::Cve,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Ipv4,
        Self::Ipv6,
        Self::Domain,
        Self::Url,
        Self::UserName,
    ];

    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Btc => "btc",
            Self::Bch => "bch",
            Self::Ltc => "ltc",
            Self::Doge => "doge",
            Self::Eth => "eth",
            Self::Xmr => "xmr",
            Self::PgpFingerprint => "pgp-fingerprint",
            Self::OnionV3 => "onion-v3",
            Self::OnionV2 => "onion-v2",
            Self::I2p => "i2p",
            Self::Email => "email",
            Self::Xmpp => "xmpp",
            Self::Tox => "tox",
            Self::Session => "session",
            Self::Telegram => "telegram",
            Self::Wickr => "wickr",
            Self::Signal => "signal",
            Self::Threema => "threema",
            Self::Icq => "icq",
            Self::Whatsapp => "whatsapp",
            Self::Kik => "kik",
            Self::Dread => "dread",
            Self::Twitter => "twitter",
            Self::Bitmessage => "bitmessage",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::PaymentCard => "payment-card",
            Self::Cve => "cve",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::UserName => "user-name",
        }
    }
}

impl fmt::Display for ObservableKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ObservableKind {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| InvalidId::new("kind of observable", text))
    }
}

/// A public key with what is bound to it, as an `OpenPGP` key block tells it (RFC 9580). Its signatures are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PgpKey {
    /// The key itself.
    pub primary: PgpKeyPart,
    /// Its user ids, in order.
    pub user_ids: Vec<String>,
    /// Its subkeys, in order.
    pub subkeys: Vec<PgpKeyPart>,
}

/// A primary key or a subkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PgpKeyPart {
    /// The fingerprint in upper-case hexadecimal.
    pub fingerprint: String,
    /// The algorithm, with the size in bits where it has sizes, such as `rsa4096`.
    pub algorithm: String,
    /// When it says that it was made.
    pub created: Timestamp,
}

/// What may be kept of the observables in a text (R23), and how those are read that depend on a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObservableSettings {
    /// The kinds that may be kept. None of another kind is ever returned.
    pub kinds: BTreeSet<ObservableKind>,
    /// The countries (ISO 3166-1, two letters) whose telephone numbers are looked for without their country code, the likeliest first.
    pub regions: Vec<String>,
    /// Whether numbers of payment cards may be kept whole; otherwise six digits at the beginning and four at the end are.
    pub whole_cards: bool,
}

impl Default for ObservableSettings {
    fn default() -> Self {
        Self { kinds: ObservableKind::ALL.into(), regions: Vec::new(), whole_cards: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_and_the_same_everywhere() {
        for kind in ObservableKind::ALL {
            assert_eq!(kind.as_str().parse::<ObservableKind>().unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
        assert!("bitcoin".parse::<ObservableKind>().is_err());
        assert_eq!(serde_json::to_string(&Grade::ShapeOnly).unwrap(), "\"shape-only\"");
    }

    #[test]
    fn an_observable_has_one_shape() {
        let found =
            Observable { kind: ObservableKind::Icq, grade: Grade::Contextual, value: "1".into(), at: 2..3, key: None };
        let text = r#"{"kind":"icq","grade":"contextual","value":"1","at":{"start":2,"end":3}}"#;
        assert_eq!(serde_json::to_string(&found).unwrap(), text);
        assert_eq!(serde_json::from_str::<Observable>(text).unwrap(), found);
    }
}
