use crate::sites::{chance::Chance, handle, pgp, prose, wallet};

/// How many listings stand at every step of the first sixty.
const LISTINGS: usize = 260;
const VENDORS: usize = 32;
/// How many listings vanish and how many appear at each step.
const TURNOVER: usize = 4;

/// A part of the market.
pub(crate) struct Category {
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    products: &'static [&'static str],
}

pub(crate) const CATEGORIES: &[Category] = &[
    Category {
        slug: "papers",
        title: "Forged papers",
        products: &[
            "Residence card replica",
            "Seafarer book",
            "Diploma with transcript",
            "Utility bill set",
            "Press pass",
        ],
    },
    Category {
        slug: "accounts",
        title: "Stolen accounts",
        products: &[
            "Streaming bundle",
            "Aged mail account",
            "Loyalty points account",
            "Parcel locker account",
            "Webshop account",
        ],
    },
    Category {
        slug: "cards",
        title: "Skimmed cards",
        products: &["Card batch", "Prepaid card", "Card with mailbox", "Gift card codes", "Fuel card"],
    },
    Category {
        slug: "notes",
        title: "Counterfeit notes",
        products: &["Twenties, circulated", "Fifties, crisp", "Tens, mixed", "Coin roll", "Voucher sheet"],
    },
    Category {
        slug: "resins",
        title: "Herbs and resins",
        products: &["Blue Lantern resin", "Harbour Mix", "Northern Moss", "Old Mill herb", "Copper Leaf"],
    },
    Category {
        slug: "powders",
        title: "Powders",
        products: &["Winter Chalk", "Salt Pan No. 4", "Grey Heron", "Flour Street", "Quarry Dust"],
    },
    Category {
        slug: "pills",
        title: "Pills",
        products: &["Orange Comet", "Quiet Bishop", "Twin Anchors", "Velvet Fox", "Night Ferry"],
    },
    Category {
        slug: "malware",
        title: "Malware and tools",
        products: &["Loader subscription", "Stealer panel", "Phishing kit", "Crypter service", "Spam sender list"],
    },
    Category {
        slug: "guides",
        title: "Guides",
        products: &[
            "Beginner's handbook",
            "Vendor handbook",
            "Shipping manual",
            "Mirror operator notes",
            "Collected threads",
        ],
    },
    Category {
        slug: "drops",
        title: "Drops and parcels",
        products: &["Parcel drop", "Mail forwarding", "Locker rental", "Courier day", "Empty flat week"],
    },
];

const COUNTRIES: &[&str] = &[
    "Netherlands",
    "Germany",
    "Belgium",
    "Poland",
    "Spain",
    "France",
    "Portugal",
    "Czechia",
    "Denmark",
    "Italy",
    "Austria",
    "Norway",
];
const REGIONS: &[&str] = &["Worldwide", "European Union", "Europe", "Domestic only", "Worldwide except Oceania"];
const SIZES: &[&str] = &["single", "pack of 3", "pack of 5", "pack of 10", "5 g", "25 g", "one month", "bulk"];

/// A seller.
pub(crate) struct Vendor {
    pub(crate) name: String,
    pub(crate) since: String,
    pub(crate) country: &'static str,
    pub(crate) level: u64,
    pub(crate) about: Vec<String>,
    pub(crate) terms: Vec<String>,
    pub(crate) contacts: Vec<String>,
    pub(crate) wallets: Vec<(&'static str, String)>,
    pub(crate) key: String,
    pub(crate) reviews: Vec<Review>,
}

/// What a buyer wrote.
pub(crate) struct Review {
    pub(crate) buyer: String,
    pub(crate) date: String,
    pub(crate) stars: u64,
    pub(crate) text: String,
}

/// An offer, in so far as no step changes it.
pub(crate) struct Listing {
    pub(crate) number: u64,
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) category: usize,
    pub(crate) vendor: usize,
    pub(crate) currency: Currency,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) text: Vec<String>,
    pub(crate) reviews: Vec<Review>,
    first_price: u64,
    first_stock: u64,
}

/// What a price is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Currency {
    Euro,
    Dollar,
    Bitcoin,
    Monero,
}

impl Currency {
    /// A price of so many hundredths of a euro, in this currency at the market's own fixed rates.
    pub(crate) fn price(self, cents: u64) -> String {
        match self {
            Self::Euro => format!("{}.{:02} EUR", cents / 100, cents % 100),
            Self::Dollar => {
                let cents = cents * 100 / 93;
                format!("{}.{:02} USD", cents / 100, cents % 100)
            }
            Self::Bitcoin => format!("0.{:06} BTC", cents / 5),
            Self::Monero => format!("{}.{:04} XMR", cents / 14_000, cents % 14_000 * 10_000 / 14_000),
        }
    }
}

/// A listing as it stands at a step.
pub(crate) struct Offer<'a> {
    pub(crate) listing: &'a Listing,
    /// Hundredths of a euro.
    pub(crate) price: u64,
    pub(crate) stock: u64,
}

/// All vendors, and the listings of the beginning.
pub(crate) struct Catalogue {
    pub(crate) seed: u64,
    pub(crate) vendors: Vec<Vendor>,
    listings: Vec<Listing>,
    /// The order in which the first listings vanish.
    farewells: Vec<usize>,
}

impl Catalogue {
    pub(crate) fn new(seed: u64) -> Self {
        let names = handle::names(&mut Chance::of(seed, "vendor names", 0), VENDORS);
        let vendors = names.into_iter().zip(0..).map(|(name, number)| Vendor::new(seed, number, name)).collect();
        let listings = (0..LISTINGS as u64).map(|number| Listing::new(seed, number)).collect();
        let farewells = Chance::of(seed, "farewells", 0).order(LISTINGS);
        Self { seed, vendors, listings, farewells }
    }

    /// The listings that appeared up to a step and were not there at the beginning.
    pub(crate) fn newcomers(&self, step: u32) -> Vec<Listing> {
        let first = LISTINGS as u64;
        let last = first + u64::from(step) * TURNOVER as u64;
        (first..last).map(|number| Listing::new(self.seed, number)).collect()
    }

    /// Every offer at a step: the first listings without those that have vanished, and the newcomers.
    pub(crate) fn offers<'a>(&'a self, newcomers: &'a [Listing], step: u32) -> Vec<Offer<'a>> {
        let vanished = usize::try_from(step).unwrap_or(usize::MAX).saturating_mul(TURNOVER);
        let mut gone = vec![false; self.listings.len()];
        for at in self.farewells.iter().take(vanished) {
            if let Some(gone) = gone.get_mut(*at) {
                *gone = true;
            }
        }
        let staying = self.listings.iter().zip(gone).filter(|(_, gone)| !gone).map(|(listing, _)| listing);
        staying.chain(newcomers).map(|listing| listing.at(self.seed, step)).collect()
    }
}

impl Vendor {
    fn new(seed: u64, number: u64, name: String) -> Self {
        let chance = &mut Chance::of(seed, "vendor", number);
        let mut wallets = vec![("BTC", wallet::bitcoin(chance))];
        if chance.one_in(2) {
            wallets.push(("XMR", wallet::monero(chance)));
        }
        let contacts = (0..chance.between(1, 3)).map(|_| handle::contact(chance, &name)).collect();
        let key = pgp::public_key_block(chance, &format!("{name} <{name}@post.example>"));
        let (about, terms) = (prose::offer(chance, 14), prose::offer(chance, 12));
        let count = chance.between(12, 32);
        Self {
            since: date(chance, 2028),
            country: *chance.pick(COUNTRIES),
            level: chance.between(1, 9),
            about,
            terms,
            contacts,
            wallets,
            key,
            reviews: reviews(chance, count),
            name,
        }
    }
}

impl Listing {
    fn new(seed: u64, number: u64) -> Self {
        let chance = &mut Chance::of(seed, "listing", number);
        let at = usize::try_from(number).unwrap_or_default();
        let category = at % CATEGORIES.len();
        let product = CATEGORIES.get(category).map_or("Offer", |category| *chance.pick(category.products));
        let title = format!("{product}, {}, lot {}", chance.pick(SIZES), chance.between(100, 999));
        let count = chance.between(10, 22);
        Self {
            number,
            // The number in front keeps two listings with one title apart.
            slug: format!("{}-{}", 41_000 + number * 7, plain(product)),
            title,
            category,
            // A prime apart from the number of categories, so that every vendor sells in several.
            vendor: (at * 7 + at / VENDORS) % VENDORS,
            currency: *chance.pick(&[
                Currency::Euro,
                Currency::Euro,
                Currency::Dollar,
                Currency::Bitcoin,
                Currency::Monero,
            ]),
            from: *chance.pick(COUNTRIES),
            to: *chance.pick(REGIONS),
            text: prose::offer(chance, 18),
            reviews: reviews(chance, count),
            first_price: chance.between(400, 90_000),
            first_stock: chance.between(1, 250),
        }
    }

    /// Price and stock after all changes up to a step.
    fn at(&self, seed: u64, step: u32) -> Offer<'_> {
        let (mut price, mut stock) = (self.first_price, self.first_stock);
        for past in 1..=u64::from(step) {
            let chance = &mut Chance::of(seed, "change", self.number << 32 | past);
            if chance.one_in(10) {
                // Never the same price: the step is to be seen.
                price = price + price / 20 + chance.between(1, 300);
            }
            if chance.one_in(8) {
                stock = chance.between(0, 250);
            }
        }
        Offer { listing: self, price, stock }
    }
}

fn reviews(chance: &mut Chance, count: u64) -> Vec<Review> {
    (0..count)
        .map(|_| Review {
            buyer: format!("{}***{}", chance.pick(&["a", "f", "k", "m", "r", "t"]), chance.between(0, 9)),
            date: date(chance, 2030),
            stars: 5 - chance.below(9) / 4,
            text: prose::feedback(chance),
        })
        .collect()
}

fn date(chance: &mut Chance, year: u64) -> String {
    format!("{year}-{:02}-{:02}", chance.between(1, 12), chance.between(1, 28))
}

/// A title as a part of a path.
fn plain(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
