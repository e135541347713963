//! `robots.txt` (RFC 9309): the rules for every agent, where a decision says that they bind.

/// The longest file that is read (RFC 9309, section 2.5, asks for at least 500 KiB).
pub(crate) const MAX_LEN: usize = 512 * 1024;

/// The rules of the groups for `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Robots {
    rules: Vec<Rule>,
    allows_nothing: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allows: bool,
    pattern: String,
}

impl Robots {
    /// Rules under which nothing may be fetched: the service could not say (section 2.3.1.4).
    pub(crate) fn unreachable() -> Self {
        Self { rules: Vec::new(), allows_nothing: true }
    }

    /// Reads the lines that are rules; whatever else a file holds is passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut rules = Vec::new();
        let (mut names_us, mut in_agents) = (false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "user-agent" => {
                    names_us = value == "*" || (in_agents && names_us);
                    in_agents = true;
                }
                "allow" | "disallow" => {
                    in_agents = false;
                    if names_us && !value.is_empty() {
                        rules.push(Rule { allows: name == "allow", pattern: value.to_owned() });
                    }
                }
                _ => {}
            }
        }
        Self { rules, allows_nothing: false }
    }

    /// Whether a path with its query may be fetched: the longest match decides, and of equal ones the one that allows (section 2.2.2).
    pub(crate) fn allows(&self, path: &str) -> bool {
        if path == "/robots.txt" {
            return true;
        }
        let matching = self.rules.iter().filter(|rule| matches(rule.pattern.as_bytes(), path.as_bytes()));
        let decisive = matching.max_by_key(|rule| (rule.pattern.len(), rule.allows));
        decisive.map_or(!self.allows_nothing, |rule| rule.allows)
    }
}

/// Whether `pattern`, in which `*` is anything and a last `$` is the end, matches the beginning of `path`. Linear memory, and time
/// bounded by the product of the lengths.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (pattern, is_anchored) = pattern.strip_suffix(b"$").map_or((pattern, false), |pattern| (pattern, true));
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match pattern.get(at) {
            None if !is_anchored || from == path.len() => return true,
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
                continue;
            }
            Some(byte) if path.get(from) == Some(byte) => {
                (at, from) = (at + 1, from + 1);
                continue;
            }
            _ => {}
        }
        match star {
            Some((after, begin)) if begin < path.len() => {
                star = Some((after, begin + 1));
                (at, from) = (after, begin + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_match_decides() {
        let robots = Robots::parse(
            "User-agent: other\nDisallow: /\n\nUser-Agent: x\nuser-agent: *\nDisallow: /private # why\nAllow: /private/open\nDisallow: *.pdf$\nDisallow:\n",
        );
        for (path, allowed) in [
            ("/", true),
            ("/private", false),
            ("/private/open/door", true),
            ("/a.pdf", false),
            ("/a.pdf?x", true),
            ("/robots.txt", true),
        ] {
            assert_eq!(robots.allows(path), allowed, "{path}");
        }
    }

    #[test]
    fn no_file_allows_everything_and_no_service_nothing() {
        assert!(Robots::parse("<html>not a robots file</html>").allows("/x"));
        assert!(!Robots::unreachable().allows("/x"));
        assert!(Robots::unreachable().allows("/robots.txt"));
    }

    proptest::proptest! {
        #[test]
        fn any_file_and_path_end(text in ".{0,200}", pattern in "[a*$/]{0,20}", path in "[a/]{0,60}") {
            Robots::parse(&text).allows(&path);
            Robots::parse(&format!("user-agent: *\ndisallow: {pattern}")).allows(&path);
        }
    }
}
