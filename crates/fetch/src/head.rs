//! The header section of a response, looked at as bytes: where it ends and what it says of lengths.
//!
//! This reads what hyper reads and also what hyper rejects, so that evidence is split into head and body in every case.

/// The end of the header section, its empty line included; `None` while it is incomplete.
///
/// Empty lines in front and interim responses (RFC 9110, section 15.2) belong to it. Lines may end in a bare line feed
/// (RFC 9112, section 2.2).
pub(crate) fn end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + leading_empty_lines(bytes.get(from..)?);
        let section = bytes.get(start..)?;
        let end = start + end_of_section(section)?;
        if !is_interim(section) {
            return Some(end);
        }
        from = end;
    }
}

/// Whether the announced lengths of a body cannot be read, or contradict each other (RFC 9112, section 6.3); a transfer coding
/// in HTTP/1.0 is such a contradiction (section 6.1).
pub(crate) fn has_bad_length(head: &[u8]) -> bool {
    let is_old = head.trim_ascii_start().starts_with(b"HTTP/1.0");
    let mut first: Option<&[u8]> = None;
    for line in head.split(|&byte| byte == b'\n') {
        let Some(at) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = line.split_at(at);
        let name = name.trim_ascii_end();
        if is_old && name.eq_ignore_ascii_case(b"transfer-encoding") {
            return true;
        }
        if !name.eq_ignore_ascii_case(b"content-length") {
            continue;
        }
        for value in value.get(1..).unwrap_or_default().split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
            let is_number = !value.is_empty() && value.len() < 20 && value.iter().all(u8::is_ascii_digit);
            if !is_number || *first.get_or_insert(value) != value {
                return true;
            }
        }
    }
    false
}

fn leading_empty_lines(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match bytes.get(at..) {
            Some([b'\n', ..]) => at += 1,
            Some([b'\r', b'\n', ..]) => at += 2,
            _ => return at,
        }
    }
}

/// The end of the lines up to and with the first empty one.
fn end_of_section(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        at += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(at);
        }
    }
    None
}

/// Whether the status line is that of an interim response; 101 is final, since nothing follows it that is HTTP.
fn is_interim(section: &[u8]) -> bool {
    let code = section.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(1..5));
    matches!(code, Some([b' ', b'1', tens, ones]) if (*tens, *ones) != (b'0', b'1') && tens.is_ascii_digit() && ones.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, head: Option<&str>) {
        assert_eq!(end(bytes.as_bytes()).map(|at| &bytes[..at]), head, "{bytes:?}");
    }

    #[test]
    fn the_head_ends_at_its_empty_line() {
        check("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody\r\n\r\n", Some("HTTP/1.1 200 OK\r\nA: b\r\n\r\n"));
        check("HTTP/1.1 200 OK\nA: b\n\nbody", Some("HTTP/1.1 200 OK\nA: b\n\n"));
        check("HTTP/1.1 200 OK\r\nA: b\n\r\nbody", Some("HTTP/1.1 200 OK\r\nA: b\n\r\n"));
        check("\r\n\nHTTP/1.1 200 OK\r\n\r\nbody", Some("\r\n\nHTTP/1.1 200 OK\r\n\r\n"));
        check("HTTP/1.1 200 OK\r\nA: b\r\n \r\nc: d\r\n\r\n", Some("HTTP/1.1 200 OK\r\nA: b\r\n \r\nc: d\r\n\r\n"));
        check("HTTP/1.1 200 OK\r\nA: b\r\n", None);
        check("", None);
        check("\n\n", None);
    }

    #[test]
    fn interim_responses_belong_to_the_head() {
        let both = "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        check(&format!("{both}x"), Some(both));
        check("HTTP/1.1 100 Continue\r\n\r\n", None);
        check("HTTP/1.1 101 Upgrade\r\n\r\nx", Some("HTTP/1.1 101 Upgrade\r\n\r\n"));
    }

    #[test]
    fn contradictory_and_unreadable_lengths_are_seen() {
        let bad = |fields: &str| has_bad_length(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").as_bytes());
        assert!(bad("Content-Length: 1\r\ncontent-length: 2"));
        assert!(bad("Content-Length: 1, 2"));
        assert!(bad("Content-Length: -1"));
        assert!(bad("Content-Length: 99999999999999999999999"));
        assert!(!bad("Content-Length: 1\r\nContent-Length: 1"));
        assert!(!bad("Content-Type: 1"));
        assert!(!bad("Transfer-Encoding: chunked"));
        assert!(has_bad_length(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    }
}
