//! Readers and writers that count.

use std::io::{BufRead, Read, Result, Write};

/// Counts the bytes that pass.
#[derive(Debug)]
pub(crate) struct Counted<T> {
    inner: T,
    count: u64,
}

impl<T> Counted<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, count: 0 }
    }

    #[cfg(test)]
    pub(crate) fn new_at(inner: T, count: u64) -> Self {
        Self { inner, count }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }

    fn add(&mut self, len: usize) {
        self.count = self.count.saturating_add(len as u64);
    }
}

impl<T: Write> Write for Counted<T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let len = self.inner.write(bytes)?;
        self.add(len);
        Ok(len)
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Counted<T> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let len = self.inner.read(into)?;
        self.add(len);
        Ok(len)
    }
}

impl<T: BufRead> BufRead for Counted<T> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.inner.consume(len);
        self.add(len);
    }
}
