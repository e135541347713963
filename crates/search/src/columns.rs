//! Numbers that the index keeps of each entry, read for many entries at a time.

use std::sync::Arc;

use tantivy::{
    DocId, SegmentReader,
    columnar::{Cardinality, Column, ColumnValues, DynamicColumn, HasAssociatedColumnType},
};

use crate::matching::Documents;

/// The numbers of a field, one for each entry; the default where there is none.
pub(crate) fn numbers<T>(reader: &SegmentReader, field: &str) -> tantivy::Result<Arc<dyn ColumnValues<T>>>
where
    T: HasAssociatedColumnType + Default,
    DynamicColumn: Into<Option<Column<T>>>,
{
    match reader.fast_fields().column_opt::<T>(field)? {
        // The way through a default costs more than the number itself.
        Some(column) if column.get_cardinality() == Cardinality::Full => Ok(column.values),
        Some(column) => Ok(column.first_or_default_col(T::default())),
        None => reader.fast_fields().column_first_or_default(field),
    }
}

/// Tells the number of each of these documents, in the order in which they lie.
pub(crate) fn each<T: Copy + Default + PartialOrd + 'static>(
    numbers: &dyn ColumnValues<T>,
    of: &Documents,
    mut each: impl FnMut(DocId, T),
) {
    let mut values = Vec::new();
    of.in_batches(|ids| {
        values.resize(ids.len(), T::default());
        numbers.get_vals(ids, &mut values);
        ids.iter().zip(&values).for_each(|(id, value)| each(*id, *value));
    });
}

/// The documents among these whose number is so.
pub(crate) fn those<T: Copy + Default + PartialOrd + 'static>(
    numbers: &dyn ColumnValues<T>,
    among: &Documents,
    fits: impl Fn(T) -> bool,
) -> Documents {
    let mut found = Documents::none(among.of());
    each(numbers, among, |id, number| {
        if fits(number) {
            found.insert(id);
        }
    });
    found
}
