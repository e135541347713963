//! How the log is cut into files (C2SP tlog-tiles): tiles of 256 hashes, and bundles of as many entries.

use std::{fmt, ops::Range, str::FromStr};

use crate::{Error, Hash, Node};

/// How many levels of the tree lie within a tile.
pub const TILE_HEIGHT: u8 = 8;

/// How many hashes or entries a full tile holds.
pub const TILE_WIDTH: u16 = 1 << TILE_HEIGHT;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// The log's entries themselves, each behind its length.
    Entries,
    /// Hashes of subtrees of height `8 · level`; level 0 holds the leaves'.
    Hashes {
        /// The tile's level, from 0 to 63.
        level: u8,
    },
}

impl TileKind {
    /// The level whose hashes it runs along.
    fn level(self) -> u8 {
        match self {
            Self::Entries => 0,
            Self::Hashes { level } => level,
        }
    }

    /// How many hashes or entries a log of `size` leaves has at this level.
    fn count(self, size: u64) -> u64 {
        size.checked_shr(u32::from(self.level()) * u32::from(TILE_HEIGHT)).unwrap_or(0)
    }
}

/// One file of the log. Text form: its path below the log's prefix, such as `tile/0/x001/x234/067` or `tile/entries/000.p/5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile of this kind at `index` as it is, full or partial, in a log of `size` leaves; none where it would be empty.
    pub fn of(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let before = index.checked_mul(u64::from(TILE_WIDTH))?;
        let rest = kind.count(size).checked_sub(before).filter(|rest| *rest > 0)?;
        Some(Self { kind, index, width: u16::try_from(rest).unwrap_or(TILE_WIDTH).min(TILE_WIDTH) })
    }

    /// Every tile and bundle of a log of `size` leaves.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        Self::completed(0, size).chain(kinds().filter_map(move |kind| {
            let last = kind.count(size) / u64::from(TILE_WIDTH);
            Self::of(kind, last, size)
        }))
    }

    /// The tiles and bundles that are full at `new` leaves and were not at `old`.
    pub fn completed(old: u64, new: u64) -> impl Iterator<Item = Self> {
        kinds().flat_map(move |kind| {
            let full = |size| kind.count(size) / u64::from(TILE_WIDTH);
            (full(old)..full(new)).map(move |index| Self { kind, index, width: TILE_WIDTH })
        })
    }

    /// What it holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its place among the tiles of its kind, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds: 1 to [`TILE_WIDTH`].
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether a log of `size` leaves has all that this tile holds.
    pub fn is_within(&self, size: u64) -> bool {
        Self::of(self.kind, self.index, size).is_some_and(|there| there.width >= self.width)
    }

    /// The content of a tile of hashes. Errors: those of `read`; [`Error::Malformed`] for a tile of entries, and for one
    /// beyond any tree.
    pub fn hashes<E: From<Error>>(&self, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Vec<u8>, E> {
        let level = match self.kind {
            TileKind::Entries => None,
            TileKind::Hashes { level } => level.checked_mul(TILE_HEIGHT),
        };
        let (Some(level), Some(range)) = (level, self.range()) else {
            return Err(Error::malformed("tile", format!("{self} has no hashes")).into());
        };
        let mut bytes = Vec::with_capacity(usize::from(self.width) * 32);
        for index in range {
            bytes.extend(read(Node { level, index })?.as_bytes());
        }
        Ok(bytes)
    }

    /// The places, along its level, of what it holds: for entries and level 0, the leaves. None beyond any tree.
    pub fn range(&self) -> Option<Range<u64>> {
        let start = self.index.checked_mul(u64::from(TILE_WIDTH))?;
        Some(start..start.checked_add(u64::from(self.width))?)
    }
}

/// Entries, and every level on which a tree may have hashes.
fn kinds() -> impl Iterator<Item = TileKind> {
    let levels = (0..TILE_HEIGHT).map(|level| TileKind::Hashes { level });
    std::iter::once(TileKind::Entries).chain(levels)
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries")?,
            TileKind::Hashes { level } => write!(f, "tile/{level}")?,
        }
        let mut elements = vec![format!("/{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            elements.push(format!("/x{:03}", rest % 1000));
            rest /= 1000;
        }
        elements.iter().rev().try_for_each(|element| f.write_str(element))?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for Tile {
    type Err = Error;

    /// Reads what [`Tile`] prints, and no other spelling.
    fn from_str(path: &str) -> Result<Self, Error> {
        let tile = parse(path).filter(|tile| tile.to_string() == path);
        tile.ok_or_else(|| Error::malformed("tile", format!("{path:?} is no path of a tile")))
    }
}

fn parse(path: &str) -> Option<Tile> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes { level: level.parse().ok().filter(|level| *level < 64)? },
    };
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
        None => (rest, TILE_WIDTH),
    };
    let index = number.split('/').try_fold(0u64, |index, element| {
        let digits = element.strip_prefix('x').unwrap_or(element);
        index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
    })?;
    Some(Tile { kind, index, width })
}

/// Adds an entry to a bundle. Errors: [`Error::TooLarge`] for an entry beyond the 65,535 bytes of which a bundle can tell.
pub fn write_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), Error> {
    let limit = usize::from(u16::MAX);
    let length = u16::try_from(entry.len()).map_err(|_| Error::TooLarge { what: "entry", limit })?;
    bundle.extend(length.to_be_bytes());
    bundle.extend(entry);
    Ok(())
}

/// The entries of a bundle. Errors: [`Error::Malformed`] where it ends within an entry or holds more than a tile does.
pub fn read_entries(bundle: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while !rest.is_empty() {
        let split = rest
            .split_first_chunk()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        let (entry, after) = split.ok_or_else(|| Error::malformed("bundle", "it ends within an entry"))?;
        if entries.len() == usize::from(TILE_WIDTH) {
            return Err(Error::malformed("bundle", "more entries than a tile holds"));
        }
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{CompactRange, leaf_hash, node_hash};

    fn path(kind: TileKind, index: u64, size: u64) -> String {
        Tile::of(kind, index, size).map_or_else(|| "none".into(), |tile| tile.to_string())
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let hashes = |level| TileKind::Hashes { level };
        let whole = |index: u64| (index + 1) << TILE_HEIGHT;
        assert_eq!(path(hashes(0), 1_234_067, whole(1_234_067)), "tile/0/x001/x234/067");
        assert_eq!(path(TileKind::Entries, 1_000, whole(1_000) - 1), "tile/entries/x001/000.p/255");
        // The specification's tree of 70,000, and that of 256.
        let of = |size| Tile::all(size).map(|tile| tile.to_string()).collect::<Vec<_>>();
        let tree = of(70_000);
        assert_eq!(tree.iter().filter(|path| path.starts_with("tile/0/") && !path.contains(".p/")).count(), 273);
        let partial: Vec<_> = tree.iter().filter(|path| path.contains(".p/")).collect();
        assert_eq!(partial, ["tile/entries/273.p/112", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        assert_eq!(tree.len(), 273 + 273 + 1 + 4);
        assert_eq!(of(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(of(0), [""; 0]);
    }

    #[test]
    fn other_spellings_are_refused() {
        for path in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/data/000",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001",
            "tile/0/x001/x001",
            "tile/0/X001/001",
            "tile/0/+01",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/0/000/p/1",
            "tile/0/000/",
            "tile/0/00é",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            let error = path.parse::<Tile>().unwrap_err();
            assert_eq!(error.to_string(), format!("tile: {path:?} is no path of a tile"));
        }
    }

    #[test]
    fn a_tile_holds_the_roots_of_the_tiles_below() {
        let mut hashes = std::collections::BTreeMap::new();
        let mut range = CompactRange::default();
        for number in 0..600u64 {
            range.append(leaf_hash(&number.to_be_bytes()), |node, hash| _ = hashes.insert(node, hash));
        }
        let read = |tile: &str| tile.parse::<Tile>().unwrap().hashes(|node| Ok::<_, Error>(hashes[&node])).unwrap();
        let lower = read("tile/0/001");
        assert_eq!(lower.len(), 8192);
        let mut row: Vec<_> = lower.chunks(32).map(|hash| Hash::from_bytes(hash.try_into().unwrap())).collect();
        while row.len() > 1 {
            row = row.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
        assert_eq!(read("tile/1/000.p/2")[32..], row[0].as_bytes()[..]);
        assert_eq!(read("tile/0/002.p/88").len(), 88 * 32);
        for path in ["tile/entries/000", "tile/32/000", "tile/0/x072/x057/x594/x037/x927/936"] {
            let error = path.parse::<Tile>().unwrap().hashes(|_| Ok::<_, Error>(row[0])).unwrap_err();
            assert_eq!(error.to_string(), format!("tile: {path} has no hashes"));
        }
    }

    #[test]
    fn a_bundle_holds_a_tile_of_entries() {
        let mut bundle = Vec::new();
        let long = vec![7; 65_535];
        for entry in [&b""[..], b"ab", &long] {
            write_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(bundle[..6], [0, 0, 0, 2, b'a', b'b']);
        assert_eq!(read_entries(&bundle).unwrap(), [&b""[..], b"ab", &long]);
        assert_eq!(
            write_entry(&mut bundle, &vec![7; 65_536]).unwrap_err().to_string(),
            "entry: longer than 65535 bytes"
        );
        assert_eq!(
            read_entries(&bundle[..bundle.len() - 1]).unwrap_err().to_string(),
            "bundle: it ends within an entry"
        );
        assert_eq!(read_entries(&bundle[..7]).unwrap_err().to_string(), "bundle: it ends within an entry");
        assert_eq!(read_entries(&[0; 512]).unwrap().len(), 256);
        assert_eq!(read_entries(&[0; 514]).unwrap_err().to_string(), "bundle: more entries than a tile holds");
    }

    proptest! {
        #[test]
        fn a_path_comes_back(level in 0u8..64, index: u64, width in 1u16..=TILE_WIDTH, entries: bool) {
            let kind = if entries { TileKind::Entries } else { TileKind::Hashes { level } };
            let tile = Tile { kind, index, width };
            prop_assert_eq!(tile.to_string().parse::<Tile>().unwrap(), tile);
            tile.is_within(u64::MAX);
        }

        #[test]
        fn tiles_complete_step_by_step(size in 0u64..200_000, step in 0u64..200_000) {
            let full = |size| Tile::all(size).filter(|tile| tile.width == TILE_WIDTH);
            let mut grown: Vec<_> = full(size).chain(Tile::completed(size, size + step)).collect();
            let mut whole: Vec<_> = full(size + step).collect();
            grown.sort_unstable();
            whole.sort_unstable();
            prop_assert_eq!(grown, whole);
            for tile in Tile::all(size + step) {
                prop_assert!(tile.is_within(size + step));
                prop_assert_eq!(tile.is_within(size), Tile::all(size).any(|old| (old.kind, old.index) == (tile.kind, tile.index) && old.width >= tile.width));
            }
        }

        #[test]
        fn any_text_is_a_path_or_refused(text: String) {
            if let Ok(tile) = text.parse::<Tile>() {
                prop_assert_eq!(tile.to_string(), text);
            }
        }
    }
}
