//! Words that stand after the name of a messenger and are no names.

/// Words that connect a label with its value.
const CONNECTING: &str = "\
    acc account add address adres am and app are at contact en for gebruikersnaam handle het i id is ist link me mein messages messenger mijn my \
    mynick naam name nick nickname no number nummer of op or our profile support the under us user userid username usernames users via with \
    аккаунт и ид или имя контакт мой на наш ник номер пишите по это";

/// Words between a label and its value that make a name of what follows.
const NOUNS: &str = "\
    gebruikersnaam handle id is naam name nick nickname user userid username ид имя ник";

/// Words before a label that make a name of what follows it.
const LEADS: &str = "\
    add at auf by hmu msg my on op our par text through via über в на через";

/// Everyday words of sentences in which messengers are named, in English, Dutch, German and Russian.
const EVERYDAY: &str = "\
    aanvraag about above accept accepted access account accounts accs activation active actually add address admin after again all alle allowed \
    also alternative always and android anonymous answer any anyone anything anytime app application apps are asap ask assistance at auf auto \
    automatic available back based because before bei being bellow below best beste better bitcoin bot bots business but buy buyer buyers by \
    call can cannot channel channels chat chats check click client clients code codes coming communicate communication community company contact \
    contacts crypto customer customers daily deal deals desktop details direct directly discord discount discuss dit do dont download each een \
    email emails encrypted english every everyday exclusive facebook false fast faster fastest fe feel find first follow followers for forum \
    free friends from fuer full für geen get good google group groups hack hacked hacker hacking handle has have hello help here how ich if \
    immediately important inbox info information inquiries instagram install instant instead into invite ios iphone is ist it its jabber join \
    just kanaal kein keine keybase link links list live log login looking made mail main make market markets maybe me meet member members \
    message messages messaging messenger met method mit mobile monday more most must my n na naar nach name need never new news next nicht niet \
    none not note nothing notification now null number numbers nur off offers official offline once one ones online only open option options \
    order orders other others our out over page password pay payment people person personal pgp phone please plus pm possible preferred premium \
    price prices private pro product products profile proof proton protonmail public question questions quick quickly read ready real receive \
    reply request required respond response responses safe sale sales same scam scammer scammers secure see seller send server service services \
    session shop should sie signal signup skype snapchat soon spam special spy start started stay stealth still store subscribe subscribers \
    support supported sure talk tba team telegram text than that the their them then there these they this threema through time times today tor \
    tracking true trusted twitter unavailable und unknown unlimited until update updates us use used user username users using van vendor \
    vendors verification verified verify very via viber video views visit voor want was we website welcome well what whatsapp when where which \
    while who why wickr will wir with without work working would write xmpp year yes you your zonder бот группа для если есть или канал напишите \
    нет писать пишите только чат";

pub(super) fn is_connecting(word: &str) -> bool {
    is_in(word, CONNECTING)
}

pub(super) fn is_noun(word: &str) -> bool {
    is_in(word, NOUNS)
}

pub(super) fn is_lead(word: &str) -> bool {
    is_in(word, LEADS)
}

pub(in super::super) fn is_everyday(word: &str) -> bool {
    is_in(word, EVERYDAY)
}

fn is_in(word: &str, list: &str) -> bool {
    let lower = word.to_lowercase();
    list.split(' ').any(|known| known == lower)
}
