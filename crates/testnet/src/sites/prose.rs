use crate::sites::chance::Chance;

/// The language that a page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tongue {
    English,
    Dutch,
    Russian,
}

impl Tongue {
    /// The tag of the language (BCP 47).
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
            Self::Russian => "ru",
        }
    }

    /// Whole sentences that people say in a forum.
    pub(crate) fn talk(self, chance: &mut Chance, count: u64) -> Vec<String> {
        let (sentences, things) = match self {
            Self::English => (ENGLISH, ENGLISH_THINGS),
            Self::Dutch => (DUTCH, DUTCH_THINGS),
            Self::Russian => (RUSSIAN, RUSSIAN_THINGS),
        };
        several(chance, sentences, things, count)
    }

    /// The subject of a thread.
    pub(crate) fn subject(self, chance: &mut Chance) -> String {
        let (subjects, things) = match self {
            Self::English => (ENGLISH_SUBJECTS, ENGLISH_THINGS),
            Self::Dutch => (DUTCH_SUBJECTS, DUTCH_THINGS),
            Self::Russian => (RUSSIAN_SUBJECTS, RUSSIAN_THINGS),
        };
        let subject = *chance.pick(subjects);
        fill(chance, subject, things)
    }
}

/// What a vendor says about an offer.
pub(crate) fn offer(chance: &mut Chance, count: u64) -> Vec<String> {
    several(chance, OFFER, ENGLISH_THINGS, count)
}

/// What a buyer says about a vendor.
pub(crate) fn feedback(chance: &mut Chance) -> String {
    let sentence = *chance.pick(FEEDBACK);
    fill(chance, sentence, ENGLISH_THINGS)
}

/// What a market says about itself.
pub(crate) fn rules(chance: &mut Chance, count: u64) -> Vec<String> {
    several(chance, RULES, ENGLISH_THINGS, count)
}

/// As many of the sentences as wanted, none twice before all were used.
fn several(chance: &mut Chance, sentences: &[&str], things: &[&str], count: u64) -> Vec<String> {
    let order = chance.order(sentences.len());
    let wanted = usize::try_from(count).unwrap_or_default();
    order
        .iter()
        .cycle()
        .take(wanted)
        .filter_map(|at| sentences.get(*at))
        .map(|text| fill(chance, text, things))
        .collect()
}

fn fill(chance: &mut Chance, sentence: &str, things: &[&str]) -> String {
    let number = chance.between(2, 48).to_string();
    let thing = chance.pick(things);
    sentence.replace("{n}", &number).replace("{thing}", thing)
}

const OFFER: &[&str] = &[
    "This is the same batch that our regular customers have had since spring.",
    "We pack in the evening and the parcel leaves the next working day.",
    "Every order is sealed twice and carries no name of ours.",
    "Please write your address exactly as it stands on your letter box.",
    "Orders above {n} pieces get a discount, ask before you pay.",
    "We never ask for payment outside of the market, whoever says so is not us.",
    "If the parcel is not there after {n} days, open a dispute and we will find a way.",
    "Our stock is counted every week, what you see is what lies on the shelf.",
    "The picture shows the real thing and not something from a catalogue.",
    "Ask us about the {thing} if you want to try a smaller amount first.",
    "A sample is possible for buyers with more than {n} finished orders.",
    "We reship once without questions when the tracking shows nothing.",
    "Read our profile before you order, all other questions are answered there.",
    "The quality was checked by an independent member of the forum last month.",
    "We do not send to addresses that received a warning letter before.",
    "Delivery inside the country takes two days, outside between five and {n} days.",
    "Use our key for every message, unencrypted addresses are deleted unread.",
    "This offer stays at this price until the present stock is gone.",
    "For larger quantities we can agree on a drop near the border.",
    "You will receive a picture of the sealed parcel before it leaves.",
    "No refunds for wrong addresses, we cannot guess where you live.",
    "Customers from the old market keep their discount, send us a signed message.",
    "We have been doing this for {n} seasons and intend to stay.",
    "A second pair of hands helps us now, so messages are answered within a day.",
    "Please finalise only when you have checked everything.",
    "Leave a fair word after delivery, it helps a small shop like ours.",
];

const FEEDBACK: &[&str] = &[
    "Arrived after {n} days, well packed, exactly as described.",
    "Second order, same quality as before, will come back.",
    "Slow answers but the parcel came in the end.",
    "Stealth was fine, weight was right, thank you.",
    "Package came damp, vendor sent a new one at once.",
    "Had to wait {n} days, no reply to two messages.",
    "Perfect from the first message to the letter box.",
    "One piece was missing, we agreed on half the price back.",
    "Never arrived, dispute is still open.",
    "Good value, better than what I had from others.",
    "Fast, friendly, and the {thing} was a nice extra.",
    "Not what I expected from the pictures, still usable.",
    "Honest seller, told me about the delay before I asked.",
    "All fine again, five stars.",
    "The code did not work at first, support helped within the hour.",
    "Recommended by a friend and now by me.",
];

const RULES: &[&str] = &[
    "Every order is held in escrow until the buyer says that it has arrived.",
    "Vendors pay a bond once, and get it back when they leave with a clean record.",
    "The market takes {n} per mille of each order and nothing else.",
    "Disputes are settled by two moderators who know neither side.",
    "Nobody may offer weapons, poisons or anything that harms children here.",
    "Check the signature of the page with our key before you log in.",
    "Change your pass phrase when you have used it anywhere else.",
    "Withdrawals are sent out every {n} minutes, more often when the network is quiet.",
    "A vendor who asks for direct payment is removed on the same day.",
    "Messages are deleted after {n} days whether they were read or not.",
    "We will never contact you on any other platform.",
    "The mirror list is signed every Sunday, everything else is a trap.",
    "Support answers in the order of arrival, a second ticket does not help.",
    "Addresses are encrypted for the vendor in your browser's stead, but do it yourself.",
    "Holiday mode hides all offers of a vendor and stops the clock of open orders.",
    "Reviews that were bought are removed together with the account.",
    "Orders finalise by themselves after {n} days unless a dispute is open.",
    "Deposits are credited after two confirmations.",
    "Whoever finds a fault in the software is paid for the report.",
    "We keep no logs, and you should not either.",
];

const ENGLISH_THINGS: &[&str] = &[
    "blue lantern resin",
    "paper set",
    "loader subscription",
    "card batch",
    "aged mail account",
    "starter bundle",
    "harbour mix",
    "old stock",
    "spring batch",
    "parcel drop",
];

const ENGLISH: &[&str] = &[
    "I have been reading here for {n} months and this is my first post.",
    "Has anybody heard from the vendor since the weekend?",
    "My order has been marked as sent for {n} days and nothing moves.",
    "The mirror in my bookmarks asks for the pass phrase twice, so I closed it.",
    "Check the signature before you trust any address that is posted here.",
    "I would not send money to somebody with fewer than {n} reviews.",
    "The {thing} was better last year, now it looks like leftovers.",
    "They changed the wallet again and did not say why.",
    "In my experience the small shops answer quicker than the big ones.",
    "A friend of mine got a letter from customs and has stopped since.",
    "Please keep names and places out of this thread.",
    "The moderators removed my post although I only asked a question.",
    "Somebody offered me the {thing} for half the price, which smells.",
    "You can see from the text that the same person runs both shops.",
    "It took three tries until the page loaded this morning.",
    "I paid the fee and the ticket was closed without an answer.",
    "Use a new key for every shop, it costs you two minutes.",
    "This is what happens when everybody goes to the same market.",
    "The parcel came in a box from a bookshop, which I found clever.",
    "Nobody will help you when you finalise early.",
    "I kept the messages and can show them to a moderator.",
    "We talked about this in the other board, with the same result.",
    "His profile says that he is on holiday until the end of the month.",
    "Do not believe the countdown, they have used it {n} times already.",
    "The exchange that I used asked for a picture of my passport.",
    "Thank you for the long answer, that helped me a lot.",
];

const ENGLISH_SUBJECTS: &[&str] = &[
    "Question about {thing}",
    "Is the vendor of {thing} still there?",
    "Review: {thing}, order of {n} pieces",
    "Mirror list, please check",
    "Scam report: {thing}",
    "Withdrawal stuck for {n} hours",
    "Looking for {thing}",
    "Has anybody tried {thing}?",
    "Guide for beginners, part {n}",
    "Who remembers the old market?",
];

const DUTCH_THINGS: &[&str] = &[
    "de lentebatch",
    "het pakket met papieren",
    "de oude voorraad",
    "het startpakket",
    "de havenmix",
    "de kaartenset",
    "het proefpakket",
    "de blauwe hars",
];

const DUTCH: &[&str] = &[
    "Ik lees hier al {n} maanden mee en dit is mijn eerste bericht.",
    "Heeft iemand sinds het weekend nog iets van de verkoper gehoord?",
    "Mijn bestelling staat al {n} dagen op verzonden en er gebeurt niets.",
    "De spiegel in mijn bladwijzers vroeg twee keer om het wachtwoord, dus ik heb hem gesloten.",
    "Controleer de handtekening voordat je een adres vertrouwt dat hier geplaatst wordt.",
    "Ik zou geen geld sturen naar iemand met minder dan {n} beoordelingen.",
    "Vorig jaar was {thing} beter, nu lijkt het op restjes.",
    "Ze hebben de portemonnee weer veranderd en niet gezegd waarom.",
    "De kleine winkels antwoorden volgens mij sneller dan de grote.",
    "Een kennis van mij kreeg een brief van de douane en is toen gestopt.",
    "Houd namen en plaatsen alsjeblieft buiten dit onderwerp.",
    "De beheerders hebben mijn bericht verwijderd terwijl ik alleen iets vroeg.",
    "Iemand bood mij {thing} aan voor de helft van de prijs, dat klopt niet.",
    "Aan de tekst zie je dat dezelfde persoon achter beide winkels zit.",
    "Vanochtend laadde de pagina pas na drie pogingen.",
    "Ik heb de kosten betaald en daarna werd de melding zonder antwoord gesloten.",
    "Gebruik voor elke winkel een nieuwe sleutel, dat kost je twee minuten.",
    "Dit krijg je als iedereen naar dezelfde markt gaat.",
    "Het pakje kwam in een doos van een boekwinkel, dat vond ik slim.",
    "Niemand kan je helpen wanneer je te vroeg bevestigt.",
    "Ik heb de berichten bewaard en kan ze aan een beheerder laten zien.",
    "Hierover hebben we het in het andere deel van het forum ook al gehad.",
    "Volgens zijn profiel is hij tot het einde van de maand met vakantie.",
    "Geloof die aftelklok niet, die hebben ze al {n} keer gebruikt.",
    "De wisselkantoren vragen tegenwoordig allemaal om een foto van je paspoort.",
    "Bedankt voor het uitgebreide antwoord, daar heb ik veel aan.",
];

const DUTCH_SUBJECTS: &[&str] = &[
    "Vraag over {thing}",
    "Wie heeft ervaring met {thing}?",
    "Beoordeling van {thing} na {n} weken",
    "Lijst met spiegels, graag nakijken",
    "Waarschuwing voor oplichting met {thing}",
    "Opname zit al {n} uur vast",
    "Op zoek naar {thing}",
    "Handleiding voor beginners, deel {n}",
    "Wie kent de oude markt nog?",
];

const RUSSIAN_THINGS: &[&str] = &[
    "весенняя партия",
    "набор бумаг",
    "старый запас",
    "пробный набор",
    "портовая смесь",
    "комплект карт",
    "синяя смола",
    "подписка на загрузчик",
];

const RUSSIAN: &[&str] = &[
    "Читаю этот форум уже несколько месяцев, а пишу впервые.",
    "Кто-нибудь слышал что-то от продавца после выходных?",
    "Мой заказ отмечен как отправленный, прошло {n} дней, и ничего не происходит.",
    "Зеркало из моих закладок дважды спросило пароль, поэтому я его закрыл.",
    "Проверяйте подпись, прежде чем доверять любому адресу, который здесь пишут.",
    "Я бы не стал посылать деньги тому, у кого мало отзывов.",
    "В прошлом году «{thing}» была лучше, теперь похоже на остатки.",
    "Они снова сменили кошелёк и не объяснили почему.",
    "По моему опыту маленькие магазины отвечают быстрее больших.",
    "Мой знакомый получил письмо от таможни и с тех пор ничего не заказывает.",
    "Пожалуйста, не называйте здесь имена и города.",
    "Модераторы удалили моё сообщение, хотя я только задал вопрос.",
    "Мне предложили «{thing}» за полцены, и это подозрительно.",
    "По тексту видно, что за обоими магазинами стоит один человек.",
    "Сегодня утром страница открылась только с третьей попытки.",
    "Я заплатил комиссию, а обращение закрыли без ответа.",
    "Для каждого магазина делайте новый ключ, это занимает две минуты.",
    "Так бывает, когда все уходят на одну площадку.",
    "Посылка пришла в коробке из книжного магазина, хорошо придумано.",
    "Никто вам не поможет, если вы подтвердите заказ слишком рано.",
    "Я сохранил переписку и могу показать её модератору.",
    "Мы уже обсуждали это в соседнем разделе с тем же результатом.",
    "В его профиле написано, что он в отпуске до конца месяца.",
    "Не верьте обратному отсчёту, его показывали уже {n} раз.",
    "Обменник, которым я пользовался, попросил фотографию паспорта.",
    "Спасибо за подробный ответ, он мне очень помог.",
];

const RUSSIAN_SUBJECTS: &[&str] = &[
    "Вопрос: {thing}",
    "Кто пробовал «{thing}»?",
    "Отзыв: {thing}",
    "Список зеркал, проверьте пожалуйста",
    "Обман: {thing}",
    "Вывод висит уже {n} часов",
    "Ищу: {thing}",
    "Руководство для начинающих, часть {n}",
    "Кто помнит старую площадку?",
];
