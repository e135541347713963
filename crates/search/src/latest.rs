//! Of several captures of a page, the latest.

use std::collections::HashMap;

use tantivy::DocId;

use crate::{
    Error,
    budget::Budget,
    matching::Documents,
    schema::{CAPTURED_AT, HAS_CONTENT, URI_HIGH, URI_LOW},
    segment::Segment,
};

/// The entries with content among those given, segment by segment: of each URI the latest that began at `until` or before, and of equals the one with
/// the greatest sequence.
pub(crate) fn latest(
    segments: &[Segment<'_>],
    among: &[Documents],
    until: Option<i64>,
    budget: &Budget,
) -> Result<Vec<Documents>, Error> {
    let mut newest: HashMap<(u64, u64), ((i64, u64), (usize, DocId))> = HashMap::new();
    for (number, (segment, among)) in segments.iter().zip(among).enumerate() {
        budget.spend(among.len())?;
        let fast = segment.reader.fast_fields();
        let number_of = |field| fast.column_first_or_default::<u64>(field);
        let (high, low, content) = (number_of(URI_HIGH)?, number_of(URI_LOW)?, number_of(HAS_CONTENT)?);
        let times = fast.column_first_or_default::<i64>(CAPTURED_AT)?;
        let is_meant = |id: &DocId| content.get_val(*id) == 1 && until.is_none_or(|until| times.get_val(*id) <= until);
        for id in among.iter().filter(is_meant) {
            let this = ((times.get_val(id), segment.sequences.get_val(id)), (number, id));
            let known = newest.entry((high.get_val(id), low.get_val(id))).or_insert(this);
            if known.0 < this.0 {
                *known = this;
            }
        }
    }
    let mut found: Vec<Documents> = segments.iter().map(|segment| Documents::none(segment.reader.max_doc())).collect();
    for (number, id) in newest.into_values().map(|(_, place)| place) {
        if let Some(found) = found.get_mut(number) {
            found.insert(id);
        }
    }
    Ok(found)
}
