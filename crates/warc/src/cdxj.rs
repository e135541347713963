//! Rows of a CDXJ index, equal to those of `cdxj-indexer`: key of the address, time, and an object of JSON with the rest.

use crate::{Examined, RecordType, surt};

impl Examined {
    /// The row of an index for this record in the file of this name, without a line end. `None` for a record that an index leaves out: it has
    /// no address or date of its own, was sent and not received, or only describes another.
    pub fn cdxj(&self, filename: &str) -> Option<String> {
        let header = &self.header;
        let uri = header.target_uri()?.replace(' ', "%20");
        let stated_type = header.get("Content-Type").map(str::as_bytes);
        let is_answer = matches!(header.kind()?, RecordType::Response | RecordType::Revisit);
        let mime = match header.kind()? {
            RecordType::Revisit => Some("warc/revisit".to_owned()),
            RecordType::Response => self.checked.content_type.as_deref().map(media_type),
            RecordType::Resource | RecordType::Metadata if stated_type != Some(b"application/warc-fields") => {
                stated_type.map(media_type)
            }
            _ => return None,
        };
        let status = self.checked.status.filter(|_| is_answer).map(|status| format!("{status:03}"));
        let digest = header.get("WARC-Payload-Digest").map(str::to_owned);
        let row = [
            ("url", Some(uri.clone())),
            ("mime", mime),
            ("status", status),
            ("digest", digest),
            ("length", Some(self.span.len.to_string())),
            ("offset", Some(self.span.offset.to_string())),
            ("filename", Some(filename.to_owned())),
        ];
        let members = row.into_iter().filter_map(|(name, value)| Some(format!("{}: {}", json(name), json(&value?))));
        let members: Vec<String> = members.collect();
        Some(format!("{} {} {{{}}}", surt::key(&uri), header.date()?.to_timestamp14(), members.join(", ")))
    }
}

/// A media type without its parameters. What is not UTF-8 is Latin-1.
fn media_type(value: &[u8]) -> String {
    let latin_1 = || value.iter().copied().map(char::from).collect();
    let text = std::str::from_utf8(value).map_or_else(|_| latin_1(), str::to_owned);
    text.split(|character: char| character == ';' || character.is_whitespace()).next().unwrap_or_default().to_owned()
}

/// A string of JSON in ASCII: rows then sort in the same order by bytes and by characters.
fn json(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => out.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use crate::{Checked, Date, Digest, Header, Original, RecordId, Span, Verdict};

    use super::*;

    #[track_caller]
    fn check(header: Header, http: Option<(u16, &str)>, expected: Option<&str>) {
        let checked = Checked {
            block_digest: Digest::of(b""),
            block: Verdict::Absent,
            payload: Verdict::Absent,
            status: http.map(|(status, _)| status),
            content_type: http.map(|(_, content_type)| content_type.as_bytes().to_vec()),
        };
        let examined = Examined { header, span: Span { offset: 7, len: 9 }, checked };
        assert_eq!(examined.cdxj("a.warc.gz").as_deref(), expected);
    }

    fn named() -> (RecordId, Date) {
        (RecordId::random([0; 16]), Date::from_micros(0).unwrap())
    }

    #[test]
    fn a_row_tells_where_a_response_lies() {
        let (id, date) = named();
        check(
            Header::response(id, date, "http://a.onion/é?b").payload_digest(Digest::from_bytes([0; 32])),
            Some((404, "text/html; charset=\"x\"")),
            Some(&format!(
                "onion,a)/%c3%a9?b 19700101000000 {{\"url\": \"http://a.onion/\\u00e9?b\", \"mime\": \"text/html\", \
                 \"status\": \"404\", \"digest\": \"sha256:{}\", \"length\": \"9\", \"offset\": \"7\", \
                 \"filename\": \"a.warc.gz\"}}",
                "0".repeat(64)
            )),
        );
    }

    #[test]
    fn revisits_and_resources_have_rows_of_their_own() {
        let (id, date) = named();
        let payload_digest = Digest::from_bytes([0; 32]);
        let original = Original { id, target_uri: "http://a/".to_owned(), date, payload_digest };
        let zeros = "0".repeat(64);
        check(
            Header::revisit(id, date, "http://a/", &original),
            Some((200, "text/html")),
            Some(&format!(
                "a)/ 19700101000000 {{\"url\": \"http://a/\", \"mime\": \"warc/revisit\", \"status\": \"200\", \
                 \"digest\": \"sha256:{zeros}\", \"length\": \"9\", \"offset\": \"7\", \"filename\": \"a.warc.gz\"}}"
            )),
        );
        check(
            Header::resource(id, date, "urn:x:\"y", "image/png"),
            None,
            Some(
                "urn:x:\"y 19700101000000 {\"url\": \"urn:x:\\\"y\", \"mime\": \"image/png\", \"length\": \"9\", \
                 \"offset\": \"7\", \"filename\": \"a.warc.gz\"}",
            ),
        );
    }

    #[test]
    fn what_was_not_received_has_no_row() {
        let (id, date) = named();
        check(Header::warcinfo(id, date, "a.warc.gz"), None, None);
        check(Header::request(id, date, "http://a/"), None, None);
        check(Header::metadata(id, date, "http://a/"), None, None);
        check(Header::new(RecordType::Response, id, date), Some((200, "a/b")), None);
    }

    #[test]
    fn strings_are_written_as_python_writes_them() {
        assert_eq!(
            json("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}é€😀"),
            r#""a\"\\\n\r\t\b\f\u0001\u007f\u00e9\u20ac\ud83d\ude00""#
        );
        assert_eq!(media_type(b"text/\xe9 ;x"), "text/é");
        assert_eq!(media_type(b";x"), "");
    }
}
