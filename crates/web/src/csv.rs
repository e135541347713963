//! Answers as tables for spreadsheets: CSV as RFC 4180 has it, in UTF-8, as an attachment.

use std::str::FromStr;

use axum::{
    Json,
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

/// Tells a program that reads a table what to give as `from` for the next page, percent-encoded.
const NEXT: HeaderName = HeaderName::from_static("nachtwacht-next");

/// What an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// Everything, as data.
    #[default]
    Json,
    /// What is listed, as a table.
    Csv,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "csv" => Ok(Self::Csv),
            _ => Err("there are json and csv"),
        }
    }
}

/// The names of the columns, and a row for each thing that is listed.
pub(crate) struct Table {
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

/// Something that has a list in it.
pub(crate) trait Listed: Serialize {
    /// What the file is called, without its ending.
    const NAME: &'static str;

    /// The list.
    fn table(&self) -> Table;

    /// What the next page begins with, if there is one.
    fn next(&self) -> Option<String>;
}

impl Format {
    /// Writes an answer.
    pub(crate) fn answer<T: Listed>(self, value: &T) -> Response {
        if self == Self::Json {
            return Json(value).into_response();
        }
        let mut response = written(&value.table()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
        let disposition = format!("attachment; filename=\"{}.csv\"", T::NAME);
        headers.extend(HeaderValue::try_from(disposition).ok().map(|value| (CONTENT_DISPOSITION, value)));
        let encoded = |next: String| url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>();
        let next = value.next().and_then(|next| HeaderValue::try_from(encoded(next)).ok());
        headers.extend(next.map(|next| (NEXT, next)));
        response
    }
}

fn written(table: &Table) -> String {
    let head: Vec<String> = table.columns.iter().map(|&name| name.to_owned()).collect();
    [&head].into_iter().chain(&table.rows).map(|values| row(values)).collect()
}

/// A row of a table, with its end.
pub(crate) fn row<T: AsRef<str>>(values: &[T]) -> String {
    let cells: Vec<String> = values.iter().map(|value| cell(value.as_ref())).collect();
    cells.join(",") + "\r\n"
}

/// A value as it may stand in a table. Spreadsheets run what begins like a formula, so that gets an apostrophe before it, and sites write values.
fn cell(value: &str) -> String {
    let is_formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let value = if is_formula { format!("'{value}") } else { value.to_owned() };
    // NUL ends the text for some readers.
    let value = value.replace('\0', "\u{fffd}");
    if value.contains([',', '"', '\r', '\n', ';', '\'']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_a_formula_or_another_cell() {
        for (value, expect) in [
            ("plain", "plain"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+31612345678", "\"'+31612345678\""),
            ("-1", "\"'-1\""),
            ("@handle", "\"'@handle\""),
            ("a,b", "\"a,b\""),
            ("a\r\n=b", "\"a\r\n=b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("a\0b", "a\u{fffd}b"),
            ("", ""),
        ] {
            assert_eq!(cell(value), expect);
        }
    }

    /// Reads a table as RFC 4180 says.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut value) = (Vec::new(), Vec::new(), String::new());
        let mut is_quoted = false;
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if is_quoted && letters.peek() == Some(&'"') => value.extend(letters.next()),
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => row.push(std::mem::take(&mut value)),
                '\r' if !is_quoted => {}
                '\n' if !is_quoted => {
                    row.push(std::mem::take(&mut value));
                    rows.push(std::mem::take(&mut row));
                }
                letter => value.push(letter),
            }
        }
        rows
    }

    #[test]
    fn any_table_reads_back() {
        let rows = [["a,\"b\"\n", "'"], ["\r\n", "x;y"], ["", "é"]].map(|row| row.map(str::to_owned).to_vec());
        let read = read(&written(&Table { columns: &["one", "two"], rows: rows.to_vec() }));
        assert_eq!(read[0], ["one", "two"]);
        assert_eq!(read[1], ["a,\"b\"\n", "'"]);
        assert_eq!(read[2], ["'\r\n", "x;y"], "what begins with a line break is set off too");
        assert_eq!(read[3], ["", "é"]);
    }
}
