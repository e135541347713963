//! What people see. Text that came from a site never reaches a terminal with its control characters.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where the command line speaks")]

use std::io::IsTerminal as _;

use serde_json::Value;

use crate::failure::Failure;

/// One line on standard error.
pub(crate) fn problem(failure: &Failure) {
    eprintln!("nachtwacht: {}", harmless(&failure.to_string()));
}

/// A remark on standard error, beside what goes to a file.
pub(crate) fn note(text: &str) {
    eprintln!("{}", harmless(text));
}

/// One line, or several.
pub(crate) fn line(text: &str) {
    println!("{}", harmless(text));
}

/// A script for a program that runs it: it is ours, and goes out as it is.
pub(crate) fn script(text: &str) {
    print!("{text}");
}

/// JSON, for programs.
pub(crate) fn json(value: &Value) {
    println!("{value}");
}

/// A table with aligned columns.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| harmless(cell).replace('\n', " ")).collect()).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).chain([head[column].len()]).max()
    };
    let widths: Vec<usize> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let print = |cells: &[String]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    print(&head.iter().map(|&name| name.to_uppercase()).collect::<Vec<_>>());
    for row in &rows {
        print(row);
    }
}

/// A bar of progress on standard error, where that is a terminal.
pub(crate) struct Bar {
    what: &'static str,
    shown: Option<u64>,
}

impl Bar {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, shown: None }
    }

    /// Draws it anew when it has moved by a hundredth.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        const WIDTH: u64 = 40;
        let percent = (done.saturating_mul(100)).checked_div(total).unwrap_or(100).min(100);
        if self.shown == Some(percent) || !std::io::stderr().is_terminal() {
            return;
        }
        self.shown = Some(percent);
        let full = usize::try_from(percent * WIDTH / 100).unwrap_or(0);
        let empty = usize::try_from(WIDTH).unwrap_or(0) - full;
        eprint!("\r{} [{}{}] {percent:3} %", self.what, "#".repeat(full), " ".repeat(empty));
    }

    /// Takes it away.
    pub(crate) fn clear(&mut self) {
        if self.shown.take().is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// Clears the screen, where there is one.
pub(crate) fn clear() {
    if std::io::stdout().is_terminal() {
        print!("\x1b[2J\x1b[H");
    }
}

/// `text` with the character ranges of `highlights` set off: bold on a terminal, between asterisks elsewhere.
pub(crate) fn highlighted(text: &str, highlights: &[(usize, usize)]) -> String {
    let (on, off) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("*", "*") };
    let mut out = String::new();
    for (at, char) in text.chars().enumerate() {
        if highlights.iter().any(|&(start, _)| start == at) {
            out.push_str(on);
        }
        out.push(harmless_char(char));
        if highlights.iter().any(|&(_, end)| end == at + 1) {
            out.push_str(off);
        }
    }
    out
}

/// Prints text that is harmless already, highlights and all.
pub(crate) fn prepared(text: &str) {
    println!("{text}");
}

/// Without what could command a terminal, or turn the direction of writing.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(harmless_char).collect()
}

fn harmless_char(char: char) -> char {
    let turns_direction = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    if (char.is_control() && char != '\n' && char != '\t') || turns_direction { '\u{fffd}' } else { char }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_cannot_command_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\u{202e}c\td\n\u{9b}"), "a\u{fffd}[2Jb\u{fffd}c\td\n\u{fffd}");
    }

    #[test]
    fn highlights_are_set_off_by_character() {
        assert_eq!(highlighted("één \x1bappel", &[(0, 3), (5, 10)]), "*één* \u{fffd}*appel*");
    }
}
