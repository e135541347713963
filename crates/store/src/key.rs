//! Keys: fixed-width big-endian parts, one after the other, so that encoded order is the order of the parts.

use model::{Digest, Seq, ServiceId, TargetId, ThemeId, Timestamp, UriId};

/// A key, or the beginning of one, under construction.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// The key of content begins with its theme.
    pub(crate) fn theme(theme: ThemeId) -> Self {
        let mut key = Vec::with_capacity(96);
        key.extend_from_slice(theme.as_bytes());
        Self(key)
    }

    /// The key of something that belongs to no theme.
    pub(crate) fn bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(crate) fn target(self, target: TargetId) -> Self {
        self.with(&target.as_u64().to_be_bytes())
    }

    pub(crate) fn seq(self, seq: Seq) -> Self {
        self.with(&seq.0.to_be_bytes())
    }

    pub(crate) fn uri(self, uri: UriId) -> Self {
        self.with(uri.as_bytes())
    }

    pub(crate) fn service(self, service: ServiceId) -> Self {
        self.with(service.as_bytes())
    }

    pub(crate) fn digest(self, digest: &Digest) -> Self {
        self.with(digest.as_bytes())
    }

    pub(crate) fn time(self, time: Timestamp) -> Self {
        self.with(&time.to_ordered_bytes())
    }

    pub(crate) fn with(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Reads parts from the front of a key; `None` where the key is too short.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn theme(&mut self) -> Option<ThemeId> {
        ThemeId::from_bytes(self.take()?)
    }

    pub(crate) fn target(&mut self) -> Option<TargetId> {
        self.take().map(|bytes| TargetId::from_u64(u64::from_be_bytes(bytes)))
    }

    pub(crate) fn seq(&mut self) -> Option<Seq> {
        self.take().map(|bytes| Seq(u64::from_be_bytes(bytes)))
    }

    pub(crate) fn uri(&mut self) -> Option<UriId> {
        self.take().map(UriId::from_bytes)
    }

    pub(crate) fn service(&mut self) -> Option<ServiceId> {
        self.take().map(ServiceId::from_bytes)
    }

    pub(crate) fn digest(&mut self) -> Option<Digest> {
        self.take().map(Digest::from_bytes)
    }

    pub(crate) fn time(&mut self) -> Option<Timestamp> {
        self.take().map(Timestamp::from_ordered_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(name: &str) -> ThemeId {
        name.parse().unwrap()
    }

    proptest::proptest! {
        #[test]
        fn encoded_order_is_the_order_of_the_parts(a in (0u64..3, 0u64..3, -2i64..2), b in (0u64..3, 0u64..3, -2i64..2)) {
            let key = |(target, seq, time): (u64, u64, i64)| {
                Key::theme(theme("t")).target(TargetId::from_u64(target)).seq(Seq(seq)).time(Timestamp::from_micros(time))
            };
            proptest::prop_assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
        }

        #[test]
        fn a_key_reads_back(target: u64, seq: u64, time: i64) {
            let key = Key::theme(theme("cybercrime")).target(TargetId::from_u64(target)).seq(Seq(seq)).time(Timestamp::from_micros(time));
            let mut reader = Reader(key.as_ref());
            proptest::prop_assert_eq!(reader.theme(), Some(theme("cybercrime")));
            proptest::prop_assert_eq!(reader.target(), Some(TargetId::from_u64(target)));
            proptest::prop_assert_eq!(reader.seq(), Some(Seq(seq)));
            proptest::prop_assert_eq!(reader.time(), Some(Timestamp::from_micros(time)));
            proptest::prop_assert_eq!(reader.seq(), None);
        }
    }

    #[test]
    fn no_theme_is_the_beginning_of_another() {
        let (short, long) = (Key::theme(theme("market")), Key::theme(theme("marketplace")));
        assert!(!long.as_ref().starts_with(short.as_ref()));
    }
}
