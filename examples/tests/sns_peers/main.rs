//! Messages of SNS and software that nobody here wrote: signatures by and for OpenSSL, two validators, one of them
//! Amazon's own, and LocalStack as the SNS that delivers.

mod endpoint;
mod localstack;
mod openssl;
mod ours;
mod signed;
mod validators;
mod vectors;

use std::time::Duration;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
/// Whose certificate has this name.
const SIGNER: &str = "sns.amazonaws.com";
/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
