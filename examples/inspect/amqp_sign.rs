//! `amqp-sign`: with which user name and password does this key log in?

use amqp_auth::{
    BuildError, Consumer, Credential, Field, ParseError, SignMethod, Signer, sasl::plain_response,
};
use clap::Args;
use data_encoding::HEXLOWER;
use iot_sansio::UnixMillis;
use serde_json::{Value, json};

use super::{
    amqp_parse::parse_failure,
    jsonl::{Failure, Members, variant_names},
};

/// Signs logins of Alibaba Cloud's AMQP endpoint.
///
/// Reads {"clientId","iotInstanceId"?,"consumerGroupId","accessKeyId","accessSecret","securityToken"?,"signMethod",
/// "timestamp"} and answers with user name, password, what was signed, and the message of SASL PLAIN in hex. Who has a
/// securityToken signs in mode ststoken, else in aksign. The timestamp is in milliseconds. The "field" of an error is the
/// name of a parameter, authId for accessKeyId, or accessSecret.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let client_id = members.required_text("clientId")?;
    let instance_id = members.text("iotInstanceId")?;
    let consumer_group_id = members.required_text("consumerGroupId")?;
    let access_key_id = members.required_text("accessKeyId")?;
    let access_secret = members.required_text("accessSecret")?;
    let security_token = members.text("securityToken")?;
    let method = members.required_text("signMethod")?;
    let timestamp = UnixMillis::new(members.required_integer("timestamp")?);

    let consumer = Consumer::new(client_id, &*consumer_group_id);
    if !consumer.as_ref().is_err_and(is_about_client_id) {
        // Before what holds a wrong character: that is the order of the specification, section 3.3.
        let required = [
            (Field::ConsumerGroupId, &consumer_group_id),
            (Field::AuthId, &access_key_id),
            (Field::AccessKeySecret, &access_secret),
        ];
        if let Some((field, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
            let failure = Failure::new("Empty", format!("{} is empty", member(field)));
            return Err(failure.in_field(member(field)));
        }
    }
    let consumer = consumer
        .and_then(|consumer| consumer.with_instance_id(instance_id.unwrap_or_default()))
        .map_err(|error| build_failure(&error))?;
    let Some(method) = SignMethod::from_name(&method) else {
        return Err(parse_failure(&ParseError::UnknownSignMethod));
    };
    let credential = match security_token {
        Some(token) => Credential::sts(access_key_id, access_secret, token, None),
        None => Credential::key(access_key_id, access_secret),
    };
    let sign = || {
        let signer = Signer::new(&consumer, &credential, method)?;
        Ok((signer.login(timestamp)?, signer.unsigned().string_to_sign(timestamp)?))
    };
    let (login, signed) = sign().map_err(|error| match error {
        // The member asks for mode ststoken, and has nothing for it.
        BuildError::Empty { field: Field::SecurityToken, .. } => {
            build_failure(&BuildError::MissingSecurityToken)
        }
        error => build_failure(&error),
    })?;
    let (user_name, password) = (login.user_name(), login.password());
    let plain = plain_response(user_name, password).expect("neither is empty or holds NUL");
    Ok(json!({
        "userName": user_name,
        "stringToSign": signed.expose_str().expect("it is made of texts"),
        "password": password,
        "saslPlainHex": HEXLOWER.encode(plain.expose()),
    }))
}

const fn is_about_client_id(error: &BuildError) -> bool {
    matches!(
        error,
        BuildError::ClientIdEmpty
            | BuildError::ClientIdTooLong { .. }
            | BuildError::ClientIdForbiddenChar { .. }
    )
}

fn build_failure(error: &BuildError) -> Failure {
    let failure = Failure::new(build_error_name(error), error.to_string());
    match error {
        BuildError::ClientIdTooLong { chars } => failure.with("chars", *chars),
        BuildError::ClientIdForbiddenChar { index, ch } => {
            failure.with("index", *index).with("ch", ch.to_string())
        }
        BuildError::Empty { field, .. } => failure.in_field(member(*field)),
        BuildError::ForbiddenChar { field, index, .. } => {
            failure.in_field(member(*field)).with("index", *index)
        }
        BuildError::DuplicateKey { key } => failure.in_field(key),
        BuildError::TooLong { len } => failure.with("len", *len),
        BuildError::BadTimestamp { .. } => failure.in_field(member(Field::Timestamp)),
        _ => failure,
    }
}

/// The name of a field in an error: that of the parameter, and of the member where it is none.
const fn member(field: Field) -> &'static str {
    match field {
        Field::AccessKeySecret => "accessSecret",
        _ => field.as_str(),
    }
}

variant_names! {
    build_error_name: BuildError {
        ClientIdEmpty,
        ClientIdTooLong,
        ClientIdForbiddenChar,
        Empty,
        ForbiddenChar,
        MissingSecurityToken,
        UnexpectedSecurityToken,
        BadTimestamp,
        DuplicateKey,
        TooLong,
        TooManyExtensions,
        MacLen,
    }
}

const EXAMPLE: &str = r#"Example:
  echo '{"clientId":"client-01","consumerGroupId":"DEFAULT_GROUP","accessKeyId":"LTAI5tEXAMPLEKEY00000001","accessSecret":"ExampleSecretKey00000000000001","signMethod":"hmacsha1","timestamp":1573489088171}' |
    inspect amqp-sign"#;
