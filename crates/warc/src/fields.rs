use crate::{Damage, Error, Result};

/// Named fields in their order (WARC/1.1, section 4): the header of a record, and what `application/warc-fields` holds.
///
/// Names compare without regard to case. Values are UTF-8 without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// No fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// These fields and one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a field at the end. Whether it can be written shows when it is.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// The value of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The values of every field of this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields as lines, each with its line end. Fails at the first field that no reader would read back as it is.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (name, value) in self.iter() {
            if name.is_empty()
                || !name.bytes().all(is_token)
                || value.trim_matches(SPACE) != value
                || value.contains(is_control)
            {
                return Err(Error::UnwritableField(name.to_owned()));
            }
            for part in [name, ": ", value, "\r\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        Ok(bytes)
    }

    /// Reads lines that end in a line feed, with or without a carriage return before it; lines that begin with white space continue
    /// the one before. Fails where a line is no field, or not UTF-8.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, Damage> {
        let text = std::str::from_utf8(bytes).map_err(|_| Damage::Field)?;
        let mut fields = Self::new();
        for line in text.split_terminator('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.starts_with([' ', '\t']) {
                let (_, value) = fields.0.last_mut().ok_or(Damage::Field)?;
                fold(value, line.trim_matches(SPACE));
                continue;
            }
            let (name, value) = line.split_once(':').ok_or(Damage::Field)?;
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(Damage::Field);
            }
            fields.push(name, value.trim_matches(SPACE));
        }
        if fields.0.iter().any(|(_, value)| value.contains(is_control)) { Err(Damage::Field) } else { Ok(fields) }
    }
}

/// The white space of a header (WARC/1.1, section 4: LWS). Anything else that looks like it is part of the value, or damage.
const SPACE: [char; 2] = [' ', '\t'];

/// Continues a value: the line end and the white space around it count as one space.
fn fold(value: &mut String, more: &str) {
    if !value.is_empty() && !more.is_empty() {
        value.push(' ');
    }
    value.push_str(more);
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_control(character: char) -> bool {
    character.is_ascii_control() && character != '\t'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read_as_the_standard_allows_them() {
        let fields = Fields::parse(b"A:1\r\nb: \t2 \nC:\r\na: x\r\n  y\r\n\tz\r\n").unwrap();
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("A", "1"), ("b", "2"), ("C", ""), ("a", "x y z")]);
        assert_eq!(fields.get("B"), Some("2"));
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "x y z"]);
        assert_eq!((fields.get("d"), fields.len()), (None, 4));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for bytes in [
            "no colon\r\n",
            ": no name\r\n",
            "a b: c\r\n",
            " continues nothing\r\n",
            "a: b\rc\r\n",
            "a: b\0\r\n",
            "a: b\u{b}\n",
            "a: \u{c}b\r\n",
            "a: b\r\n \u{b}\r\n",
            "\r\n",
        ] {
            assert_eq!(Fields::parse(bytes.as_bytes()), Err(Damage::Field), "{bytes:?}");
        }
        assert_eq!(Fields::parse(b"a: \xff\r\n"), Err(Damage::Field));
    }

    #[test]
    fn what_would_read_back_differently_is_not_written() {
        for (name, value) in
            [("", "a"), ("a b", "c"), ("a:", "b"), ("a", "b\r\nWARC-Type: c"), ("a", " b"), ("a", "b\t"), ("é", "a")]
        {
            let written = Fields::new().with(name, value).to_bytes();
            assert!(matches!(written, Err(Error::UnwritableField(_))), "{name:?}: {value:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(fields in proptest::collection::vec(("[a-zA-Z-]{1,9}", any::<String>()), 0..5)) {
            let fields = Fields(fields);
            if let Ok(bytes) = fields.to_bytes() {
                prop_assert_eq!(Fields::parse(&bytes), Ok(fields));
            }
        }

        #[test]
        fn any_bytes_are_fields_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(fields) = Fields::parse(&bytes) {
                prop_assert_eq!(fields.to_bytes().map_err(|error| error.to_string()).map(|bytes| Fields::parse(&bytes)), Ok(Ok(fields)));
            }
        }
    }
}
