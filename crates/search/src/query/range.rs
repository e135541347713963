//! Ranges of sequences, prices and times. Each value stands for what lies from its start up to its end: a day for 24 hours.

use model::Timestamp;

use super::Clause;
use crate::price;

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// What a range is of.
#[derive(Clone, Copy)]
pub(super) enum Quantity {
    Seq,
    Price,
    Time,
}

/// Numbers from the first on and before the second; without bounds where there are none.
type Bounds = (Option<i128>, Option<i128>);

/// The clause of a value, or of a range in brackets.
pub(super) fn clause(quantity: Quantity, text: &str) -> Option<Clause> {
    let (from, until) = bounds(quantity, text)?;
    let number = |bound: i128| u64::try_from(bound).unwrap_or(u64::MAX);
    Some(match quantity {
        Quantity::Seq => Clause::Seq { from: from.map_or(0, number), until: until.map(number) },
        Quantity::Price => Clause::Price { from: from.map_or(0, number), until: until.map(number) },
        Quantity::Time => {
            let time = |at: i128| i64::try_from(at).ok().map(Timestamp::from_micros);
            let from = from.and_then(time).map(Clause::From);
            Clause::All(from.into_iter().chain(until.and_then(time).map(Clause::Until)).collect())
        }
    })
}

fn bounds(quantity: Quantity, text: &str) -> Option<Bounds> {
    let Some(inner) = text.strip_prefix(['[', '{']) else {
        let (start, end) = interval(quantity, text)?;
        return Some((Some(start), Some(end)));
    };
    let (low, high) = inner.strip_suffix([']', '}'])?.split_once(" TO ")?;
    let bound = |text: &str, takes_start: bool| match text.trim() {
        "*" => Some(None),
        value => interval(quantity, value).map(|(start, end)| Some(if takes_start { start } else { end })),
    };
    Some((bound(low, text.starts_with('['))?, bound(high, text.ends_with('}'))?))
}

/// Where a value begins, and where the next one does.
fn interval(quantity: Quantity, text: &str) -> Option<(i128, i128)> {
    match quantity {
        Quantity::Seq => {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            let start = i128::from(text.parse::<u64>().ok().filter(|_| is_number)?);
            Some((start, start + 1))
        }
        Quantity::Price => price::units(text).map(|start| (i128::from(start), i128::from(start) + 1)),
        Quantity::Time => {
            let upper = text.to_ascii_uppercase();
            let moment = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_micros);
            let whole = moment(&upper).map(|start| (start, 1));
            let (start, length) = whole.or_else(|| Some((moment(&format!("{upper}T00:00:00Z"))?, DAY_US)))?;
            Some((i128::from(start), i128::from(start) + i128::from(length)))
        }
    }
}
