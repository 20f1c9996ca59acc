//! SASL PLAIN, as bytes: for stacks and gateways that want them (specification, section 5).
//!
//! Over TLS both sides send [`SASL_HEADER`]; the server offers its mechanisms, the client answers with one frame that
//! holds user name and password, and the server says the outcome. Then both sides send [`AMQP_HEADER`], on the same
//! connection.
//!
//! ```
//! use amqp_auth::sasl::{self, DEFAULT_LIMIT, Decoded, Frame};
//! # use std::error::Error;
//!
//! let sent = sasl::encode_init("user", "password", None)?;
//! let Decoded::Complete { frame: Frame::Init(init), len } = sasl::decode(sent.expose(), DEFAULT_LIMIT)? else {
//!     panic!("a whole sasl-init");
//! };
//! assert_eq!(len, sent.expose().len());
//! let plain = init.plain()?;
//! assert_eq!((plain.user_name, plain.password), (&b"user"[..], &b"password"[..]));
//!
//! // A frame that has not arrived as a whole is no error.
//! let start = &sent.expose()[..20];
//! assert_eq!(sasl::decode(start, DEFAULT_LIMIT)?, Decoded::Partial { needed: len });
//! # Ok::<(), Box<dyn Error>>(())
//! ```

mod decode;
mod encode;
mod frame;
mod header;
mod plain;

pub use decode::{DEFAULT_LIMIT, DecodeError, Decoded, decode};
pub use encode::{
    EncodeError, MIN_MAX_FRAME_SIZE, encode_init, encode_mechanisms, encode_outcome, init_len,
};
pub use frame::{Challenge, Frame, Init, Mechanisms, Outcome, Response};
pub use header::{AMQP_HEADER, Header, SASL_HEADER, TLS_HEADER};
pub use plain::{PLAIN, Plain, PlainError, plain_response};
