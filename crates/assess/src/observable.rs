use model::ObservableKind;

/// What two ways of writing one observable share: letters are of one case where case means nothing, and what people put in
/// between or in front is left out.
pub(crate) fn key(kind: ObservableKind, value: &str) -> String {
    use ObservableKind as Kind;
    let value = value.trim();
    match kind {
        // Base 58 and URLs tell cases apart; addresses in Bech32 (BIP 173) do not.
        Kind::Btc | Kind::Ltc => {
            let lower = value.to_ascii_lowercase();
            if lower.starts_with("bc1") || lower.starts_with("ltc1") { lower } else { value.to_owned() }
        }
        Kind::Doge | Kind::Xmr | Kind::Bitmessage | Kind::Url => value.to_owned(),
        Kind::Bch => {
            let lower = value.to_ascii_lowercase();
            lower.strip_prefix("bitcoincash:").map(str::to_owned).unwrap_or(lower)
        }
        Kind::PgpFingerprint | Kind::Iban | Kind::PaymentCard | Kind::Icq => {
            value.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_ascii_uppercase()
        }
        Kind::Phone | Kind::Signal | Kind::Whatsapp => value.chars().filter(|c| !is_beside_digits(*c)).collect(),
        Kind::Telegram | Kind::Twitter | Kind::Kik | Kind::Wickr | Kind::Dread => {
            value.trim_start_matches('@').to_lowercase()
        }
        _ => value.to_lowercase(),
    }
}

/// What people write between the digits of a telephone number.
const fn is_beside_digits(c: char) -> bool {
    matches!(c, ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: ObservableKind, one: &str, other: &str, are_same: bool) {
        assert_eq!(key(kind, one) == key(kind, other), are_same, "{kind}: {one} and {other}");
    }

    #[test]
    fn ways_of_writing_one_value_are_told_from_others() {
        use ObservableKind as Kind;
        check(Kind::Btc, "BC1QEXAMPLE", " bc1qexample", true);
        check(Kind::Btc, "1Example", "1example", false);
        check(Kind::Bch, "bitcoincash:qexample", "qexample", true);
        check(Kind::Eth, "0xABCDEF", "0xabcdef", true);
        check(Kind::PgpFingerprint, "abcd 0123", "ABCD0123", true);
        check(Kind::Iban, "NL00 TEST 01", "NL00TEST01", true);
        check(Kind::Phone, "+31 (20) 000-00.00", "+31200000000", true);
        check(Kind::Telegram, "@Somebody", "somebody", true);
        check(Kind::Email, "Somebody@Example.org", "somebody@example.org", true);
        check(Kind::Url, "http://a.example/A", "http://a.example/a", false);
    }
}
