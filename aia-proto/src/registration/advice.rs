//! What to do when a registration did not succeed.

use core::fmt;

/// What a program or a person does best after a registration that did not succeed (specification, section 5.3).
/// `Display` says it to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Send it again after growing pauses, with a new key pair.
    RetryLater,
    /// Send it again once with a new key pair.
    RenewKeyPair,
    /// Correct the request: as it is it never succeeds.
    CorrectRequest,
    /// Take the other algorithm.
    ChangeAlgorithm,
    /// Let the user authorise the device again, for a new refresh token.
    Authorize,
    /// Link the AWS account to the product, or correct its id.
    LinkAccount,
    /// Correct the AWS IoT endpoint.
    CorrectEndpoint,
    /// Follow the redirect.
    FollowRedirect,
    /// Tell the developers: the answer is none that is documented.
    Report,
}

impl Advice {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::RetryLater,
        Self::RenewKeyPair,
        Self::CorrectRequest,
        Self::ChangeAlgorithm,
        Self::Authorize,
        Self::LinkAccount,
        Self::CorrectEndpoint,
        Self::FollowRedirect,
        Self::Report,
    ];

    /// Whether the same values may succeed when they are sent again, with a new key pair.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RetryLater | Self::RenewKeyPair)
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RetryLater => "send it again later, after growing pauses",
            Self::RenewKeyPair => "send it again once with a new key pair",
            Self::CorrectRequest => "correct the request: as it is it never succeeds",
            Self::ChangeAlgorithm => "take the other algorithm",
            Self::Authorize => "let the user authorise the device again",
            Self::LinkAccount => "link the AWS account to the product, or correct its id",
            Self::CorrectEndpoint => "correct the AWS IoT endpoint",
            Self::FollowRedirect => "follow the redirect",
            Self::Report => "tell the developers: this answer is not documented",
        })
    }
}
