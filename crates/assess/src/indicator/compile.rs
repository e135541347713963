use std::collections::{HashMap, HashSet};

use model::{
    Language,
    words::{MAX_WORD_CHARS, Words},
};
use regex::{Regex, RegexBuilder};

use super::{
    Indicator, example,
    raw::{RawCondition, RawIndicator},
};
use crate::{
    InvalidIndicator,
    condition::{Condition, Place, Term, Test, listed, manner, shortened},
    decimal::Decimal,
    field::{PriceField, TextField},
    observable,
    vocabulary::Form,
};

/// The longest name, in characters, and the longest sentence.
const MAX_NAME: usize = 64;
const MAX_WHY: usize = 1_000;
/// Conditions, patterns among them, and examples of one indicator.
const MAX_CONDITIONS: usize = 1_000;
const MAX_PATTERNS: usize = 100;
pub(super) const MAX_EXAMPLES: usize = 1_000;
/// Terms of one indicator, words of one term, and terms that are near each other.
const MAX_TERMS: usize = 20_000;
const MAX_TERM_WORDS: usize = 20;
const MAX_NEAR: usize = 8;
/// The greatest distance, in words.
const MAX_DISTANCE: u32 = 200;
/// Values of one indicator.
const MAX_VALUES: usize = 100_000;
/// The longest pattern in bytes, and the memory that it may take when it is compiled and while it runs.
const MAX_PATTERN: usize = 1_000;
const MAX_PROGRAM: usize = 256 << 10;
const MAX_DFA: usize = 1 << 20;
/// The greatest weight either way, and the greatest threshold.
const MAX_WEIGHT: i64 = 1_000;
const MAX_THRESHOLD: i64 = 1_000_000;

type Compiled<T> = Result<T, InvalidIndicator>;

/// Makes an indicator of what was written.
pub(super) fn indicator(raw: RawIndicator) -> Compiled<Indicator> {
    let RawIndicator { name, why, threshold, all, any, none, example } = raw;
    let at = At { indicator: &name, place: String::new() };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(is_plain) {
        return at.key("name").err(format!("is not made of a-z, 0-9 and `-`, at most {MAX_NAME} of them"));
    }
    if why.trim().is_empty() || why.chars().count() > MAX_WHY {
        return at.key("why").err(format!("is no sentence of 1 to {MAX_WHY} characters"));
    }
    let threshold = threshold.unwrap_or(1);
    if !(1..=MAX_THRESHOLD).contains(&threshold) {
        return at.key("threshold").err(format!("is not between 1 and {MAX_THRESHOLD}"));
    }
    if all.is_empty() && any.is_empty() {
        return at.key("all").err("is empty, and so is `any`: nothing could hold");
    }
    if all.len() + any.len() + none.len() > MAX_CONDITIONS {
        return at.key("any").err(format!("is too long: an indicator has at most {MAX_CONDITIONS} conditions"));
    }
    let mut compiler =
        Compiler { name: &name, forms: Vec::new(), known: HashMap::new(), terms: 0, patterns: 0, values: 0 };
    let all = compiler.conditions("all", all)?;
    let any = compiler.conditions("any", any)?;
    let none = compiler.conditions("none", none)?;
    let reachable: i64 = all.iter().map(|condition| condition.weight).sum::<i64>()
        + any.iter().map(|condition| condition.weight.max(0)).sum::<i64>();
    if reachable < threshold {
        return at
            .key("threshold")
            .err(format!("is {threshold}, but all weights together come to {reachable} at most"));
    }
    let forms = compiler.forms;
    let examples = example::examples(example, &at)?;
    Ok(Indicator { why: why.trim().to_owned(), threshold, forms, all, any, none, examples, name })
}

/// A place in an indicator, for errors.
pub(super) struct At<'a> {
    indicator: &'a str,
    place: String,
}

impl<'a> At<'a> {
    /// This key of the place.
    pub(super) fn key(&self, key: &str) -> At<'a> {
        let place = if self.place.is_empty() { format!("`{key}`") } else { format!("{}: `{key}`", self.place) };
        At { indicator: self.indicator, place }
    }

    /// One of the tables of a list, by its number from 1.
    pub(super) fn numbered(&self, list: &str, number: usize) -> At<'a> {
        At { indicator: self.indicator, place: format!("{list} {number}") }
    }

    pub(super) fn err<T>(&self, what: impl Into<String>) -> Compiled<T> {
        Err(self.error(what))
    }

    pub(super) fn error(&self, what: impl Into<String>) -> InvalidIndicator {
        InvalidIndicator::Rule {
            indicator: self.indicator.chars().take(MAX_NAME).collect(),
            place: self.place.clone(),
            what: what.into(),
        }
    }
}

struct Compiler<'a> {
    name: &'a str,
    forms: Vec<Form>,
    /// Where each form stands among them.
    known: HashMap<Form, usize>,
    terms: usize,
    patterns: usize,
    values: usize,
}

impl Compiler<'_> {
    fn conditions(&mut self, list: &str, raw: Vec<RawCondition>) -> Compiled<Vec<Condition>> {
        let numbered = (1..).zip(raw);
        numbered
            .map(|(number, raw)| {
                let at = At { indicator: self.name, place: format!("{list} {number}") };
                if list == "none" && raw.weight.is_some() {
                    return at.key("weight").err("says nothing under `none`, where one condition that holds is enough");
                }
                self.condition(raw, &at)
            })
            .collect()
    }

    fn condition(&mut self, raw: RawCondition, at: &At<'_>) -> Compiled<Condition> {
        let (subject, allowed): (_, &[&str]) = match raw.subjects()[..] {
            ["terms"] => ("terms", &["language", "exact", "place"]),
            ["near"] => ("near", &["language", "exact", "place", "distance"]),
            ["pattern"] => ("pattern", &["place"]),
            ["observable"] => ("observable", &["grade", "values"]),
            ["field"] => ("field", &["is", "above", "below", "currency"]),
            ["kind"] => ("kind", &[]),
            ["page_language"] => ("page_language", &[]),
            [] => {
                return at
                    .err("has none of `terms`, `stems`, `near`, `pattern`, `observable`, `field`, `kind` and `page_language`");
            }
            ref several => return at.err(format!("has {} at once; make a condition of each", several.join(" and "))),
        };
        if let Some(stray) = raw.details().into_iter().find(|detail| !allowed.contains(detail)) {
            return at.key(stray).err(format!("does not go with `{subject}`"));
        }
        let default = i64::from(!matches!(subject, "kind" | "page_language"));
        let weight = raw.weight.unwrap_or(default);
        if !(-MAX_WEIGHT..=MAX_WEIGHT).contains(&weight) {
            return at.key("weight").err(format!("is not between -{MAX_WEIGHT} and {MAX_WEIGHT}"));
        }
        let (test, says) = match subject {
            "terms" => self.terms(raw, at)?,
            "near" => self.near(raw, at)?,
            "pattern" => self.pattern(&raw, at)?,
            "observable" => self.observable(raw, at)?,
            "field" => self.field(raw, at)?,
            "kind" => page_kind(raw, at)?,
            _ => page_language(raw, at)?,
        };
        Ok(Condition { says: shortened(says), weight, test })
    }

    fn terms(&mut self, raw: RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
        let (own, places, whereabouts) = (language(&raw, at)?, places(&raw, at)?, whereabouts(&raw));
        let mut lists = Vec::new();
        match raw.terms {
            Some(written) => lists.push((own, filled(Some(written), &at.key("terms"))?)),
            None if raw.language.is_some() => return at.key("language").err("goes with `terms`; `stems` name theirs"),
            None => {}
        }
        for (code, written) in raw.stems.unwrap_or_default() {
            let at = at.key("stems");
            lists.push((Some(stemmed(&code, &at)?), filled(Some(written), &at)?));
        }
        let mut terms = Vec::new();
        for (language, written) in &lists {
            terms.extend(self.compiled_terms(written, *language, &at.key("terms"))?);
        }
        if terms.is_empty() {
            return at.key("stems").err("is an empty list");
        }
        let told = lists.iter().map(|(language, written)| format!("{} ({})", listed(written, "or"), manner(*language)));
        let noun = if terms.len() == 1 { "term" } else { "one of the terms" };
        let says = format!("{noun} {}{whereabouts}", told.collect::<Vec<_>>().join(" or "));
        Ok((Test::Terms { terms, places }, says))
    }

    fn near(&mut self, raw: RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
        let (language, places, whereabouts) = (language(&raw, at)?, places(&raw, at)?, whereabouts(&raw));
        let written = filled(raw.near, &at.key("near"))?;
        if !(2..=MAX_NEAR).contains(&written.len()) {
            return at.key("near").err(format!("has {} terms; expected 2 to {MAX_NEAR}", written.len()));
        }
        let Some(distance) = raw.distance.filter(|distance| (1..=MAX_DISTANCE).contains(distance)) else {
            return at.key("distance").err(format!("is missing or not between 1 and {MAX_DISTANCE} words"));
        };
        let terms = self.compiled_terms(&written, language, &at.key("near"))?;
        if terms.iter().collect::<HashSet<_>>().len() < terms.len() {
            return at.key("near").err("names a term twice, which is always near itself");
        }
        let says = format!("{} within {distance} words ({}){whereabouts}", listed(&written, "and"), manner(language));
        Ok((Test::Near { terms, distance, places }, says))
    }

    fn compiled_terms(&mut self, written: &[String], language: Option<Language>, at: &At<'_>) -> Compiled<Vec<Term>> {
        self.terms += written.len();
        if self.terms > MAX_TERMS {
            return at.err(format!("is too long: an indicator has at most {MAX_TERMS} terms"));
        }
        written.iter().map(|term| self.term(term, language, at)).collect()
    }

    fn term(&mut self, written: &str, language: Option<Language>, at: &At<'_>) -> Compiled<Term> {
        let mut term = Term::new();
        let mut words = Words::of(written);
        while let Some(word) = words.advance() {
            let Some(folded) = word.folded else {
                return at.err(format!("has a word of more than {MAX_WORD_CHARS} characters"));
            };
            let word = language.map_or_else(|| folded.into(), |language| language.stem(folded)).into_owned();
            term.push(self.form(Form { language, word }));
        }
        match term.len() {
            0 => at.err(format!("has \"{}\", which has no letter and no digit", shown(written))),
            1..=MAX_TERM_WORDS => Ok(term),
            words => at.err(format!("has a term of {words} words; at most {MAX_TERM_WORDS} are looked for")),
        }
    }

    fn form(&mut self, form: Form) -> usize {
        *self.known.entry(form).or_insert_with_key(|form| {
            self.forms.push(form.clone());
            self.forms.len() - 1
        })
    }

    fn pattern(&mut self, raw: &RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
        let (places, whereabouts) = (places(raw, at)?, whereabouts(raw));
        let written = raw.pattern.as_deref().unwrap_or_default();
        let at = at.key("pattern");
        self.patterns += 1;
        if written.is_empty() || written.len() > MAX_PATTERN {
            return at.err(format!("has {} bytes; expected 1 to {MAX_PATTERN}", written.len()));
        }
        if self.patterns > MAX_PATTERNS {
            return at.err(format!("is one too many: an indicator has at most {MAX_PATTERNS}"));
        }
        let pattern =
            RegexBuilder::new(written).size_limit(MAX_PROGRAM).dfa_size_limit(MAX_DFA).build().map_err(|source| {
                InvalidIndicator::Pattern {
                    indicator: at.indicator.to_owned(),
                    place: at.place.clone(),
                    source: Box::new(source),
                }
            })?;
        if Regex::is_match(&pattern, "") {
            return at.err("matches where nothing stands");
        }
        Ok((Test::Pattern { pattern, places }, format!("pattern {written}{whereabouts}")))
    }

    fn observable(&mut self, raw: RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
        let Some(kind) = raw.observable else { return at.err("has no `observable`") };
        let grade = raw.grade.unwrap_or(model::Grade::ShapeOnly);
        let values = raw.values.map(|values| filled(Some(values), &at.key("values"))).transpose()?;
        self.values += values.as_ref().map_or(0, Vec::len);
        self.limit_values(&at.key("values"))?;
        let named = match values.as_deref() {
            None => format!("observable {kind}"),
            Some(values) => format!("observable {kind} {}", listed(values, "or")),
        };
        let surety = match grade {
            model::Grade::ShapeOnly => "",
            model::Grade::Contextual => ", told by what stands beside it or verified",
            model::Grade::Verified => ", verified",
        };
        let values = values.map(|values| values.iter().map(|value| observable::key(kind, value)).collect());
        Ok((Test::Observable { kind, grade, values }, format!("{named}{surety}")))
    }

    fn limit_values(&self, at: &At<'_>) -> Compiled<()> {
        if self.values > MAX_VALUES {
            return at.err(format!("is too long: an indicator has at most {MAX_VALUES} values"));
        }
        Ok(())
    }

    fn field(&mut self, raw: RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
        let name = raw.field.clone().unwrap_or_default();
        if let Some(field) = PriceField::of_name(&name) {
            return price(field, &raw, at);
        }
        let Some(field) = TextField::of_name(&name) else {
            let known = PriceField::ALL.map(PriceField::name).into_iter().chain(TextField::ALL.map(TextField::name));
            let known: Vec<&str> = known.collect();
            return at.key("field").err(format!("is none of {}", known.join(", ")));
        };
        if raw.above.is_some() || raw.below.is_some() || raw.currency.is_some() {
            return at.key("field").err(format!("{name} holds text, which has no amounts; use `is`"));
        }
        let written = filled(raw.is, &at.key("is"))?;
        self.values += written.len();
        self.limit_values(&at.key("is"))?;
        let says = format!("{name} is {}", listed(&written, "or"));
        let values = written.iter().map(|value| words_of(value, &at.key("is"))).collect::<Compiled<_>>()?;
        Ok((Test::Is { field, values }, says))
    }
}

fn price(field: PriceField, raw: &RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
    if raw.is.is_some() {
        return at
            .key("is")
            .err(format!("does not go with {}, which is an amount; use `above` or `below`", field.name()));
    }
    let above = bound(raw.above.as_ref(), &at.key("above"))?;
    let below = bound(raw.below.as_ref(), &at.key("below"))?;
    let Some(currency) = raw.currency.clone().filter(|currency| !currency.trim().is_empty()) else {
        return at.key("currency").err("is missing: amounts are compared in one currency, such as \"EUR\"");
    };
    let bounds: Vec<String> = [("above", &above), ("below", &below)]
        .into_iter()
        .filter_map(|(word, bound)| bound.as_ref().map(|bound| format!("{word} {bound}")))
        .collect();
    if bounds.is_empty() {
        return at.err("has neither `above` nor `below`");
    }
    if let (Some(above), Some(below)) = (&above, &below)
        && above >= below
    {
        return at.key("below").err("is not more than `above`: no price lies between them");
    }
    let says = format!("{} {} {currency}", field.name(), bounds.join(" and "));
    Ok((Test::Price { field, above, below, currency }, says))
}

fn bound(value: Option<&toml::Value>, at: &At<'_>) -> Compiled<Option<Decimal>> {
    let written = match value {
        None => return Ok(None),
        Some(toml::Value::Integer(whole)) => whole.to_string(),
        Some(toml::Value::String(written)) => written.clone(),
        Some(_) => return at.err("is no amount; write a whole number, or decimals in quotes: \"99.50\""),
    };
    match Decimal::parse(&written) {
        Some(amount) => Ok(Some(amount)),
        None => at.err(format!("is \"{}\"; expected digits, with a point before decimals", shown(&written))),
    }
}

fn page_kind(raw: RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
    let kinds = filled(raw.kind, &at.key("kind"))?;
    let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let says = format!("page kind {}", names.join(" or "));
    Ok((Test::Kind(kinds), says))
}

fn page_language(raw: RawCondition, at: &At<'_>) -> Compiled<(Test, String)> {
    let at = at.key("page_language");
    let languages = filled(raw.page_language, &at)?;
    let is_code = |code: &String| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if let Some(language) = languages.iter().find(|language| !is_code(language)) {
        return at.err(format!("has \"{}\"; expected codes of ISO 639-3 such as \"nld\"", shown(language)));
    }
    let says = format!("page language {}", languages.join(" or "));
    Ok((Test::PageLanguage(languages), says))
}

/// The language by whose stems terms are compared; `None` for words as they are.
fn language(raw: &RawCondition, at: &At<'_>) -> Compiled<Option<Language>> {
    let Some(code) = raw.language.as_deref() else {
        return match raw.exact {
            Some(_) => at.key("exact").err("needs a `language`; without one, terms are exact"),
            None => Ok(None),
        };
    };
    let language = stemmed(code, &at.key("language"))?;
    Ok(Some(language).filter(|_| raw.exact != Some(true)))
}

/// The language of a code.
fn stemmed(code: &str, at: &At<'_>) -> Compiled<Language> {
    Language::of_code(code).ok_or_else(|| {
        let known: Vec<&str> = Language::codes().collect();
        at.error(format!("has \"{}\", whose words cannot be stemmed; known are {}", shown(code), known.join(", ")))
    })
}

fn places(raw: &RawCondition, at: &At<'_>) -> Compiled<Vec<Place>> {
    match raw.place.as_deref() {
        None => Ok(Place::PAGE.into()),
        Some(name) => Place::of_name(name).ok_or_else(|| {
            let known: Vec<&str> = TextField::ALL.map(TextField::name).into();
            at.key("place").error(format!("is none of title, text, topic, {}", known.join(", ")))
        }),
    }
}

/// Where a condition looks, for its sentence.
fn whereabouts(raw: &RawCondition) -> String {
    raw.place.as_ref().map(|place| format!(" in {place}")).unwrap_or_default()
}

/// A list with something in it.
fn filled<T>(list: Option<Vec<T>>, at: &At<'_>) -> Compiled<Vec<T>> {
    match list {
        Some(list) if !list.is_empty() => Ok(list),
        Some(_) => at.err("is an empty list"),
        None => at.err("is missing"),
    }
}

/// The folded words of a value that a field is compared with.
fn words_of(value: &str, at: &At<'_>) -> Compiled<Vec<String>> {
    let mut words = Words::of(value);
    let mut all = Vec::new();
    while let Some(word) = words.advance() {
        match word.folded {
            Some(folded) => all.push(folded.to_owned()),
            None => return at.err(format!("has a word of more than {MAX_WORD_CHARS} characters")),
        }
    }
    if all.is_empty() {
        return at.err(format!("has \"{}\", which has no letter and no digit", shown(value)));
    }
    Ok(all)
}

/// What was written, short enough for an error.
fn shown(written: &str) -> String {
    written.chars().take(40).collect()
}
