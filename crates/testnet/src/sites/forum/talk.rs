use crate::sites::{chance::Chance, handle, pgp, prose::Tongue};

const MEMBERS: usize = 90;
const THREADS_PER_BOARD: u64 = 18;
/// How many of the members write in each board.
const REGULARS: usize = 30;

/// A part of the forum, in one language.
pub(crate) struct Board {
    pub(crate) slug: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    pub(crate) tongue: Tongue,
    /// Whether its pages are served in windows-1251 and do not say so.
    pub(crate) is_silent_1251: bool,
}

const fn board(slug: &'static str, title: &'static str, about: &'static str, tongue: Tongue) -> Board {
    Board { slug, title, about, tongue, is_silent_1251: false }
}

pub(crate) const BOARDS: &[Board] = &[
    board("general", "General talk", "Everything that fits nowhere else", Tongue::English),
    board("vendors", "Vendors and reviews", "Who delivers, and who does not", Tongue::English),
    board("security", "Security", "Keys, mirrors and habits", Tongue::English),
    board("plein", "Het plein", "Praat over alles wat nergens anders past", Tongue::Dutch),
    board("handel", "Handel", "Verkopers, prijzen en ervaringen", Tongue::Dutch),
    board("oplichting", "Oplichting", "Waarschuwingen van leden voor leden", Tongue::Dutch),
    board("obshchiy", "Общий раздел", "Разговоры обо всём", Tongue::Russian),
    Board {
        slug: "torgovlya",
        title: "Торговля",
        about: "Продавцы, цены и отзывы",
        tongue: Tongue::Russian,
        is_silent_1251: true,
    },
];

/// Somebody who writes.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) joined: String,
    pub(crate) signature: String,
    pub(crate) about: Vec<String>,
    pub(crate) contacts: Vec<String>,
    pub(crate) key: Option<String>,
}

/// A conversation in a board.
pub(crate) struct Thread {
    pub(crate) number: u64,
    pub(crate) board: usize,
    pub(crate) subject: String,
    pub(crate) posts: Vec<Post>,
}

/// What somebody said.
pub(crate) struct Post {
    pub(crate) author: usize,
    pub(crate) date: String,
    pub(crate) text: Vec<String>,
    /// An earlier post of the thread that it answers.
    pub(crate) quotes: Option<usize>,
    /// An address or a handle that it passes on.
    pub(crate) trace: Option<String>,
}

/// All that was ever said.
pub(crate) struct Talk {
    pub(crate) seed: u64,
    pub(crate) members: Vec<Member>,
    pub(crate) threads: Vec<Thread>,
}

impl Talk {
    pub(crate) fn new(seed: u64) -> Self {
        let names = handle::names(&mut Chance::of(seed, "member names", 0), MEMBERS);
        let members: Vec<Member> =
            names.into_iter().zip(0..).map(|(name, number)| Member::new(seed, number, name)).collect();
        let mut threads = Vec::new();
        for board in 0..BOARDS.len() {
            for number in 0..THREADS_PER_BOARD {
                threads.push(Thread::new(seed, board, board as u64 * THREADS_PER_BOARD + number, &members));
            }
        }
        Self { seed, members, threads }
    }
}

impl Member {
    fn new(seed: u64, number: u64, name: String) -> Self {
        let chance = &mut Chance::of(seed, "member", number);
        let contacts = (0..chance.below(3)).map(|_| handle::contact(chance, &name)).collect();
        let key = chance.one_in(3).then(|| pgp::public_key_block(chance, &format!("{name} <{name}@post.example>")));
        let about = Tongue::English.talk(chance, 26);
        Self {
            joined: format!("{}-{:02}-{:02}", chance.between(2027, 2030), chance.between(1, 12), chance.between(1, 28)),
            signature: about.first().cloned().unwrap_or_default(),
            about,
            contacts,
            key,
            name,
        }
    }
}

impl Thread {
    fn new(seed: u64, board: usize, number: u64, members: &[Member]) -> Self {
        let chance = &mut Chance::of(seed, "thread", number);
        let tongue = BOARDS.get(board).map_or(Tongue::English, |board| board.tongue);
        let subject = tongue.subject(chance);
        let count = usize::try_from(chance.between(5, 28)).unwrap_or_default();
        let posts = (0..count)
            .map(|at| {
                let author =
                    (board * 17 + usize::try_from(chance.below(REGULARS as u64)).unwrap_or_default()) % MEMBERS;
                let length = chance.between(6, 12);
                let name = members.get(author).map_or("nobody", |member| member.name.as_str());
                Post {
                    author,
                    date: format!("2031-02-{:02} {:02}:{:02}", 1 + at % 28, chance.below(24), chance.below(60)),
                    text: tongue.talk(chance, length),
                    quotes: (at > 0 && chance.one_in(3))
                        .then(|| usize::try_from(chance.below(at as u64)).unwrap_or_default()),
                    trace: chance.one_in(4).then(|| handle::trace(chance, name)),
                }
            })
            .collect();
        Self { number: 1000 + number, board, subject, posts }
    }
}
