#![expect(clippy::cast_possible_truncation, reason = "the trees of the tests are small")]

use std::{cell::Cell, collections::BTreeMap};

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// The leaves and roots of the reference tests of Certificate Transparency (`merkletree/merkle_tree_test.cc`).
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const LEAF_1: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const LEAF_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const NODES_2_3: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const NODES_4_5: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const NODES_4_7: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const NODES_6_7: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";

/// A log in memory that counts how often it is asked.
#[derive(Default)]
struct Log {
    hashes: BTreeMap<Node, Hash>,
    leaves: Vec<Hash>,
    reads: Cell<u32>,
}

impl Log {
    fn of<T: AsRef<[u8]>>(entries: impl IntoIterator<Item = T>) -> Self {
        let mut log = Self::default();
        let mut range = CompactRange::default();
        for entry in entries {
            log.leaves.push(leaf_hash(entry.as_ref()));
            range.append(leaf_hash(entry.as_ref()), |node, hash| assert_eq!(log.hashes.insert(node, hash), None));
        }
        log
    }

    /// A log of the numbers below `size`.
    fn counting(size: u64) -> Self {
        Self::of((0..size).map(u64::to_be_bytes))
    }

    fn reference() -> Self {
        Self::of(LEAVES.map(|leaf| HEXLOWER.decode(leaf.as_bytes()).unwrap()))
    }

    fn size(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn read(&self, node: Node) -> Result<Hash, Error> {
        self.reads.set(self.reads.get() + 1);
        self.hashes.get(&node).copied().ok_or(Error::Refuted("asked for a subtree that is not complete"))
    }

    fn root(&self, size: u64) -> Hash {
        root(size, |node| self.read(node)).unwrap()
    }

    fn inclusion(&self, index: u64, size: u64) -> Vec<Hash> {
        inclusion_proof(index, size, |node| self.read(node)).unwrap()
    }

    fn consistency(&self, old: u64, new: u64) -> Vec<Hash> {
        consistency_proof(old, new, |node| self.read(node)).unwrap()
    }
}

impl tlog_tiles::HashReader for Log {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let node = |stored| {
            let (level, index) = tlog_tiles::split_stored_hash_index(stored);
            Node { level, index }
        };
        Ok(indexes.iter().map(|stored| foreign(&self.hashes[&node(*stored)])).collect())
    }
}

fn foreign(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn foreign_all(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(foreign).collect()
}

fn hex(text: &str) -> Hash {
    Hash::from_bytes(HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap())
}

/// The definition of RFC 6962 §2.1, word by word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            node_hash(&naive_root(&leaves[..split]), &naive_root(&leaves[split..]))
        }
    }
}

#[test]
fn the_reference_roots_come_out() {
    let log = Log::reference();
    for (size, expected) in ROOTS.iter().enumerate() {
        assert_eq!(log.root(size as u64), hex(expected), "{size}");
    }
}

#[test]
fn the_reference_proofs_come_out() {
    let log = Log::reference();
    let hashes = |texts: &[&str]| texts.iter().map(|text| hex(text)).collect::<Vec<_>>();
    assert_eq!(log.inclusion(0, 1), []);
    assert_eq!(log.inclusion(0, 8), hashes(&[LEAF_1, NODES_2_3, NODES_4_7]));
    assert_eq!(log.inclusion(5, 8), hashes(&[LEAF_4, NODES_6_7, ROOTS[4]]));
    assert_eq!(log.inclusion(2, 3), hashes(&[ROOTS[2]]));
    assert_eq!(log.inclusion(1, 5), hashes(&[ROOTS[1], NODES_2_3, LEAF_4]));
    assert_eq!(log.consistency(1, 1), []);
    assert_eq!(log.consistency(1, 8), hashes(&[LEAF_1, NODES_2_3, NODES_4_7]));
    assert_eq!(log.consistency(6, 8), hashes(&[NODES_4_5, NODES_6_7, ROOTS[4]]));
    assert_eq!(log.consistency(2, 5), hashes(&[NODES_2_3, LEAF_4]));
}

#[test]
fn every_small_tree_agrees_with_the_oracle() {
    let log = Log::counting(40);
    for size in 0..=log.size() {
        let whole = log.root(size);
        assert_eq!(whole, naive_root(&log.leaves[..size as usize]));
        assert_eq!(foreign(&whole), tlog_tiles::tree_hash(size, &log).unwrap());
        for index in 0..size {
            let proof = log.inclusion(index, size);
            assert_eq!(foreign_all(&proof), tlog_tiles::prove_record(size, index, &log).unwrap(), "{index} of {size}");
            verify_inclusion(&log.leaves[index as usize], index, size, &proof, &whole).unwrap();
        }
        for old in 1..=size {
            let proof = log.consistency(old, size);
            assert_eq!(foreign_all(&proof), tlog_tiles::prove_tree(size, old, &log).unwrap(), "{old} to {size}");
            verify_consistency(old, size, &proof, &log.root(old), &whole).unwrap();
        }
        assert_eq!(log.consistency(0, size), []);
        verify_consistency(0, size, &[], &empty_root(), &whole).unwrap();
    }
}

#[test]
fn a_range_goes_on_where_it_was_loaded() {
    let log = Log::counting(300);
    for start in [0, 1, 2, 3, 255, 256, 257, 299] {
        let mut range = CompactRange::load(start, |node| log.read(node)).unwrap();
        for index in start..log.size() {
            assert_eq!(range.root(), log.root(index));
            range.append(log.leaves[index as usize], |node, hash| assert_eq!(log.hashes[&node], hash));
        }
        assert_eq!((range.size(), range.root()), (300, log.root(300)));
    }
}

#[test]
fn reads_grow_with_the_digits_of_the_size() {
    let log = Log::counting(1 << 12);
    for size in [(1 << 12) - 1, 1 << 12, 0xabc] {
        let asks: [&dyn Fn(); 5] = [
            &|| _ = log.root(size),
            &|| drop(CompactRange::load(size, |node| log.read(node)).unwrap()),
            &|| drop(log.inclusion(size / 3, size)),
            &|| drop(log.inclusion(size - 1, size)),
            &|| drop(log.consistency(size / 3, size)),
        ];
        for ask in asks {
            log.reads.set(0);
            ask();
            assert!((1..=2 * 12).contains(&log.reads.get()), "{} reads of {size}", log.reads.get());
        }
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let log = Log::counting(5);
    let read = |node| log.read(node);
    let leaf = &log.leaves[0];
    let (proof, whole) = (log.inclusion(0, 5), log.root(5));
    let beyond = "leaf 5 is beyond the log's 5 leaves";
    assert_eq!(inclusion_proof(5, 5, read).unwrap_err().to_string(), beyond);
    assert_eq!(verify_inclusion(leaf, 5, 5, &proof, &whole).unwrap_err().to_string(), beyond);
    assert!(verify_inclusion(leaf, 0, 0, &[], &empty_root()).is_err());
    assert_eq!(consistency_proof(6, 5, read).unwrap_err().to_string(), "size 6 is beyond the log's 5 leaves");
    assert!(verify_consistency(6, 5, &[], &whole, &whole).is_err());
    for size in [MAX_LEAVES + 1, u64::MAX] {
        assert!(matches!(CompactRange::load(size, read), Err(Error::OutOfRange { .. })));
        assert!(matches!(inclusion_proof(0, size, read), Err(Error::OutOfRange { .. })));
        assert!(matches!(consistency_proof(1, size, read), Err(Error::OutOfRange { .. })));
    }
    // An old root that is not that of the empty tree, and proofs where none is due.
    assert!(verify_consistency(0, 5, &[], &whole, &whole).is_err());
    assert!(verify_consistency(0, 5, &proof, &empty_root(), &whole).is_err());
    assert!(verify_consistency(5, 5, &proof, &whole, &whole).is_err());
    assert!(verify_consistency(5, 5, &[], &whole, &log.root(4)).is_err());
    assert!(verify_consistency(3, 5, &[], &log.root(3), &whole).is_err());
}

#[test]
fn the_greatest_numbers_do_no_harm() {
    let hash = leaf_hash(&[]);
    for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX)] {
        for length in [0, 1, 63, 64, 65, 200] {
            assert!(verify_inclusion(&hash, index, size, &vec![hash; length], &hash).is_err());
            assert!(verify_consistency(index, size, &vec![hash; length], &hash, &hash).is_err());
        }
    }
}

/// Every way to spoil a proof: each single bit, one hash less, one more at either end, two exchanged.
fn spoilt(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for at in 0..proof.len() {
        for bit in 0..256 {
            let mut bytes = *proof[at].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut other = proof.to_vec();
            other[at] = Hash::from_bytes(bytes);
            all.push(other);
        }
        let mut other = proof.to_vec();
        other.remove(at);
        all.push(other);
        if at > 0 {
            let mut other = proof.to_vec();
            other.swap(at - 1, at);
            all.push(other);
        }
    }
    all.push([&[empty_root()], proof].concat());
    all.push([proof, &[empty_root()]].concat());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_spoilt_inclusion_proof_is_refused(size in 1u64..600, at: prop::sample::Index) {
        let log = Log::counting(size);
        let index = at.index(size as usize) as u64;
        let (leaf, proof, whole) = (log.leaves[index as usize], log.inclusion(index, size), log.root(size));
        prop_assert_eq!(foreign_all(&proof), tlog_tiles::prove_record(size, index, &log).unwrap());
        verify_inclusion(&leaf, index, size, &proof, &whole).unwrap();
        for other in spoilt(&proof) {
            prop_assert!(verify_inclusion(&leaf, index, size, &other, &whole).is_err());
        }
        prop_assert!(verify_inclusion(&empty_root(), index, size, &proof, &whole).is_err());
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &empty_root()).is_err());
        for elsewhere in (0..size).filter(|other| *other != index) {
            prop_assert!(verify_inclusion(&leaf, elsewhere, size, &proof, &whole).is_err());
        }
    }

    #[test]
    fn a_spoilt_consistency_proof_is_refused(new in 2u64..600, at: prop::sample::Index) {
        let log = Log::counting(new);
        let old = 1 + at.index(new as usize - 1) as u64;
        let (proof, before, after) = (log.consistency(old, new), log.root(old), log.root(new));
        prop_assert_eq!(foreign_all(&proof), tlog_tiles::prove_tree(new, old, &log).unwrap());
        verify_consistency(old, new, &proof, &before, &after).unwrap();
        for other in spoilt(&proof) {
            prop_assert!(verify_consistency(old, new, &other, &before, &after).is_err());
        }
        prop_assert!(verify_consistency(old, new, &proof, &empty_root(), &after).is_err());
        prop_assert!(verify_consistency(old, new, &proof, &before, &empty_root()).is_err());
    }
}
