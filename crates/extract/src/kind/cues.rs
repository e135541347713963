use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// What a word or phrase hints at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// The page asks who one is.
    Login,
    /// The page makes an account.
    Register,
    /// The page asks for proof of being human.
    Captcha,
    /// The page protects the site from floods.
    Ddos,
    /// The page asks for patience.
    Wait,
    /// There is nothing here.
    NotFound,
    /// Where goods come from.
    ShipsFrom,
    /// Where goods go to.
    ShipsTo,
    /// How much there is.
    Stock,
    /// What it costs.
    Price,
    /// Who sells.
    Seller,
    /// How to buy.
    Buy,
    /// How the money is held.
    Escrow,
    /// Under what the goods stand.
    Category,
    /// What a profile says of a person.
    Profile,
    /// What customers said.
    Feedback,
    /// What was looked for.
    Results,
    /// What stands above a list of threads.
    Board,
    /// What stands beside a post.
    Post,
    /// What the page of an offer calls itself.
    Goods,
}

const CUES: usize = Cue::Goods as usize + 1;

/// English, Dutch and Russian, in lower case. A star at the end stands for any ending.
const PHRASES: &[(Cue, &[&str])] = &[
    (
        Cue::Login,
        &[
            "login",
            "log in",
            "log-in",
            "sign in",
            "signin",
            "logon",
            "inloggen",
            "aanmelden",
            "вход",
            "войти",
            "войдите",
            "авторизация",
            "авторизуйтесь",
        ],
    ),
    (
        Cue::Register,
        &[
            "register",
            "registration",
            "sign up",
            "signup",
            "create account",
            "create an account",
            "registreren",
            "registratie",
            "account aanmaken",
            "регистрация",
            "зарегистрироваться",
        ],
    ),
    (
        Cue::Captcha,
        &[
            "captcha",
            "human verification",
            "are you human",
            "not a robot",
            "prove you are human",
            "verify you are human",
            "enter the characters",
            "enter the code",
            "characters you see",
            "type the text",
            "solve the puzzle",
            "solve this puzzle",
            "solve the captcha",
            "bent u een mens",
            "geen robot",
            "voer de code in",
            "neem de tekens over",
            "капча",
            "капчу",
            "капчи",
            "не робот",
            "введите код",
            "введите символы",
            "символы с картинки",
            "код с картинки",
        ],
    ),
    (
        Cue::Ddos,
        &[
            "ddos",
            "anti-ddos",
            "antiddos",
            "checking your browser",
            "browser check",
            "verifying your browser",
            "bot protection",
            "flood protection",
            "access queue",
            "placed in a queue",
            "in a queue",
            "queue position",
            "position in queue",
            "position in the queue",
            "waiting queue",
            "in the queue",
            "in queue",
            "place in line",
            "estimated waiting time",
            "estimated wait time",
            "estimated wait",
            "waiting room",
            "controle van uw browser",
            "uw browser wordt gecontroleerd",
            "wachtrij",
            "wachtkamer",
            "проверка браузера",
            "проверяем ваш браузер",
            "защита от ддос",
            "ддос",
            "очереди",
            "очередь",
        ],
    ),
    (
        Cue::Wait,
        &[
            "please wait",
            "redirecting",
            "redirected",
            "automatically",
            "this process is automatic",
            "a few seconds",
            "few moments",
            "one moment",
            "do not refresh",
            "do not close",
            "minutes",
            "just a moment",
            "een moment",
            "even geduld",
            "moment geduld",
            "wacht",
            "automatisch",
            "doorgestuurd",
            "подождите",
            "автоматически",
            "перенаправлен*",
            "секунд*",
        ],
    ),
    (
        Cue::NotFound,
        &[
            "not found",
            "404",
            "does not exist",
            "doesn't exist",
            "no longer available",
            "no longer exists",
            "niet gevonden",
            "bestaat niet",
            "niet meer beschikbaar",
            "не найден*",
            "не существует",
            "удалена",
            "удалено",
        ],
    ),
    (
        Cue::ShipsFrom,
        &[
            "ships from",
            "ship from",
            "shipped from",
            "shipping from",
            "origin country",
            "verzonden vanuit",
            "verzending vanuit",
            "verzendt vanuit",
            "verstuurd vanuit",
            "отправка из",
            "доставка из",
            "отправляется из",
            "откуда",
        ],
    ),
    (
        Cue::ShipsTo,
        &[
            "ships to",
            "ship to",
            "shipped to",
            "shipping to",
            "destination",
            "verzendt naar",
            "verzending naar",
            "verzonden naar",
            "доставка в",
            "отправка в",
            "доставка по",
            "куда",
        ],
    ),
    (
        Cue::Stock,
        &[
            "in stock",
            "out of stock",
            "stock",
            "quantity",
            "quantity left",
            "units left",
            "available",
            "op voorraad",
            "voorraad",
            "uitverkocht",
            "в наличии",
            "на складе",
            "остаток",
            "количество",
        ],
    ),
    (Cue::Price, &["price", "prices", "purchase price", "prijs", "prijzen", "цена", "стоимость"]),
    (
        Cue::Seller,
        &["sold by", "vendor", "seller", "merchant", "verkoper", "verkocht door", "aanbieder", "продавец", "магазин"],
    ),
    (
        Cue::Buy,
        &[
            "buy now",
            "buy",
            "add to cart",
            "add to basket",
            "order now",
            "place order",
            "purchase",
            "checkout",
            "bestellen",
            "bestel nu",
            "koop nu",
            "kopen",
            "in winkelwagen",
            "купить",
            "в корзину",
            "заказать",
            "оформить заказ",
        ],
    ),
    (
        Cue::Escrow,
        &["escrow", "finalize early", "fe or escrow", "multisig", "эскроу", "гарант", "сделка через гаранта"],
    ),
    (Cue::Category, &["category", "listing type", "product class", "categorie", "категория"]),
    (
        Cue::Profile,
        &[
            "member since",
            "joined",
            "join date",
            "registered since",
            "registered on",
            "last online",
            "last seen",
            "last active",
            "last login",
            "vendor level",
            "trust level",
            "user profile",
            "vendor profile",
            "seller profile",
            "view store",
            "view vendor listings",
            "contact vendor",
            "disputes",
            "fe enabled",
            "verifications",
            "about the vendor",
            "positive feedback",
            "finished orders",
            "total sales",
            "completed orders",
            "sales",
            "send message",
            "pgp",
            "lid sinds",
            "laatst online",
            "laatst gezien",
            "verkoperprofiel",
            "profiel",
            "verkopen",
            "контакты",
            "зарегистрирован*",
            "дата регистрации",
            "был в сети",
            "последний визит",
            "профиль",
            "уровень доверия",
            "продаж",
        ],
    ),
    (
        Cue::Feedback,
        &[
            "feedback",
            "reviews",
            "review",
            "ratings",
            "rating",
            "beoordelingen",
            "beoordeling",
            "waardering",
            "отзывы",
            "отзыв",
            "отзывов",
            "рейтинг",
            "оценка",
        ],
    ),
    (
        Cue::Results,
        &[
            "search results",
            "results for",
            "results found",
            "found results",
            "search result",
            "no results",
            "nothing found",
            "no listings found",
            "no products found",
            "no items found",
            "zoekresultaten",
            "resultaten voor",
            "geen resultaten",
            "niets gevonden",
            "результаты поиска",
            "найдено",
            "ничего не найдено",
            "нет результатов",
        ],
    ),
    (
        Cue::Board,
        &[
            "threads",
            "topics",
            "topic",
            "last post",
            "latest post",
            "started by",
            "replies",
            "new thread",
            "new topic",
            "start a new",
            "sub-forum",
            "subforum",
            "subforums",
            "boards",
            "forums",
            "moderators",
            "onderwerpen",
            "onderwerp",
            "laatste bericht",
            "nieuw onderwerp",
            "reacties",
            "gestart door",
            "темы",
            "тем",
            "тема",
            "последнее сообщение",
            "новая тема",
            "ответов",
            "подфорум*",
            "разделы",
            "автор темы",
        ],
    ),
    (
        Cue::Post,
        &[
            "quote",
            "reply",
            "post reply",
            "reply to this",
            "posted by",
            "posted on",
            "posted",
            "wrote",
            "re:",
            "edited by",
            "report post",
            "permalink",
            "citeer",
            "citeren",
            "antwoord",
            "antwoorden",
            "reageer",
            "reageren",
            "geplaatst door",
            "geplaatst",
            "schreef",
            "ответить",
            "цитата",
            "цитировать",
            "написал",
            "написала",
            "написал(а)",
            "сообщение от",
            "добавлено",
        ],
    ),
    (
        Cue::Goods,
        &[
            "product details",
            "listing details",
            "item details",
            "offer details",
            "report this listing",
            "report listing",
            "report this product",
            "report product",
            "report this item",
            "report item",
            "more from this vendor",
            "other listings from",
            "productdetails",
            "meer van deze verkoper",
            "produktdetails",
            "описание товара",
            "другие товары продавца",
        ],
    ),
];

/// All phrases in one automaton, each with its cue and whether any ending will do.
struct Lexicon {
    automaton: Option<AhoCorasick>,
    phrases: Vec<(Cue, bool)>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let all = || PHRASES.iter().flat_map(|(cue, phrases)| phrases.iter().map(|phrase| (*cue, *phrase)));
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(all().map(|(_, phrase)| phrase.trim_end_matches('*')))
        .ok();
    Lexicon { automaton, phrases: all().map(|(cue, phrase)| (cue, phrase.ends_with('*'))).collect() }
});

/// How often each cue occurs in a text.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: [usize; CUES],
    labels: [usize; CUES],
}

impl Tally {
    pub(super) fn of(text: &str) -> Self {
        let mut tally = Self::default();
        let lower = text.to_lowercase();
        let Some(automaton) = &LEXICON.automaton else { return tally };
        for found in automaton.find_iter(&lower) {
            let Some(&(cue, has_any_ending)) = LEXICON.phrases.get(found.pattern().as_usize()) else { continue };
            let (before, after) =
                (lower.get(..found.start()).unwrap_or_default(), lower.get(found.end()..).unwrap_or_default());
            let (last, next) = (before.chars().next_back(), after.chars().next());
            let goes_on = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
            if goes_on(last) || goes_on(next) && !has_any_ending {
                continue;
            }
            tally.counts[cue as usize] += 1;
            let is_first = matches!(last, None | Some('\n' | '\t'));
            let is_last =
                matches!(after.trim_start_matches([' ', '>', '!']).chars().next(), None | Some('\n' | '\t' | ':'));
            tally.labels[cue as usize] += usize::from(is_first && is_last);
        }
        tally
    }

    /// Occurrences of any kind.
    pub(super) fn count(&self, cue: Cue) -> usize {
        self.counts[cue as usize]
    }

    /// Occurrences that fill a line or cell, or begin it before a colon: the labels and buttons of a page, and not its prose.
    pub(super) fn labels(&self, cue: Cue) -> usize {
        self.labels[cue as usize]
    }
}

/// How often class names speak of what their elements are. They are in English on most sites, whatever the language of the words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(super) posts: usize,
    pub(super) threads: usize,
    pub(super) feedback: usize,
    pub(super) profile: usize,
    pub(super) goods: usize,
}

impl Marks {
    /// Takes in the value of a `class` attribute.
    pub(crate) fn note(&mut self, class: &str) {
        for word in class.split(|c: char| !c.is_ascii_alphanumeric()) {
            let count = match word {
                "post" | "reply" | "postbody" | "postcontent" => &mut self.posts,
                "thread" | "topic" | "topictitle" | "subject" | "board" | "subforum" | "forum" | "forumtitle" => {
                    &mut self.threads
                }
                "feedback" | "review" | "rating" => &mut self.feedback,
                "profile" | "vendor" | "seller" => &mut self.profile,
                "listing" | "product" | "item" | "offer" | "price" => &mut self.goods,
                _ => continue,
            };
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_whole_words_in_any_case() {
        let tally =
            Tally::of("Ships From: NL. Отправка из Германии. Warships from abroad, ships fromage. ПЕРЕНАПРАВЛЕНИЕ");
        assert_eq!((tally.count(Cue::ShipsFrom), tally.labels(Cue::ShipsFrom), tally.count(Cue::Wait)), (2, 1, 1));
        assert_eq!(Tally::of("in stock\t4\nStock: 3\nOut of stock\nis in stock\nstock up").labels(Cue::Stock), 3);
    }

    #[test]
    fn the_lexicon_compiles_and_is_in_lower_case() {
        assert!(LEXICON.automaton.is_some());
        for phrase in PHRASES.iter().flat_map(|(_, phrases)| *phrases) {
            assert_eq!(*phrase, phrase.to_lowercase());
        }
    }

    #[test]
    fn marks_are_words_of_class_names() {
        let mut marks = Marks::default();
        marks.note("post post--first row");
        marks.note("postcard thread-title");
        assert_eq!(marks, Marks { posts: 2, threads: 1, ..Marks::default() });
    }
}
