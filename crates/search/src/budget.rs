use std::cell::Cell;

use crate::Error;

/// What a query may cost, in entries looked at: the same for the same query over the same entries, on any machine.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<u64>,
    limit: u64,
}

impl Budget {
    pub(crate) const fn of(limit: u64) -> Self {
        Self { left: Cell::new(limit), limit }
    }

    /// Takes note that so many entries are looked at.
    pub(crate) fn spend(&self, entries: u64) -> Result<(), Error> {
        match self.left.get().checked_sub(entries) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Error::TooCostly { limit: self.limit }),
        }
    }
}
