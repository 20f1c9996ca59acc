//! SASL PLAIN on the stream before the stack has it: the stack's own frames end at 512 bytes, as AMQP says, and the
//! token of a temporary key does not fit into them.

use std::io;

use amqp_auth::sasl::{DEFAULT_LIMIT, Decoded, Frame, SASL_HEADER, decode, encode_init};
use iot_sansio::{Secret, amqp::SaslCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::Error;

/// Logs in as a client.
pub(super) async fn log_in<S>(
    stream: &mut S,
    user_name: &Secret,
    password: &Secret,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let text = |secret: &Secret| secret.expose_str().map(str::to_owned).map_err(io::Error::other);
    let init = encode_init(&text(user_name)?, &text(password)?, None).map_err(io::Error::other)?;

    stream.write_all(&SASL_HEADER).await?;
    stream.flush().await?;
    let mut header = [0; SASL_HEADER.len()];
    stream.read_exact(&mut header).await?;
    if header != SASL_HEADER {
        return Err(Error::Version);
    }
    match parse(&read_frame(stream, DEFAULT_LIMIT).await?)? {
        Frame::Mechanisms(offered) if offered.offers_plain() => {}
        Frame::Mechanisms(_) => return Err(Error::Mechanism),
        _ => return Err(malformed().into()),
    }
    stream.write_all(init.expose()).await?;
    stream.flush().await?;
    match parse(&read_frame(stream, DEFAULT_LIMIT).await?)? {
        Frame::Outcome(outcome) if outcome.code == SaslCode::OK => Ok(()),
        Frame::Outcome(outcome) => Err(Error::Refused(outcome.code)),
        _ => Err(malformed().into()),
    }
}

/// Reads one frame, of SASL or not, header and all.
///
/// # Errors
/// The stream failed or ended, or the frame is smaller than a header or larger than `max` bytes.
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

/// What a whole frame of SASL says.
///
/// # Errors
/// It is none.
pub fn parse(frame: &[u8]) -> io::Result<Frame<'_>> {
    match decode(frame, frame.len()).map_err(io::Error::other)? {
        Decoded::Complete { frame, .. } => Ok(frame),
        _ => Err(malformed()),
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame that does not belong here")
}

/// Size, offset of the body, type and two bytes of no meaning.
const FRAME_HEADER: usize = 8;
