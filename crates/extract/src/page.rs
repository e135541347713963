use model::{ObservableSettings, Uri};

/// What extraction needs to know of a capture.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What was asked for; links are resolved against it.
    pub uri: &'a Uri,
    /// The status code.
    pub status: u16,
    /// The value of `Content-Type`.
    pub content_type: Option<&'a [u8]>,
    /// The value of `Content-Encoding`.
    pub content_encoding: Option<&'a [u8]>,
    /// The value of the `Refresh` header, which browsers obey and no RFC describes.
    pub refresh: Option<&'a [u8]>,
    /// The body without its transfer coding, still content-encoded.
    pub payload: &'a [u8],
}

/// How much of a page is read, and what may be kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that come out of each content coding.
    pub decoded_bytes: usize,
    /// Elements within elements. What lies deeper is read as if it stood at this depth.
    pub depth: usize,
    /// Links kept.
    pub links: usize,
    /// Observables kept.
    pub observables: usize,
    /// Which observables may be kept: a theme's choice.
    pub keep: ObservableSettings,
    /// Bytes of visible text kept, as UTF-8.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decoded_bytes: 16 << 20,
            depth: 512,
            links: 5000,
            observables: 5000,
            keep: ObservableSettings::default(),
            text_bytes: 4 << 20,
        }
    }
}
