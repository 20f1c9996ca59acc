//! SASL PLAIN on the stream before the stack has it: the stack's own frames end at 512 bytes, as AMQP says, and the
//! token of a temporary key does not fit into them.

use std::io;

use fe2o3_amqp::types::{
    primitives::{Binary, Symbol},
    sasl::{SaslInit, SaslMechanisms, SaslOutcome},
};
use iot_sansio::{Secret, amqp::SaslCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Error;

/// The protocol header.
pub const HEADER: [u8; 8] = *b"AMQP\x03\x01\x00\x00";
/// The one mechanism.
pub const PLAIN: &str = "PLAIN";
/// The largest frame that is read, in bytes.
pub const MAX_FRAME: usize = 8_192;

/// Size, offset of the body, type and two bytes of no meaning.
const FRAME_HEADER: usize = 8;

/// Logs in as a client.
pub(super) async fn log_in<S>(
    stream: &mut S,
    user_name: &Secret,
    password: &Secret,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(&HEADER).await?;
    stream.flush().await?;
    let mut header = [0; HEADER.len()];
    stream.read_exact(&mut header).await?;
    if header != HEADER {
        return Err(Error::Version);
    }
    let read = read_frame(stream, MAX_FRAME).await?;
    let offered: SaslMechanisms = serde_amqp::from_slice(body(&read)?).map_err(io::Error::other)?;
    if !offered.sasl_server_mechanisms.0.iter().any(|name| name.as_str() == PLAIN) {
        return Err(Error::Mechanism);
    }
    let response = [b"\0", user_name.expose(), b"\0", password.expose()].concat();
    let init = SaslInit {
        mechanism: Symbol::from(PLAIN),
        initial_response: Some(Binary::from(response)),
        hostname: None,
    };
    stream.write_all(&frame(serde_amqp::to_vec(&init))?).await?;
    stream.flush().await?;
    let read = read_frame(stream, MAX_FRAME).await?;
    let outcome: SaslOutcome = serde_amqp::from_slice(body(&read)?).map_err(io::Error::other)?;
    match SaslCode::new(outcome.code as u8) {
        SaslCode::OK => Ok(()),
        refused => Err(Error::Refused(refused)),
    }
}

/// Reads one frame, header and all.
///
/// # Errors
/// The stream failed or ended, or the frame is smaller than a header or larger than `max`.
pub async fn read_frame<S>(stream: &mut S, max: usize) -> io::Result<Vec<u8>>
where
    S: AsyncRead + Unpin,
{
    let size = stream.read_u32().await?;
    let length = usize::try_from(size).map_err(io::Error::other)?;
    if !(FRAME_HEADER..=max).contains(&length) {
        return Err(malformed());
    }
    let mut frame = vec![0; length];
    frame[..4].copy_from_slice(&size.to_be_bytes());
    stream.read_exact(&mut frame[4..]).await?;
    Ok(frame)
}

/// What a frame that was read says.
///
/// # Errors
/// It has no body where it says.
pub fn body(frame: &[u8]) -> io::Result<&[u8]> {
    frame.get(usize::from(frame[4]) * 4..).ok_or_else(malformed)
}

/// The frame of SASL with this body.
///
/// # Errors
/// The body could not be encoded.
pub fn frame(body: Result<Vec<u8>, serde_amqp::Error>) -> io::Result<Vec<u8>> {
    let body = body.map_err(io::Error::other)?;
    let size = u32::try_from(FRAME_HEADER + body.len()).map_err(io::Error::other)?;
    Ok([&size.to_be_bytes()[..], &[2, 1, 0, 0], &body].concat())
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame of impossible size")
}
