/// What an address leads to, by the words in it: those of its path, and the names in its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Leads {
    Other,
    /// To a person.
    Person,
    /// To something for sale.
    Goods,
    /// To a list of such things.
    Category,
    /// To the same list in another order, or to more of it.
    Page,
    /// It does something: writes, reports, leaves.
    Act,
}

/// The longest word that is known, in bytes.
const MAX_WORD: usize = 16;

/// What an address leads to. The strongest of its words counts, and the last part of a longer path is a name more often than a word of people.
pub(super) fn leads(href: &str) -> Leads {
    let path = path(href);
    let last = path.rsplit_once('/').map_or("", |(_, last)| last);
    let of_path = path.split('/').filter(is_short).flat_map(|part| {
        let is_last = std::ptr::eq(part, last);
        let words = camel(part.split('.').next().unwrap_or_default());
        words.map(of_word).map(move |leads| if is_last && leads == Leads::Person { Leads::Other } else { leads })
    });
    let query = href.split_once('?').map_or("", |(_, query)| query);
    let of_query = query.split('&').flat_map(|pair| camel(pair.split('=').next().unwrap_or_default())).map(of_word);
    let words = of_path.chain(of_query).max().unwrap_or(Leads::Other);
    if words == Leads::Other && path.starts_with("p/") { Leads::Goods } else { words }
}

/// Whether an address ends in the name that its link says, as those of people do.
pub(super) fn is_named_by(href: &str, name: &str) -> bool {
    let last = href.trim_end_matches('/').rsplit(['/', '=']).next().unwrap_or_default();
    last.len() > 2 && last.eq_ignore_ascii_case(name) && leads(href) != Leads::Act
}

fn path(href: &str) -> &str {
    let path = href
        .split_once("://")
        .map_or(href, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    path.split(['?', '#']).next().unwrap_or_default().trim_start_matches('.').trim_matches('/')
}

/// Titles within a path are no words.
fn is_short(part: &&str) -> bool {
    part.bytes().filter(|&byte| matches!(byte, b'-' | b'_' | b'+')).count() < 3
}

fn of_word(word: &str) -> Leads {
    let mut buffer = [0; MAX_WORD];
    let Some(lower) = buffer.get_mut(..word.len()) else { return Leads::Other };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"vendor" | b"vendors" | b"user" | b"users" | b"seller" | b"sellers" | b"u" | b"member" | b"profile"
        | b"profiles" | b"merchant" | b"store" | b"stores" | b"shop" | b"shops" | b"author" | b"username" => {
            Leads::Person
        }
        b"product" | b"products" | b"item" | b"items" | b"listing" | b"offer" | b"goods" | b"viewproduct" | b"ad" => {
            Leads::Goods
        }
        b"category" | b"categories" | b"cat" | b"catid" | b"subcategory" => Leads::Category,
        b"page" | b"sort" | b"filter" | b"orderby" => Leads::Page,
        b"message" | b"messages" | b"newmsg" | b"msg" | b"report" | b"addfavorite" | b"favorite" | b"favorites"
        | b"block" | b"addblock" | b"feedback" | b"search" | b"logout" | b"login" | b"register" | b"image" | b"img"
        | b"settab" | b"setusertab" | b"order" | b"cart" | b"buy" | b"wallet" | b"balance" => Leads::Act,
        _ => Leads::Other,
    }
}

/// The parts of a word in which capitals or signs begin new words: `viewProduct` is two.
fn camel(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let mut before = ' ';
        let end = rest.char_indices().find(|&(_, c)| {
            let breaks = !c.is_alphanumeric() || before.is_lowercase() && c.is_uppercase();
            before = c;
            breaks
        });
        let (word, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_where_an_address_leads() {
        for (href, expect) in [
            ("/u/keeper", Leads::Person),
            ("contactMember?member=keeper", Leads::Person),
            ("http://shop.example.com/vendor/x#p", Leads::Person),
            ("/profile.php?user=3", Leads::Person),
            ("/harbour/user/3c1", Leads::Person),
            ("/item/user", Leads::Goods),
            ("./viewProduct?offer=11", Leads::Goods),
            ("/p/a8f3c1", Leads::Goods),
            ("/category/categories/2/price_asc", Leads::Category),
            ("/message/new/keeper", Leads::Act),
            ("/user/keeper/feedback", Leads::Act),
            ("/x/the-user-handbook-x1", Leads::Other),
            ("/", Leads::Other),
        ] {
            assert_eq!(leads(href), expect, "{href}");
        }
        assert!(is_named_by("/y/Otto", "otto") && !is_named_by("/message/otto", "otto"));
    }
}
