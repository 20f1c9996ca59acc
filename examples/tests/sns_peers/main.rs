//! Messages of SNS and software that nobody here wrote: signatures by and for OpenSSL, and two validators, one of them
//! Amazon's own.

mod openssl;
mod ours;
mod signed;
mod validators;
mod vectors;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
/// Whose certificate has this name.
const SIGNER: &str = "sns.amazonaws.com";
