//! How alike two services are, and why: a pure function of two pictures.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::{Grade, ObservableKind, Seq};
use store::{Mark, Sketch, is_tie};

use super::picture::{Picture, PlacePage};

/// Bits of the simhash in which texts that are near-equal differ at most.
const NEAR: u32 = 3;

/// Bits in which the shapes of pages that are built alike differ at most.
const BUILT_ALIKE: u32 = 8;

/// The confidence from which on two services are held to be one, or one to copy the other, in percent.
pub(super) const SAME: u8 = 60;

/// The highest confidence, by the number of pages compared: few pages prove little.
const AT_MOST: [u8; 5] = [0, 50, 70, 80, 90];

/// The most that is told of each list.
const MOST_TOLD: usize = 20;

/// Pages of one title that are tried.
const MOST_NAMESAKES: usize = 50;

/// What two services are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One service behind two addresses.
    Mirror,
    /// Near-equal pages on which a verified key or an address of money is another.
    SuspectedPhishingClone,
    /// They share verified keys or addresses of money, and no more.
    Related,
}

impl Verdict {
    /// The name, as everywhere outside the code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::SuspectedPhishingClone => "suspected-phishing-clone",
            Self::Related => "related",
        }
    }
}

/// How alike two services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    /// What they are to each other.
    pub verdict: Verdict,
    /// How sure it is that the two show the same, in percent.
    pub confidence: u8,
    /// Pages of the smaller service that were compared.
    pub compared: usize,
    /// How many of them have a near-equal page on the other service.
    pub alike: usize,
    /// Some of those pages.
    pub pages: Vec<PagePair>,
    /// Some of the keys, addresses of money and contacts that both show.
    pub shared: Vec<(ObservableKind, String)>,
    /// Some of what differs, the address first.
    pub differing: Vec<Difference>,
    /// The verdict's reasons, in sentences.
    pub because: Vec<String>,
}

/// Two near-equal pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePair {
    /// The folded title.
    pub title: String,
    /// The capture on the first service.
    pub a: Seq,
    /// The capture on the second one.
    pub b: Seq,
}

/// What differs between two services, or between pages that correspond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is: `address`, `title`, or the kind of an observable.
    pub what: &'static str,
    /// What the first service has.
    pub a: Vec<String>,
    /// What the second one has.
    pub b: Vec<String>,
    /// The captures that show it, where it stands on pages.
    pub captures: Option<(Seq, Seq)>,
    /// Whether it speaks for a clone: it is verified, and does not change from one load of a service to the next.
    pub is_evidence: bool,
}

impl Likeness {
    /// The same, the other way round.
    pub(super) fn turned(self) -> Self {
        let pages = self.pages.into_iter().map(|pair| PagePair { a: pair.b, b: pair.a, ..pair });
        let turned = |(a, b): (Seq, Seq)| (b, a);
        let differing = self.differing.into_iter().map(|difference| Difference {
            a: difference.b,
            b: difference.a,
            captures: difference.captures.map(turned),
            ..difference
        });
        Self { pages: pages.collect(), differing: differing.collect(), ..self }
    }

    /// Whether the two belong to one cluster.
    pub(super) const fn joins(&self) -> bool {
        matches!(self.verdict, Verdict::Mirror | Verdict::SuspectedPhishingClone)
    }
}

/// How many pages of the smaller of two services can be compared, and how many of them have a near-equal page on the other.
pub(super) fn alike_pages(a: &Picture, b: &Picture) -> (usize, usize) {
    let (compared, pairs) = page_pairs(a, b);
    (compared, pairs.len())
}

fn page_pairs<'a>(a: &'a Picture, b: &'a Picture) -> (usize, Vec<(&'a PlacePage, &'a PlacePage)>) {
    // What lies beyond was looked at on one of them only.
    let reach = [a.reach, b.reach].into_iter().flatten().min();
    let is_within = |page: &PlacePage| reach.is_none_or(|reach| page.sketch.place <= reach);
    let within = |picture: &'a Picture| picture.pages.split_at(picture.pages.partition_point(is_within)).0;
    let (of_a, of_b) = (within(a), within(b));
    let pairs = if of_a.len() <= of_b.len() {
        near_equal(of_a, of_b)
    } else {
        near_equal(of_b, of_a).into_iter().map(|(b, a)| (a, b)).collect()
    };
    (of_a.len().min(of_b.len()), pairs)
}

/// How alike two services are; `None` where they have nothing to do with each other.
pub(super) fn likeness(a: &Picture, b: &Picture) -> Option<Likeness> {
    let (compared, pairs) = page_pairs(a, b);
    let share = u8::try_from(100 * pairs.len() / compared.max(1)).unwrap_or(100);
    let at_most = AT_MOST.get(compared).copied().unwrap_or(100);
    let confidence = share.min(at_most);
    let shared = shared(a, b);
    let mut differing = vec![Difference {
        what: "address",
        a: vec![a.host.clone()],
        b: vec![b.host.clone()],
        captures: None,
        is_evidence: false,
    }];
    differing.extend(differences(&pairs, &Shown::of(a), &Shown::of(b)));
    let evidence = differing.iter().filter(|difference| difference.is_evidence).count();
    let ties = shared.iter().filter(|tie| tie.is_strong).count();
    let verdict = match confidence {
        SAME.. if evidence > 0 => Verdict::SuspectedPhishingClone,
        SAME.. => Verdict::Mirror,
        _ if ties > 0 => Verdict::Related,
        _ => return None,
    };
    let mut because = vec![format!(
        "{} of {compared} pages of the smaller service have a near-equal page on the other one, at the same path or under the same title",
        pairs.len()
    )];
    // By itself that tells nothing: many sites run the same software.
    let is_alike = |(a, b): &&(&PlacePage, &PlacePage)| (a.sketch.shape ^ b.sketch.shape).count_ones() <= BUILT_ALIKE;
    let alike = pairs.iter().filter(is_alike).count();
    if !pairs.is_empty() {
        because.push(format!("{alike} of these {} pairs are built alike", pairs.len()));
    }
    if at_most < share {
        because.push(format!("only {compared} pages can be compared: the confidence is {at_most} % at most"));
    }
    if ties > 0 {
        because.push(format!("both show {ties} verified keys or addresses of money"));
    }
    if verdict == Verdict::SuspectedPhishingClone {
        because.push(format!(
            "on pages that are near-equal, verified keys or addresses of money differ, in {evidence} places"
        ));
    }
    if differing.iter().skip(1).any(|difference| !difference.is_evidence && difference.what != "title") {
        because.push(
            "what was seen once only, changes from load to load, or is a contact, does not count as a difference"
                .into(),
        );
    }
    // What speaks for a clone is told first.
    if let Some((_, rest)) = differing.split_first_mut() {
        rest.sort_by_key(|difference| !difference.is_evidence);
    }
    differing.truncate(MOST_TOLD + 1);
    let pages = pairs.iter().take(MOST_TOLD);
    Some(Likeness {
        verdict,
        confidence,
        compared,
        alike: pairs.len(),
        pages: pages.map(|(a, b)| PagePair { title: a.sketch.title.clone(), a: a.seq, b: b.seq }).collect(),
        shared: shared.into_iter().take(MOST_TOLD).map(|tie| (tie.kind, tie.value)).collect(),
        differing,
        because,
    })
}

/// Pages of the smaller service with their near-equal pages on the larger one, each page once.
fn near_equal<'a>(smaller: &'a [PlacePage], larger: &'a [PlacePage]) -> Vec<(&'a PlacePage, &'a PlacePage)> {
    let places: HashMap<Mark, &PlacePage> = larger.iter().map(|page| (page.sketch.place, page)).collect();
    let mut titles: HashMap<&str, Vec<&PlacePage>> = HashMap::new();
    for page in larger.iter().filter(|page| !page.sketch.title.is_empty()) {
        titles.entry(&page.sketch.title).or_default().push(page);
    }
    let mut taken: HashSet<Seq> = HashSet::new();
    let mut pairs = Vec::new();
    for page in smaller {
        let same_place = places.get(&page.sketch.place).copied().into_iter();
        let same_title = titles.get(page.sketch.title.as_str()).into_iter().flatten().copied().take(MOST_NAMESAKES);
        let other = same_place.chain(same_title).find(|other| !taken.contains(&other.seq) && is_near(page, other));
        if let Some(other) = other {
            taken.insert(other.seq);
            pairs.push((page, other));
        }
    }
    pairs
}

/// Whether the two were near-equal at some time: they were captured at different times.
fn is_near(a: &PlacePage, b: &PlacePage) -> bool {
    let is_near = |a: &Sketch, b: &Sketch| (a.text ^ b.text).count_ones() <= NEAR;
    a.all().any(|a| b.all().any(|b| is_near(a, b)))
}

/// Something that both show.
struct Tie {
    kind: ObservableKind,
    value: String,
    /// Whether it is a verified key or address of money.
    is_strong: bool,
}

fn shared(a: &Picture, b: &Picture) -> Vec<Tie> {
    let of = |picture: &Picture| -> BTreeMap<(ObservableKind, String), Grade> {
        let all = picture.pages.iter().flat_map(PlacePage::all).flat_map(|sketch| &sketch.observables);
        let ties = all.filter(|(kind, grade, _)| is_tie(*kind) && *grade != Grade::ShapeOnly);
        ties.map(|(kind, grade, value)| ((*kind, value.clone()), *grade)).collect()
    };
    let (of_a, of_b) = (of(a), of(b));
    let both = of_a.into_iter().filter(|(tie, _)| of_b.contains_key(tie));
    let tie =
        |((kind, value), grade)| Tie { kind, value, is_strong: is_key_or_money(kind) && grade == Grade::Verified };
    let mut ties: Vec<Tie> = both.map(tie).collect();
    ties.sort_by_key(|tie| !tie.is_strong);
    ties
}

const fn is_key_or_money(kind: ObservableKind) -> bool {
    use ObservableKind as Kind;
    matches!(
        kind,
        Kind::PgpFingerprint | Kind::Btc | Kind::Bch | Kind::Ltc | Kind::Doge | Kind::Eth | Kind::Xmr | Kind::Iban
    )
}

/// Where a service shows what.
struct Shown<'a>(HashMap<(ObservableKind, &'a str), usize>);

impl<'a> Shown<'a> {
    fn of(picture: &'a Picture) -> Self {
        let mut places = HashMap::new();
        for page in &picture.pages {
            let all = page.all().flat_map(|sketch| &sketch.observables);
            for found in all.map(|(kind, _, value)| (*kind, value.as_str())).collect::<HashSet<_>>() {
                *places.entry(found).or_default() += 1;
            }
        }
        Self(places)
    }

    fn places(&self, kind: ObservableKind, value: &str) -> usize {
        self.0.get(&(kind, value)).copied().unwrap_or(0)
    }
}

/// What differs on pages that correspond, each difference once.
fn differences(pairs: &[(&PlacePage, &PlacePage)], in_a: &Shown<'_>, in_b: &Shown<'_>) -> Vec<Difference> {
    let mut told: HashSet<(&'static str, Vec<String>, Vec<String>)> = HashSet::new();
    let mut differences = Vec::new();
    for (a, b) in pairs {
        let captures = Some((a.seq, b.seq));
        let mut tell = |what, a: Vec<String>, b: Vec<String>, is_evidence| {
            if told.insert((what, a.clone(), b.clone())) {
                differences.push(Difference { what, a, b, captures, is_evidence });
            }
        };
        if a.sketch.title != b.sketch.title {
            tell("title", vec![a.sketch.title.clone()], vec![b.sketch.title.clone()], false);
        }
        for kind in kinds(&a.sketch).intersection(&kinds(&b.sketch)) {
            let only = |page: &PlacePage, own: &Shown<'_>, other: &Shown<'_>| -> Vec<(String, bool)> {
                let values = page.sketch.observables.iter().filter(|found| found.0 == *kind);
                let missing = values.filter(|(_, _, value)| other.places(*kind, value) == 0);
                let with_weight = |(_, grade, value): &(ObservableKind, Grade, String)| {
                    (value.clone(), *grade == Grade::Verified && is_steady(page, own, *kind, value))
                };
                missing.map(with_weight).collect()
            };
            let (only_a, only_b) = (only(a, in_a, in_b), only(b, in_b, in_a));
            if only_a.is_empty() || only_b.is_empty() {
                continue;
            }
            let is_steady = |values: &[(String, bool)]| values.iter().any(|(_, is_steady)| *is_steady);
            let is_evidence = is_key_or_money(*kind) && is_steady(&only_a) && is_steady(&only_b);
            let values =
                |values: Vec<(String, bool)>| values.into_iter().map(|(value, _)| value).take(MOST_TOLD).collect();
            tell(kind.as_str(), values(only_a), values(only_b), is_evidence);
        }
    }
    differences
}

fn kinds(sketch: &Sketch) -> BTreeSet<ObservableKind> {
    sketch.observables.iter().map(|(kind, _, _)| *kind).filter(|kind| is_tie(*kind)).collect()
}

/// Whether a page shows it whenever it is loaded, as far as is known. An address for a payment is another each time; a key is not, and what stands at
/// two places is not either.
fn is_steady(page: &PlacePage, own: &Shown<'_>, kind: ObservableKind, value: &str) -> bool {
    let shows = |sketch: &Sketch| sketch.observables.iter().any(|found| found.0 == kind && found.2 == value);
    let is_confirmed =
        kind == ObservableKind::PgpFingerprint || !page.earlier.is_empty() || own.places(kind, value) > 1;
    is_confirmed && page.all().all(shows)
}
