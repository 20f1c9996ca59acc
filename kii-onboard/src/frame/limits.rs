//! How large a frame may be.

/// How large a frame may be (specification, section 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the payload. Default: 65,536.
    pub max_payload: usize,
    /// Bytes of the head with its blank line. Default: 8,192.
    pub max_head: usize,
    /// Headers. Default: 64.
    pub max_headers: usize,
}

impl Limits {
    /// What decoders keep to unless they are told otherwise.
    pub const DEFAULT: Self = Self { max_payload: 65_536, max_head: 8_192, max_headers: 64 };

    /// With this many bytes of payload.
    #[must_use]
    pub const fn with_max_payload(self, max_payload: usize) -> Self {
        Self { max_payload, ..self }
    }

    /// With this many bytes of head.
    #[must_use]
    pub const fn with_max_head(self, max_head: usize) -> Self {
        Self { max_head, ..self }
    }

    /// With this many headers.
    #[must_use]
    pub const fn with_max_headers(self, max_headers: usize) -> Self {
        Self { max_headers, ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
