use data_encoding::HEXLOWER;
use proptest::{collection::btree_map, prelude::*};

use super::*;
use crate::Salt;

fn leaf() -> Leaf {
    let salt = Salt::from_bytes([3; 32]);
    Leaf {
        kind: LeafKind::Capture,
        seq: 1_000,
        time_us: -1,
        facts: BTreeMap::from([("theme".into(), "drugs".into()), ("ok".into(), true.into()), ("n".into(), 24.into())]),
        parts: BTreeMap::from([("uri".into(), Commitment::of(&salt.for_part("uri"), b"http://a.onion/"))]),
    }
}

/// A leaf in a few bytes, to be spelt wrongly.
const SMALL: &[u8] = b"\xa6\x61v\x01\x63seq\x00\x64kind\x64hold\x64time\x00\x65facts\xa0\x65parts\xa0";

fn refused(bytes: &[u8]) -> String {
    Leaf::decode(bytes).unwrap_err().to_string()
}

fn with(from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = SMALL.windows(from.len()).position(|window| window == from).unwrap();
    [&SMALL[..at], to, &SMALL[at + from.len()..]].concat()
}

#[test]
fn the_encoding_stands_for_ever() {
    let bytes = leaf().encode().unwrap();
    assert_eq!(
        HEXLOWER.encode(&bytes),
        "a6617601637365711903e8646b696e6467636170747572656474696d6520656661637473a3616e1818626f6bf5657468656d6565647275677365706172\
         7473a163757269582035d3c0ccaf411f8781fea4d485e854916435e71c5705472df52653a31602af7f"
    );
    assert_eq!(Leaf::decode(&bytes).unwrap(), leaf());
}

#[test]
fn other_spellings_are_refused() {
    assert_eq!(Leaf::decode(SMALL).unwrap().encode().unwrap(), SMALL);
    let cases: &[(&[u8], &[u8], &str)] = &[
        (b"seq\x00", b"seq\x18\x17", "leaf: a number that is not in its shortest form, at byte 8"),
        (b"seq\x00", b"seq\x19\x00\xff", "leaf: a number that is not in its shortest form, at byte 8"),
        (b"seq\x00", b"seq\x1a\x00\x00\xff\xff", "leaf: a number that is not in its shortest form, at byte 8"),
        (
            b"seq\x00",
            b"seq\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
            "leaf: a number that is not in its shortest form, at byte 8",
        ),
        (b"seq\x00", b"seq\x20", "leaf: no number where one is due, at byte 9"),
        (b"seq\x00", b"seq\x1c", "leaf: an indefinite or reserved length, at byte 9"),
        (b"\x61v\x01", b"\x61v\x02", "leaf: a version of the leaf's form that is not known, at byte 4"),
        (b"\xa6", b"\xbf", "leaf: an indefinite or reserved length, at byte 1"),
        (b"\xa6", b"\xa5", "leaf: no map of the leaf's fields, at byte 1"),
        (
            b"\x63seq\x00\x64kind\x64hold",
            b"\x64kind\x64hold\x63seq\x00",
            "leaf: the field \"seq\" is not in its place, at byte 9",
        ),
        (b"hold", b"gold", "leaf: the kind \"gold\" is not known to this version"),
        (b"hold", b"\xff\xff\xff\xff", "leaf: text that is not UTF-8, at byte 19"),
        (b"facts\xa0", b"facts\xa1\x61a\xf6", "leaf: a value of a kind that leaves do not hold, at byte 35"),
        (b"facts\xa0", b"facts\xa1\x61a\xf8\x15", "leaf: a number that is not in its shortest form, at byte 34"),
        (b"facts\xa0", b"facts\xa2\x61b\x00\x61a\x00", "leaf: keys out of order, or one twice, at byte 37"),
        (b"facts\xa0", b"facts\xa2\x61a\x00\x61a\x00", "leaf: keys out of order, or one twice, at byte 37"),
        (b"facts\xa0", b"facts\xa2\x62aa\x00\x61b\x00", "leaf: keys out of order, or one twice, at byte 38"),
        (
            b"facts\xa0",
            b"facts\xa1\x61a\x1b\x80\x00\x00\x00\x00\x00\x00\x00",
            "leaf: a number beyond 64 bits with sign, at byte 43",
        ),
        (
            b"facts\xa0",
            b"facts\xa1\x61a\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
            "leaf: an end before its time, at byte 43",
        ),
        (
            b"facts\xa0",
            b"facts\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            "leaf: a value of a kind that leaves do not hold, at byte 47",
        ),
        (b"parts\xa0", b"parts\xa1\x61a\x41\x00", "leaf: a commitment is 32 bytes, at byte 42"),
        (b"seq\x00", b"seq\x61a", "leaf: no number where one is due, at byte 9"),
        (b"parts\xa0", b"parts\xa0\x00", "leaf: more bytes than the leaf has, at byte 39"),
    ];
    for (from, to, message) in cases {
        assert_eq!(refused(&with(from, to)), *message, "{to:?}");
    }
}

#[test]
fn a_leaf_fits_a_bundle() {
    let of_length = |length| Leaf { facts: BTreeMap::from([("x".into(), vec![0; length].into())]), ..leaf() };
    let room = MAX_LEAF_BYTES - of_length(60_000).encode().unwrap().len();
    assert_eq!(of_length(60_000 + room).encode().unwrap().len(), MAX_LEAF_BYTES);
    assert_eq!(of_length(60_001 + room).encode().unwrap_err().to_string(), "leaf: longer than 65535 bytes");
    assert_eq!(refused(&vec![0; 65_536]), "leaf: longer than 65535 bytes");
}

#[test]
fn every_kind_has_its_name() {
    for kind in LeafKind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert_eq!(kind.name().replace('-', ""), format!("{kind:?}").to_lowercase());
    }
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        any::<i64>().prop_map(Fact::Int),
        any::<String>().prop_map(Fact::Text),
        any::<Vec<u8>>().prop_map(Fact::Bytes),
        any::<bool>().prop_map(Fact::Bool),
    ]
}

prop_compose! {
    fn any_leaf()(
        kind in proptest::sample::select(&LeafKind::ALL[..]),
        seq: u64,
        time_us: i64,
        facts in btree_map(any::<String>(), any_fact(), 0..30),
        parts in btree_map(any::<String>(), any::<[u8; 32]>().prop_map(Commitment::from_bytes), 0..30),
    ) -> Leaf {
        Leaf { kind, seq, time_us, facts, parts }
    }
}

proptest! {
    #[test]
    fn a_leaf_comes_back(leaf in any_leaf()) {
        prop_assert_eq!(Leaf::decode(&leaf.encode().unwrap()).unwrap(), leaf);
    }

    #[test]
    fn what_decodes_has_one_spelling(leaf in any_leaf(), at: prop::sample::Index, flip in 1u8..) {
        let mut bytes = leaf.encode().unwrap();
        *at.get_mut(&mut bytes) ^= flip;
        if let Ok(other) = Leaf::decode(&bytes) {
            prop_assert_ne!(&other, &leaf);
            prop_assert_eq!(other.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes: Vec<u8>) {
        if let Ok(leaf) = Leaf::decode(&bytes) {
            prop_assert_eq!(leaf.encode().unwrap(), bytes);
        }
    }
}
