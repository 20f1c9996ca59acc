//! Messages of SNS and software that nobody here wrote: signatures by and for OpenSSL.

mod openssl;
mod ours;
mod signed;
mod vectors;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
/// Whose certificate has this name.
const SIGNER: &str = "sns.amazonaws.com";
