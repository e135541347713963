//! Vectors of the standards: what holds is verified, what does not never is.

use super::*;

/// What is verified in a text by itself.
fn verified(text: &str) -> Vec<(Kind, String)> {
    found(text)
        .into_iter()
        .filter(|found| found.grade == Grade::Verified)
        .map(|found| (found.kind, found.value))
        .collect()
}

#[track_caller]
fn all_hold(kind: Kind, texts: &[&str]) {
    for text in texts {
        let found = found(text);
        assert!(found.iter().any(|found| (found.kind, found.grade) == (kind, Grade::Verified)), "{text}: {found:?}");
    }
}

#[track_caller]
fn none_holds(texts: &[&str]) {
    for text in texts {
        assert_eq!(verified(text), [], "{text}");
    }
}

#[test]
fn base58check() {
    all_hold(Kind::Btc, &[BTC, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"]);
    all_hold(Kind::Doge, &["DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L"]);
    none_holds(&[
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf",
        "Bitcoin address 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7M",
        "LZ3CyqZmbeBikM6SLQ4TB6TxCWAztvwNB4",
    ]);
    let typed_wrong = found("Bitcoin address 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb");
    assert_eq!((typed_wrong[0].kind, typed_wrong[0].grade), (Kind::Btc, Grade::ShapeOnly));
}

/// BIP-173 and BIP-350, *Test vectors*: addresses of the main network.
#[test]
fn bech32_and_bech32m() {
    all_hold(
        Kind::Btc,
        &[
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            "BC1SW50QGDZ25J",
            "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ],
    );
    none_holds(&[
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
        "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
        "bc1pw5dgrnzv",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jJ0",
        "bc1gmk9yu",
        "bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90",
        "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    ]);
}

/// Bitcoin Cash, `cashaddr.md`, *Examples of Address Translation*.
#[test]
fn cash_addresses_old_and_new() {
    for (old, new) in [
        ("1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
        ("1KXrWXciRDZUpQwQmuM1DbwsKDLYAYsVLR", "bitcoincash:qr95sy3j9xwd2ap32xkykttr4cvcu7as4y0qverfuy"),
        ("16w1D5WRVKJuZUsSRzdLp9w3YGcgoxDXb", "bitcoincash:qqq3728yw0y47sqn6l2na30mcw6zm78dzqre909m2r"),
        ("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"),
        ("3LDsS579y7sruadqu11beEJoTjdFiFCdX4", "bitcoincash:pr95sy3j9xwd2ap32xkykttr4cvcu7as4yc93ky28e"),
        ("31nwvkZwyPdgzjBJZXfDmSWsC4ZLKpYyUw", "bitcoincash:pqq3728yw0y47sqn6l2na30mcw6zm78dzq5ucqzc37"),
    ] {
        check(new, &[(Kind::Bch, new)]);
        check(new.trim_start_matches("bitcoincash:"), &[(Kind::Bch, new)]);
        check(&format!("BCH: {old}"), &[(Kind::Bch, new)]);
        check(old, &[(Kind::Btc, old)]);
        none_holds(&[&new.replace("qq", "qp").replace("sy", "sz").replace("m2q", "m2p")]);
    }
}

/// EIP-55, *Test cases*.
#[test]
fn capitals_of_ethereum() {
    let cases = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];
    all_hold(Kind::Eth, &cases);
    none_holds(&["0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xd1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb", "0x5290"]);
    check(&cases[4].to_lowercase(), &[(Kind::Eth, cases[4])]);
}

/// Monero's documentation, *Public address*: standard address, integrated address, subaddress.
#[test]
fn addresses_of_monero() {
    let good = [
        "4AdUndXHHZ6cfufTMvppY6JwXNouMBzSkbLYfpAV5Usx3skxNgYeYTRj5UzqtReoS44qo9mtmXCqY45DJ852K5Jv2684Rge",
        "4LL9oSLmtpccfufTMvppY6JwXNouMBzSkbLYfpAV5Usx3skxNgYeYTRj5UzqtReoS44qo9mtmXCqY45DJ852K5Jv2bYXZKKQePHES9khPK",
        "86XvTofZRPJT4avRkPcLn3ASupzbWB8os7Hemt6mzYAkPb8oD3pJcnwGEtW9tz4nNuEuBP6QNX4YgBx77GBANMzP9TLMLCv",
        "84EgZVjXKF4d1JkEhZSxm4LQQEx64AvqQEwkvWPtHEb5JMrB1Y86y1vCPSCiXsKzbfS9x8vCpx3gVgPaHCpobPYqQzANTnC",
    ];
    all_hold(Kind::Xmr, &good);
    for text in good {
        let mut wrong = text.to_owned();
        wrong.replace_range(50..51, if &text[50..51] == "2" { "3" } else { "2" });
        none_holds(&[&wrong]);
    }
}

/// Tox's documentation, *Understanding a Tox ID*.
#[test]
fn ids_of_tox() {
    let id = "56A1ADE4B65B86BCD51CC73E2CD4E542179F47959FE3E0E21B4B0ACDADE5185520B3E6FC5D64";
    check(id, &[(Kind::Tox, id)]);
    check(&id.to_lowercase(), &[(Kind::Tox, id)]);
    check(&id.replace("5D64", "5D65"), &[]);
    check(&id.replace("20B3", "20B4"), &[]);
}

/// Tor's rend-spec-v3, section 1.2.
#[test]
fn onion_addresses() {
    all_hold(
        Kind::OnionV3,
        &[
            ONION,
            "sp3k262uwy4r2k3ycr5awluarykdpag6a7y33jxop4cs2lu5uz5sseqd.onion",
            "xa4r2iadxm55fbnqgwwi5mymqdcofiu3w6rpbtqn7b2dyn7mgwj64jyd.onion",
        ],
    );
    let wrong = ONION.replacen("pg6", "pg7", 1);
    none_holds(&[&wrong]);
    assert_eq!(found(&wrong)[0].grade, Grade::ShapeOnly);
}

/// Bitmessage's protocol specification and its client's own tests.
#[test]
fn addresses_of_bitmessage() {
    all_hold(Kind::Bitmessage, &["BM-2cWzSnwjJ7yRP3nLEWUV5LisTZyREWSzUK", "BM-onhypnh1UMhbQpmvdiPuG6soLLytYJAfH"]);
    none_holds(&["BM-onhypnh1UMhbQpmvdiPuG6soLLytYJAfJ", "BM-x"]);
}

/// ISO/IEC 7812-1: numbers that the networks publish for tests.
#[test]
fn payment_cards() {
    all_hold(
        Kind::PaymentCard,
        &[
            "4111111111111111",
            "4111-1111-1111-1111",
            "5555 5555 5555 4444",
            "2223003122003222",
            "3782 822463 10005",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "4222222222222",
            "2200000000000004",
        ],
    );
    none_holds(&[
        "4111111111111112",
        "1234567812345670",
        "41111111 1111111",
        "0.4111111111111111",
        "5555 5555 5555 4445",
    ]);
}

/// ISO 13616: examples of the IBAN registry.
#[test]
fn ibans() {
    let good = [
        "AD1200012030200359100100",
        "AE070331234567890123456",
        "BE68539007547034",
        "BR1800360305000010009795493C1",
        "CH9300762011623852957",
        "DE89370400440532013000",
        "ES9121000418450200051332",
        "FR1420041010050500013M02606",
        "GB29NWBK60161331926819",
        "IT60X0542811101000000123456",
        "LC55HEMM000100010012001200023015",
        "MT84MALT011000012345MTLCAST001S",
        "NL91ABNA0417164300",
        "NO9386011117947",
        "PL61109010140000071219812874",
        "SE4550000000058398257466",
        "UA213223130000026007233566001",
        "RU0304452522540817810538091310419",
    ];
    all_hold(Kind::Iban, &good);
    for iban in good {
        let spaced: Vec<&str> = iban.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
        check(&format!("iban: {}", spaced.join(" ").to_lowercase()), &[(Kind::Iban, iban)]);
        let mut wrong = iban.to_owned();
        let check_digit = if &iban[3..4] == "9" { "8" } else { "9" };
        wrong.replace_range(3..4, check_digit);
        assert!(!verified(&wrong).iter().any(|(kind, _)| *kind == Kind::Iban), "{wrong}");
    }
    none_holds(&["NL91ABNA041716430", "XX91ABNA0417164300", "DE89370400440532013001"]);
}

#[test]
fn codes_in_hexadecimal() {
    check("d41d8cd98f00b204e9800998ecf8427e", &[(Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e")]);
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    check(sha1, &[(Kind::Sha1, sha1)]);
    check(&format!("PGP fingerprint: {sha1}"), &[(Kind::PgpFingerprint, &sha1.to_uppercase())]);
    check(&format!("PGP Fingerprint\n0x{sha1}"), &[(Kind::PgpFingerprint, &sha1.to_uppercase())]);
    check("DA39 A3EE 5E6B 4B0D 3255  BFEF 9560 1890 AFD8 0709", &[(Kind::PgpFingerprint, &sha1.to_uppercase())]);
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    check(&sha256.to_uppercase(), &[(Kind::Sha256, sha256)]);
    check(&format!("Session: 05{sha256}"), &[(Kind::Session, &format!("05{sha256}"))]);
    check(&sha256.repeat(2), &[(Kind::Sha512, &sha256.repeat(2))]);
    check(&"1".repeat(32), &[]);
    check("cve-2021-44228, CVE–2024–3094", &[(Kind::Cve, "CVE-2021-44228"), (Kind::Cve, "CVE-2024-3094")]);
    check("CVE-21-44228 CVE-2021-1", &[]);
}

/// RFC 4291, section 2.2, and addresses set aside for documentation.
#[test]
fn addresses_of_the_internet() {
    check("192.0.2.33, 198[.]51[.]100[.]7", &[(Kind::Ipv4, "192.0.2.33"), (Kind::Ipv4, "198.51.100.7")]);
    check("2001:db8::8:800:200C:417A", &[(Kind::Ipv6, "2001:db8::8:800:200c:417a")]);
    check("1.2.3.4.5 and 256.1.1.1 and 01.2.3.4 at 12:30:45", &[]);
}
