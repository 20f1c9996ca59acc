//! `amqp-parse`: what is in this user name?

use amqp_auth::{ParseError, UserName};
use clap::Args;
use serde_json::{Map, Value, json};

use super::jsonl::{Failure, Members, variant_names};

/// Takes user names of Alibaba Cloud's AMQP endpoint apart.
///
/// Reads {"userName":"…"}, or "userNameHex" for one that is not text. A securityToken is not shown, only whether there
/// is one.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let user_name = user_name(members)?;
    let parsed = UserName::parse(&user_name).map_err(|error| parse_failure(&error))?;
    let extensions: Map<_, _> =
        parsed.extensions().map(|(key, value)| (key.to_owned(), value.into())).collect();
    Ok(json!({
        "clientId": parsed.client_id(),
        "iotInstanceId": parsed.instance_id(),
        "authMode": parsed.auth_mode().as_str(),
        "signMethod": parsed.sign_method().as_str(),
        "consumerGroupId": parsed.consumer_group_id(),
        "authId": parsed.auth_id(),
        "timestamp": parsed.timestamp().get(),
        "securityToken": parsed.security_token().is_some(),
        "extensions": extensions,
    }))
}

pub(super) fn user_name(members: &Members<'_>) -> Result<Vec<u8>, Failure> {
    members.bytes(USER_NAME)?.ok_or_else(|| Failure::missing(USER_NAME))
}

pub(super) fn parse_failure(error: &ParseError) -> Failure {
    let failure = Failure::new(parse_error_name(error), error.to_string());
    match error {
        ParseError::TooLong { len } => failure.with("len", *len),
        ParseError::ClientIdTooLong { chars } => failure.with("chars", *chars),
        ParseError::NotUtf8 { index }
        | ParseError::TrailingData { index }
        | ParseError::EmptyParam { index }
        | ParseError::MissingEquals { index }
        | ParseError::BadKey { index } => failure.with("index", *index),
        ParseError::ForbiddenChar { index, ch } => {
            failure.with("index", *index).with("ch", ch.to_string())
        }
        ParseError::DuplicateKey { key } => failure.in_field(key),
        ParseError::Missing { field, .. } | ParseError::Empty { field, .. } => {
            failure.in_field(field)
        }
        _ => failure,
    }
}

variant_names! {
    parse_error_name: ParseError {
        TooLong,
        NotUtf8,
        ForbiddenChar,
        MissingOpeningBar,
        ClientIdEmpty,
        ClientIdTooLong,
        MissingClosingBar,
        TrailingData,
        TooManyParams,
        EmptyParam,
        MissingEquals,
        BadKey,
        DuplicateKey,
        UnknownAuthMode,
        UnknownSignMethod,
        Missing,
        Empty,
        UnexpectedSecurityToken,
        BadTimestamp,
    }
}

const USER_NAME: &str = "userName";

const EXAMPLE: &str = r#"Example:
  echo '{"userName":"client-01|authMode=aksign,signMethod=hmacsha1,consumerGroupId=DEFAULT_GROUP,authId=LTAI5tEXAMPLEKEY00000001,timestamp=1573489088171|"}' |
    inspect amqp-parse"#;
