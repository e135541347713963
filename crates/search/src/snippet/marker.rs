use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use model::{Language, words::Words};

use crate::query::Wanted;

/// Finds in a text what a query looks for.
pub(super) struct Marker<'a> {
    wanted: &'a [Wanted<'a>],
    language: Option<Language>,
    /// The stems that are looked for, in the language of the text.
    stems: Vec<String>,
    /// Whether a word has one of these stems: most words of a text come again.
    known: HashMap<String, bool>,
}

/// A wanted word of the text: which one, at which place among all words, where in bytes, and whether it is marked.
struct Met {
    number: usize,
    position: usize,
    range: Range<usize>,
    is_marked: bool,
}

/// Several words that belong together: those that were met last, and how often each.
#[derive(Default)]
struct Together {
    met: VecDeque<Met>,
    held: Vec<usize>,
}

impl<'a> Marker<'a> {
    pub(super) fn of(wanted: &'a [Wanted<'a>], language: Option<Language>) -> Self {
        let stem = |wanted: &Wanted<'a>| match wanted {
            Wanted::Stemmed(word) => language.map(|language| language.stem(word).into_owned()),
            _ => None,
        };
        let stems = wanted.iter().filter_map(stem).collect();
        Self { wanted, language, stems, known: HashMap::new() }
    }

    /// Where it stands, in bytes: in order, and apart from each other.
    pub(super) fn mark(mut self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut together: Vec<Together> = self.wanted.iter().map(|_| Together::default()).collect();
        let mut words = Words::of(text);
        let mut position = 0;
        while let Some(word) = words.advance() {
            let range = word.range;
            if let Some(folded) = word.folded {
                if self.is_wanted_alone(folded) {
                    found.push(range.clone());
                }
                for (wanted, together) in self.wanted.iter().zip(&mut together) {
                    let (words, others) = match wanted {
                        Wanted::Run(words) if words.len() > 1 => (*words, None),
                        Wanted::Near(words, others) if words.len() > 1 => (*words, Some(*others)),
                        _ => continue,
                    };
                    // Words that stand twice among them have the number of the first.
                    if let Some(number) = words.iter().position(|wanted| wanted == folded) {
                        together.met.push_back(Met { number, position, range: range.clone(), is_marked: false });
                        match others {
                            Some(others) => together.mark_near(words, others, &mut found),
                            None => together.mark_run(words, &mut found),
                        }
                    }
                }
            }
            position += 1;
        }
        merged(found)
    }

    /// Whether a single word is what is looked for.
    fn is_wanted_alone(&mut self, folded: &str) -> bool {
        let is_meant = |wanted: &Wanted<'_>| match wanted {
            Wanted::Run([word]) | Wanted::Near([word], _) => word == folded,
            Wanted::Stemmed(word) => *word == folded,
            Wanted::Any(words) => words.contains(folded),
            Wanted::Run(_) | Wanted::Near(..) => false,
        };
        if self.wanted.iter().any(is_meant) {
            return true;
        }
        let Some(language) = self.language.filter(|_| !self.stems.is_empty()) else { return false };
        if let Some(&known) = self.known.get(folded) {
            return known;
        }
        let stem = language.stem(folded);
        let has_stem = self.stems.iter().any(|wanted| *wanted == stem);
        self.known.insert(folded.to_owned(), has_stem);
        has_stem
    }
}

impl Together {
    /// Adds the run that ends with the word that was met last, if there is one.
    fn mark_run(&mut self, words: &[String], found: &mut Vec<Range<usize>>) {
        while self.met.len() > words.len() {
            self.met.pop_front();
        }
        let (Some(first), Some(last)) = (self.met.front(), self.met.back()) else { return };
        let is_run = self.met.len() == words.len() && last.position + 1 == first.position + words.len();
        let number = |word: &String| words.iter().position(|other| other == word);
        if is_run && self.met.iter().map(|met| Some(met.number)).eq(words.iter().map(number)) {
            found.push(first.range.start..last.range.end);
        }
    }

    /// Adds the words that were met in a stretch that holds all of them and ends with the last.
    fn mark_near(&mut self, words: &[String], others: u32, found: &mut Vec<Range<usize>>) {
        let longest = words.len() + usize::try_from(others).unwrap_or(usize::MAX / 2);
        self.held.resize(words.len(), 0);
        let Some(last) = self.met.back().map(|last| (last.number, last.position)) else { return };
        let mut count = |number: usize, change: fn(usize) -> usize| {
            if let Some(held) = self.held.get_mut(number) {
                *held = change(*held);
            }
        };
        count(last.0, |held| held + 1);
        while let Some(first) = self.met.pop_front_if(|first| last.1 - first.position >= longest) {
            count(first.number, |held| held.saturating_sub(1));
        }
        let is_held = |(number, held): (usize, &usize)| {
            let times = words.iter().filter(|word| Some(*word) == words.get(number)).count();
            let is_first = words.iter().position(|word| Some(word) == words.get(number)) == Some(number);
            !is_first || *held >= times
        };
        if self.held.iter().enumerate().all(is_held) {
            // Whatever stands before one that is marked is marked too.
            for met in self.met.iter_mut().rev().take_while(|met| !met.is_marked) {
                met.is_marked = true;
                found.push(met.range.clone());
            }
        }
    }
}

/// The ranges in order, those that overlap as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}
