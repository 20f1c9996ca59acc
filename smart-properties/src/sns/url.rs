//! Addresses on the host of SNS (specification section 5.4).

use crate::TopicArn;

/// Why a URL is not one that SNS gives with a message of this topic.
///
/// The first check that fails counts. Look at who has sent the message: a URL that leads elsewhere is how messages are
/// forged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// More bytes than such a URL has. The specification makes no difference between this and a bad character.
    #[error("the URL has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit: 512 for a certificate, 2,048 for a confirmation.
        max: usize,
    },
    /// A space, a control character, or one beyond ASCII.
    #[error("the URL has something other than printable ASCII at byte {position}")]
    BadCharacters {
        /// The byte, counted from 0.
        position: usize,
    },
    /// It does not begin with `https://`, written so.
    #[error("the URL does not begin with https://")]
    NotHttps,
    /// A port, user information, or a character before the first `/` at which readers of URLs may disagree.
    #[error("the URL names more than a host before its path, such as a port or a user")]
    BadAuthority,
    /// The host is not that of SNS in the region of the topic.
    #[error("the URL leads to another host than SNS has in the region of the topic")]
    HostMismatch,
    /// The path is not one that SNS uses for this.
    #[error("the path of the URL is not one that SNS uses for this")]
    BadPath,
}

/// What follows the host, from its `/`, of a URL on the host of SNS in the region of this topic.
pub(crate) fn path_on_sns<'u>(
    url: &'u str,
    max: usize,
    topic: &TopicArn,
) -> Result<&'u str, UrlError> {
    let bytes = url.len();
    if bytes > max {
        return Err(UrlError::TooLong { bytes, max });
    }
    if let Some(position) = url.bytes().position(|byte| !byte.is_ascii_graphic()) {
        return Err(UrlError::BadCharacters { position });
    }
    let rest = url.strip_prefix(HTTPS).ok_or(UrlError::NotHttps)?;
    let (authority, path) =
        rest.find('/').and_then(|end| rest.split_at_checked(end)).ok_or(UrlError::BadPath)?;
    if authority.contains(['@', ':', '?', '#', '\\', '%']) {
        return Err(UrlError::BadAuthority);
    }
    let region = authority
        .strip_prefix(HOST)
        .and_then(|rest| rest.strip_suffix(topic.partition().domain()))
        .and_then(|rest| rest.strip_suffix('.'));
    if region != Some(topic.region()) {
        return Err(UrlError::HostMismatch);
    }
    Ok(path)
}

const HTTPS: &str = "https://";
const HOST: &str = "sns.";
