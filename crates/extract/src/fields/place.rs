use std::{collections::HashSet, sync::LazyLock};

/// The longest name of a place, in bytes.
const MAX_NAME: usize = 60;

/// More places than this on one line are no list of destinations.
const MAX_PLACES: usize = 300;

/// Countries and what stands in their place, in lower case: English names, then Dutch, German and Russian ones where they differ, then codes that
/// sites use, then regions.
const PLACES: &str = "afghanistan|albania|algeria|andorra|angola|antigua and barbuda|argentina|armenia|aruba|australia|austria|azerbaijan|bahamas|\
bahrain|bangladesh|barbados|belarus|belgium|belize|benin|bermuda|bhutan|bolivia|bosnia and herzegovina|bosnia|botswana|brazil|brunei|bulgaria|\
burkina faso|burundi|cambodia|cameroon|canada|cape verde|chad|chile|china|colombia|congo|costa rica|croatia|cuba|curacao|cyprus|czech republic|\
czechia|denmark|djibouti|dominica|dominican republic|ecuador|egypt|el salvador|england|eritrea|estonia|ethiopia|fiji|finland|france|gabon|gambia|\
georgia|germany|ghana|gibraltar|great britain|greece|greenland|grenada|guatemala|guinea|guyana|haiti|holland|honduras|hong kong|hungary|iceland|\
india|indonesia|iran|iraq|ireland|isle of man|israel|italy|ivory coast|jamaica|japan|jersey|jordan|kazakhstan|kenya|kosovo|kuwait|kyrgyzstan|laos|\
latvia|lebanon|lesotho|liberia|libya|liechtenstein|lithuania|luxembourg|macau|macedonia|madagascar|malawi|malaysia|maldives|mali|malta|mauritania|\
mauritius|mexico|moldova|monaco|mongolia|montenegro|morocco|mozambique|myanmar|namibia|nepal|netherlands|the netherlands|new zealand|nicaragua|\
niger|nigeria|north korea|north macedonia|northern ireland|norway|oman|pakistan|palestine|panama|papua new guinea|paraguay|peru|philippines|poland|\
portugal|puerto rico|qatar|romania|russia|russian federation|rwanda|saudi arabia|scotland|senegal|serbia|seychelles|sierra leone|singapore|\
slovakia|slovenia|somalia|south africa|south korea|korea|spain|sri lanka|sudan|suriname|sweden|switzerland|syria|taiwan|tajikistan|tanzania|\
thailand|togo|trinidad and tobago|tunisia|turkey|turkmenistan|uganda|ukraine|united arab emirates|united kingdom|united states|\
united states of america|uruguay|uzbekistan|vatican|venezuela|vietnam|wales|yemen|zambia|zimbabwe|\
nederland|belgië|duitsland|frankrijk|spanje|verenigd koninkrijk|verenigde staten|polen|oostenrijk|zwitserland|italië|denemarken|zweden|noorwegen|\
tsjechië|turkije|rusland|oekraïne|hongarije|roemenië|bulgarije|griekenland|ierland|finland|luxemburg|\
niederlande|belgien|deutschland|frankreich|spanien|vereinigtes königreich|grossbritannien|großbritannien|vereinigte staaten|usa|österreich|schweiz|\
italien|dänemark|schweden|norwegen|tschechien|türkei|russland|ungarn|rumänien|bulgarien|griechenland|irland|finnland|\
россия|украина|беларусь|белоруссия|казахстан|германия|нидерланды|голландия|бельгия|франция|испания|италия|польша|великобритания|англия|сша|китай|\
молдова|грузия|армения|латвия|литва|эстония|финляндия|швеция|норвегия|австрия|швейцария|чехия|турция|москва|санкт-петербург|\
us|uk|gb|nl|de|be|fr|es|it|ca|au|at|ch|pl|cz|se|no|dk|fi|ie|pt|gr|hu|ro|bg|cn|in|nz|ru|ua|za|br|mx|jp|ger|ned|aus|eng|swe|fra|bel|can|uae|u.s|u.s.a|u.k|\
worldwide|world wide|world|ww|whole world|anywhere|everywhere|international|global|internet|online|digital|undeclared|unknown|unspecified|domestic|\
domestic only|europe|european union|eu|eea|western europe|eastern europe|africa|asia|antarctica|oceania|north america|south america|\
latin america|central america|middle east|scandinavia|benelux|balkans|americas|rest of the world|rest of world|\
wereldwijd|europa|europese unie|binnenland|weltweit|europäische union|eu-weit|весь мир|по всему миру|европа|снг|torland|earth";

static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| PLACES.split('|').collect());

/// Signs that stand between where goods come from and where they go.
const ARROWS: &[&str] = &["→", "⇒", "➔", "➜", "➡", "⟶", "->", "=>", "»"];

/// Whether a text names one place that is known.
pub(super) fn is_place(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.');
    let bare = text.split(['(', '[']).next().unwrap_or_default().trim();
    let is_known = |name: &str| {
        let lower = name.to_lowercase();
        // Letters alone are words in small letters: `no`, `in`, `it`.
        KNOWN.contains(lower.as_str())
            && (name.len() > 3 || !name.is_ascii() || name.chars().all(|c| c.is_ascii_uppercase() || c == '.'))
    };
    let except = || bare.split_once(" except ").is_some_and(|(place, _)| is_known(place.trim()));
    bare.len() <= MAX_NAME && (is_known(bare) || except())
}

/// The names of places in a list, as shown, and whether all of them are known.
pub(super) fn places(text: &str) -> Option<(Vec<String>, bool)> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split([',', ';', '|', '\n', '\t', '•']).map(tidy).filter(|part| !part.is_empty()) {
        if names.len() >= MAX_PLACES || part.len() > MAX_NAME && !part.contains('/') {
            return None;
        }
        names.extend(parts(part).into_iter().map(str::to_owned));
    }
    let all_known = names.iter().all(|name| is_place(name));
    (!names.is_empty()).then_some((names, all_known))
}

/// One name, or several that a word or stroke joins where each of them is known: `Trinidad and Tobago` is one.
fn parts(name: &str) -> Vec<&str> {
    if !is_place(name) {
        for joint in [" and ", " & ", " / ", "/", " + ", " en ", " und ", " и "] {
            let parts: Vec<&str> = name.split(joint).map(tidy).collect();
            if parts.len() > 1 && parts.iter().all(|part| is_place(part)) {
                return parts;
            }
        }
    }
    vec![name]
}

fn tidy(name: &str) -> &str {
    let name = name.trim().trim_end_matches('.').trim();
    name.strip_prefix("and ").unwrap_or(name)
}

/// What stands before and behind an arrow.
pub(super) fn around_arrow(text: &str) -> Option<(&str, &str)> {
    let (from, to) = ARROWS.iter().find_map(|arrow| text.split_once(arrow))?;
    let (from, to) = (from.trim(), to.trim());
    (!from.is_empty() && !to.is_empty()).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, names: &[&str], all_known: bool) {
        let (found, known) = places(text).unwrap();
        assert_eq!((found, known), (names.iter().map(ToString::to_string).collect(), all_known), "{text}");
    }

    #[test]
    fn lists_are_parted_where_places_meet() {
        check("Worldwide", &["Worldwide"], true);
        check("Austria, Belgium and Poland", &["Austria", "Belgium", "Poland"], true);
        check("Trinidad and Tobago; US/UK", &["Trinidad and Tobago", "US", "UK"], true);
        check("World Wide, Antarctica(c)", &["World Wide", "Antarctica(c)"], true);
        check("Nederland, Duitsland en België", &["Nederland", "Duitsland", "België"], true);
        check("Worldwide except Oceania", &["Worldwide except Oceania"], true);
        check("Narnia", &["Narnia"], false);
        assert_eq!(places(" , "), None);
        assert_eq!(places(&"a very long sentence without any end ".repeat(3)), None);
    }

    #[test]
    fn short_words_are_no_codes() {
        assert!(
            is_place("US")
                && is_place("U.S.")
                && is_place("сша")
                && !is_place("in")
                && !is_place("no")
                && !is_place("It")
        );
    }

    #[test]
    fn arrows_part_from_and_to() {
        assert_eq!(around_arrow("GER → WW"), Some(("GER", "WW")));
        assert_eq!(around_arrow("US -> US, CA"), Some(("US", "US, CA")));
        assert_eq!(around_arrow("→ US"), None);
    }
}
