//! `amqp-verify`: is this login good?

use amqp_auth::{Key, Policy, UserName, VerifyError, verify};
use clap::Args;
use iot_sansio::UnixMillis;
use serde_json::{Value, json};

use super::{
    amqp_parse::{parse_failure, user_name},
    jsonl::{Failure, Members, variant_names},
};

/// Verifies logins of Alibaba Cloud's AMQP endpoint.
///
/// Reads {"userName","password","accessSecret","now","windowMs":N|null,"tokenExpiresAt"?}, times in milliseconds. The
/// secret is that of the authId in the name, and a token in the name is that of the key. The timestamp may lie as far as
/// windowMs to either side of now; without it, anywhere. Of the answer, the signature covers authId alone.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let user_name = user_name(members)?;
    let password = members.required_text("password")?;
    let secret = members.required_text("accessSecret")?;
    let now = UnixMillis::new(members.required_integer("now")?);
    let policy = members.span("windowMs")?.map_or(Policy::vendor_compatible(), Policy::within);
    let token_expires_at = members.integer("tokenExpiresAt")?.map(UnixMillis::new);

    let parsed = UserName::parse(&user_name).map_err(|error| parse_failure(&error))?;
    let key = match parsed.security_token() {
        Some(token) => Key::temporary(secret.as_bytes(), token, token_expires_at),
        None => Key::new(secret.as_bytes()),
    };
    let store = |_: &str| Some(key);
    let verified = verify(&user_name, password.as_bytes(), now, &policy, &store)
        .map_err(|error| verify_failure(&error))?;
    Ok(json!({
        "authId": verified.auth_id,
        "clientId": verified.unsigned.client_id,
        "consumerGroupId": verified.unsigned.consumer_group_id,
    }))
}

fn verify_failure(error: &VerifyError) -> Failure {
    let failure = Failure::new(verify_error_name(error), error.to_string());
    match error {
        VerifyError::Malformed(inner) => parse_failure(inner),
        VerifyError::Stale { age_ms } => failure.with("ageMs", *age_ms),
        VerifyError::Future { ahead_ms } => failure.with("aheadMs", *ahead_ms),
        _ => failure,
    }
}

variant_names! {
    verify_error_name: VerifyError {
        Malformed,
        Unavailable,
        BadCredentials,
        Stale,
        Future,
        TokenMismatch,
        TokenExpired,
        NotAuthorized,
    }
}

const EXAMPLE: &str = r#"Example:
  echo '{"userName":"client-01|authMode=aksign,signMethod=hmacsha1,consumerGroupId=DEFAULT_GROUP,authId=LTAI5tEXAMPLEKEY00000001,timestamp=1573489088171|","password":"GQ4mXPdhWDKJd+gKKxhGwGl7nIY=","accessSecret":"ExampleSecretKey00000000000001","now":1573489088171,"windowMs":600000}' |
    inspect amqp-verify"#;
