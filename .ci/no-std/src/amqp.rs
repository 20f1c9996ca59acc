//! `amqp-auth`: logins, their verification, and SASL.

use alloc::{boxed::Box, format};
use core::error::Error;

use amqp_auth::{
    AuthMode, Consumer, Credential, Endpoint, Field, IdleTimeout, Key, MAX_PASSWORD_LEN, Policy,
    SignMethod, Signer, Stack, UnsignedLogin, UserName,
    sasl::{self, DEFAULT_LIMIT, Decoded, Frame, Header, Plain},
    verify,
};
use iot_sansio::{UnixMillis, amqp::SaslCode};

const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);

pub(crate) fn logins() -> Result<(), Box<dyn Error>> {
    let consumer = Consumer::new("client", "DEFAULT_GROUP")?.with_instance_id("iot-example")?;
    let consumer = consumer.with_suffix(1)?.with_extension("encode", "base64")?;
    let _ = (consumer.client_id(), consumer.instance_id(), consumer.consumer_group_id());
    let sts = Credential::sts("STS.K", "secret", "token", Some(NOW));
    let _ = (sts.auth_mode(), sts.expires_at(), sts.security_token());
    for credential in [Credential::key("K", "secret"), sts] {
        for method in SignMethod::ALL {
            let signer = Signer::new(&consumer, &credential, method)?;
            let login = signer.login(NOW)?;
            let _ = signer.password_into(NOW, &mut [0; MAX_PASSWORD_LEN])?;
            let report = login.report();
            let _ = report.unsigned.iter().map(|field| Field::as_str(*field));
            let _ = format!("{report:?} {signer:?}");
            let _ = login.into_secrets();
        }
    }
    let unsigned = UnsignedLogin::new(&consumer, AuthMode::AkSign, "K", None, SignMethod::HmacMd5)?;
    let _ = unsigned.string_to_sign(NOW)?;
    let _ = unsigned.login(NOW, &[0; 16])?;
    Ok(())
}

pub(crate) fn verification() -> Result<(), Box<dyn Error>> {
    let user_name = b"c|authMode=aksign,signMethod=hmacmd5,consumerGroupId=G,authId=K,timestamp=1|";
    let parsed = UserName::parse(user_name)?;
    let _ = format!("{parsed:?} {}", parsed.extensions().count());
    let store = |_: &str| Some(Key::new(b"secret"));
    for policy in [Policy::strict(), Policy::vendor_compatible().with_future(None)] {
        match verify(user_name, b"password", NOW, &policy, &store) {
            Ok(verified) => drop(format!("{verified:?}")),
            Err(error) => drop(format!("{error} {:?}", error.sasl_code())),
        }
    }
    Ok(())
}

pub(crate) fn sasl() -> Result<(), Box<dyn Error>> {
    let _ = [sasl::SASL_HEADER, sasl::AMQP_HEADER, sasl::TLS_HEADER].map(Header::of);
    let _ = sasl::plain_response("user", "password")?;
    let _ = sasl::init_len(4, 8) > sasl::MIN_MAX_FRAME_SIZE;
    let init = sasl::encode_init("user", "password", Some("h.example"))?;
    let mechanisms = sasl::encode_mechanisms(&[sasl::PLAIN])?;
    let outcome = sasl::encode_outcome(SaslCode::OK);
    for bytes in [init.expose(), &mechanisms, &outcome] {
        match sasl::decode(bytes, DEFAULT_LIMIT)? {
            Decoded::Complete { frame: Frame::Init(init), .. } => drop(init.plain()?),
            Decoded::Complete { frame: Frame::Mechanisms(offered), .. } => {
                let _ = (offered.offers_plain(), offered.iter().count());
            }
            other => drop(format!("{other:?}")),
        }
    }
    let _ = Plain::parse(b"\0user\0password")?;
    Ok(())
}

pub(crate) fn places() -> Result<(), Box<dyn Error>> {
    let endpoint: Endpoint = "amqps://h.example:5671".parse()?;
    let _ = format!("{endpoint} {} {}", endpoint.host(), endpoint.port());
    let _ = Endpoint::for_legacy_account("1234567890", "cn-shanghai")?;
    let _ = Endpoint::for_instance("iot-example")?.with_port(15671)?;
    let idle = IdleTimeout::new(IdleTimeout::DEFAULT.on_wire())?;
    let _ = Stack::ALL.map(|stack| idle.configured_for(stack.halves));
    Ok(())
}
