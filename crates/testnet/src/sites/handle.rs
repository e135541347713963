use model::OnionAddress;

use crate::sites::{chance::Chance, wallet};

const ADJECTIVES: &[&str] = &[
    "amber", "quiet", "hollow", "paper", "winter", "copper", "silver", "velvet", "crooked", "northern", "salt",
    "drift", "ember", "pale", "lucky", "broken", "tidal", "rusty",
];
const NOUNS: &[&str] = &[
    "lantern", "heron", "anchor", "mill", "fox", "harbour", "kettle", "sparrow", "ladder", "quarry", "bishop", "comet",
    "walrus", "otter", "beacon", "thimble", "cellar", "magpie",
];

/// An invented name such as `amberheron41`.
pub(crate) fn name(chance: &mut Chance) -> String {
    format!("{}{}{}", chance.pick(ADJECTIVES), chance.pick(NOUNS), chance.between(10, 99))
}

/// Different names.
pub(crate) fn names(chance: &mut Chance, count: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(count);
    while names.len() < count {
        let name = name(chance);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// An onion address of no service: the key is random.
pub(crate) fn onion(chance: &mut Chance) -> String {
    OnionAddress::from_public_key(chance.bytes()).to_string()
}

/// One way to reach somebody, as people write it.
pub(crate) fn contact(chance: &mut Chance, name: &str) -> String {
    match chance.below(6) {
        0 => format!("Jabber: {name}@chat.example"),
        1 => format!("Telegram: @{name}_desk"),
        2 => format!("e-mail: {name}@post.example"),
        3 => format!("Wickr: {name}x"),
        4 => format!("Session: 05{}", chance.hex(64)),
        _ => format!("XMPP (OTR): {name}@{}", onion(chance)),
    }
}

/// Something that an investigator would want to find in a text: an address of money, of a site, or of a person.
pub(crate) fn trace(chance: &mut Chance, name: &str) -> String {
    match chance.below(5) {
        0 => wallet::bitcoin(chance),
        1 => wallet::monero(chance),
        2 => format!("http://{}/", onion(chance)),
        _ => contact(chance, name),
    }
}
