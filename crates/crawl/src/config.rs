use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the crawl that hold for every target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The greatest number of fetches in flight.
    pub concurrency: usize,
    /// The greatest number of requests a second over all services; 0 means no such limit.
    pub requests_per_s: u32,
    /// How many requests one service may get at once after a rest, before its delay applies.
    pub burst: u32,
    /// How much of a service's delay is added to it at random, in percent.
    pub jitter_percent: u32,
    /// Query parameters that name a visitor and not a resource; `*` at the end stands for anything.
    pub noise_parameters: Vec<String>,
    /// How often one path segment may occur in a URI.
    pub path_repeats: usize,
    /// The longest query, in bytes.
    pub query_bytes: usize,
    /// The greatest number of URIs of one shape (digits and tokens aside) that a target may have.
    pub uris_per_template: u32,
    /// The longest delay of a `meta` refresh that is still followed, in seconds.
    pub refresh_delay_s: u32,
    /// How often a URI is tried again before it waits for its longest revisit time.
    pub retries: u16,
    /// The first wait after a service failed, in seconds; it doubles with each failure.
    pub backoff_min_s: u32,
    /// The longest wait after a service failed, in seconds.
    pub backoff_max_s: u32,
    /// The longest time that an answer's `Retry-After` is heeded, in seconds.
    pub retry_after_max_s: u32,
    /// How many pages in a row may turn out to be walls (logins, challenges) before the target waits for a person.
    pub walls_in_a_row: u32,
    /// How long fetches in flight may go on after a stop, in seconds.
    pub drain_s: u32,
    /// The memory that the process may hold, in MiB: nothing new is fetched above nine tenths of it. 0 takes what its control group allows.
    pub memory_mb: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            concurrency: 32,
            requests_per_s: 50,
            burst: 1,
            jitter_percent: 25,
            noise_parameters: ["utm_*", "fbclid", "gclid", "phpsessid", "jsessionid", "sessionid", "sid"]
                .map(str::to_owned)
                .to_vec(),
            path_repeats: 3,
            query_bytes: 512,
            uris_per_template: 20_000,
            refresh_delay_s: 30,
            retries: 5,
            backoff_min_s: 30,
            backoff_max_s: 6 * 3_600,
            retry_after_max_s: 24 * 3_600,
            walls_in_a_row: 3,
            drain_s: 8,
            memory_mb: 0,
        }
    }
}

impl Config {
    /// The wait after the `failures`-th failure in a row: doubling, bounded, without its jitter.
    pub(crate) fn backoff(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        Duration::from_secs((u64::from(self.backoff_min_s) << doublings).min(self.backoff_max_s.into()))
    }

    pub(crate) fn is_noise(&self, parameter: &str) -> bool {
        self.noise_parameters.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => parameter.starts_with(prefix),
            None => parameter == pattern,
        })
    }
}
