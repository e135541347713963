use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// This crate's part of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The embedded Tor client.
    pub tor: TorConfig,
    /// The request and its connections.
    pub http: HttpConfig,
    /// What a site may cost.
    pub limits: Limits,
    /// Files of digests of services that are never fetched: one digest a line, `#` begins a comment, MD5 or SHA-256 of the
    /// onion domain. While one of them cannot be read, nothing is fetched.
    pub block_lists: Vec<PathBuf>,
}

/// The embedded Tor client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TorConfig {
    /// Bridge lines: `<address>:<port> <fingerprint> …`. Plain bridges only: a pluggable transport is a child process with
    /// sockets of its own, and so a second way out.
    pub bridges: Vec<String>,
    /// The most memory that Tor's queues may take, in megabytes.
    pub memory_mb: u32,
    /// Whether connections to relays send small packets at once (`TCP_NODELAY`).
    pub tcp_nodelay: bool,
    /// How often arti tries to introduce itself to an onion service and to meet it, in one attempt to connect.
    pub introduction_attempts: u32,
    /// How often arti tries to fetch the descriptor of an onion service, in one attempt to connect.
    pub descriptor_attempts: u32,
    /// The longest time that arti takes to build a circuit for one attempt to connect, in seconds.
    pub circuit_s: u32,
    /// The longest wait of arti for the answer to an opened stream, in seconds.
    pub stream_s: u32,
    /// The longest time that an attempt to connect to an onion service spends on proofs of work, in seconds: on waiting for its
    /// turn, and on making them. Then it goes on without. It is a part of `limits.connect_s`, and should leave time for the
    /// circuits. Only for targets whose decision allows it.
    pub proof_of_work_s: u32,
    /// A file in arti's own configuration format that describes a private network. For tests and demonstrations.
    pub network_config: Option<PathBuf>,
}

impl Default for TorConfig {
    fn default() -> Self {
        Self {
            bridges: Vec::new(),
            memory_mb: 128,
            tcp_nodelay: true,
            introduction_attempts: 3,
            descriptor_attempts: 6,
            circuit_s: 60,
            stream_s: 30,
            proof_of_work_s: 60,
            network_config: None,
        }
    }
}

/// The request and its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Names and values of the request header fields, in the order in which they are sent, after `Host`. Every target gets the
    /// same ones: they should be those of a common browser.
    pub request_headers: Vec<(String, String)>,
    /// The most idle connections that are kept per target.
    pub connections_per_target: usize,
    /// How long an idle connection is kept, in seconds.
    pub keep_alive_s: u32,
}

impl Default for HttpConfig {
    fn default() -> Self {
        let headers = [
            ("User-Agent", "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"),
            ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            ("Accept-Language", "en-US,en;q=0.5"),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Connection", "keep-alive"),
            ("Upgrade-Insecure-Requests", "1"),
            ("Sec-Fetch-Dest", "document"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Site", "none"),
            ("Sec-Fetch-User", "?1"),
            ("Priority", "u=0, i"),
        ];
        Self {
            request_headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            connections_per_target: 4,
            keep_alive_s: 60,
        }
    }
}

/// What a site may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The longest time to open a connection, TLS included, in seconds.
    pub connect_s: u32,
    /// The longest wait for the first byte of a response, in seconds.
    pub first_byte_s: u32,
    /// The longest silence in the middle of a response, in seconds.
    pub idle_s: u32,
    /// The longest time for an exchange in all, connecting included, in seconds.
    pub total_s: u32,
    /// The largest status line and header section, in bytes.
    pub head_bytes: usize,
    /// The largest body as it lies on the wire, in bytes.
    pub body_bytes: usize,
    /// The largest body after its content encoding is undone, in bytes.
    pub decoded_bytes: u64,
    /// The most by which a content encoding may make a body smaller; it is looked at from 1 MiB on.
    pub decompression_ratio: u64,
    /// The longest chain of redirects and refreshes.
    pub redirects: usize,
    /// The longest delay of a refresh that is still followed, in seconds.
    pub refresh_delay_s: u32,
    /// The content types whose bodies are read; `*` stands for any characters. A response without a type counts as HTML.
    pub content_types: Vec<String>,
    /// The most onion services that are opened afresh at the same time: each costs about three circuits.
    pub cold_opens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let types = [
            "text/*",
            "application/xhtml+xml",
            "application/xml",
            "application/json",
            "application/*+xml",
            "application/*+json",
        ];
        Self {
            connect_s: 120,
            first_byte_s: 60,
            idle_s: 30,
            total_s: 300,
            head_bytes: 256 * 1024,
            body_bytes: 8 * 1024 * 1024,
            decoded_bytes: 32 * 1024 * 1024,
            decompression_ratio: 200,
            redirects: 8,
            refresh_delay_s: 30,
            content_types: types.map(str::to_owned).to_vec(),
            cold_opens: 4,
        }
    }
}

impl Limits {
    pub(crate) fn connect(&self) -> Duration {
        Duration::from_secs(self.connect_s.into())
    }

    pub(crate) fn first_byte(&self) -> Duration {
        Duration::from_secs(self.first_byte_s.into())
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_s.into())
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_secs(self.total_s.into())
    }

    /// These limits, and images are read too: those that hold pixels and nothing else.
    pub(crate) fn with_images(&self) -> Self {
        let mut limits = self.clone();
        limits.content_types.extend(IMAGE_TYPES.map(str::to_owned));
        limits
    }

    /// Whether a body of this media type is read. Parameters do not count, and neither does the case of letters.
    pub(crate) fn allows_type(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence.is_empty()
            || self.content_types.iter().any(|pattern| matches_pattern(&pattern.to_ascii_lowercase(), &essence))
    }
}

/// Images that hold pixels. SVG is none of them: it holds text, links and script.
const IMAGE_TYPES: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/// Whether `text` is `pattern`, whose first `*` stands for any characters.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_sound_and_archives_are_no_allowed_types() {
        let limits = Limits::default();
        for allowed in ["text/html", "Text/HTML; charset=x", "application/rss+xml", "application/ld+json", ""] {
            assert!(limits.allows_type(allowed), "{allowed}");
        }
        for refused in [
            "image/png",
            "image/svg+xml",
            "video/mp4",
            "audio/ogg",
            "application/zip",
            "application/octet-stream",
            "+xml",
        ] {
            assert!(!limits.allows_type(refused), "{refused}");
        }
    }

    #[test]
    fn the_configuration_survives_its_text_form_and_refuses_unknown_keys() {
        let config = Config::default();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
        assert_eq!(toml::from_str::<Config>("").unwrap(), config);
        assert!(toml::from_str::<Config>("[limits]\nconect_s = 1").is_err());
    }
}
