//! One POST over HTTP, as SNS makes it.

use axum::http::{
    Request, Uri,
    header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::Full;
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::lifecycle::Failure;

/// POSTs to a URL of `http://` with an address, on a connection of its own, and gives the status.
///
/// # Errors
/// There is no answer.
pub async fn post<'a>(
    url: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: &[u8],
) -> Result<u16, Failure> {
    let url: Uri = url.parse()?;
    let authority = url.authority().ok_or("a URL without a host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let mut request = Request::post(url.path())
        .header(HOST, authority)
        .header(CONNECTION, "close")
        .header(CONTENT_TYPE, "text/plain; charset=UTF-8")
        .header(USER_AGENT, "Amazon Simple Notification Service Agent");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body)))?;
    Ok(sender.send_request(request).await?.status().as_u16())
}
