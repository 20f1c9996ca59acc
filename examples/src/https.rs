//! GET over HTTPS on `hyper`: as much of it as a subscriber of SNS needs. Copy it together with `sns_endpoint.rs`;
//! `Cargo.toml` needs:
//!
//! ```toml
//! http-body-util = "0.1"
//! hyper = { version = "1", features = ["client", "http1"] }
//! hyper-util = { version = "0.1", features = ["tokio"] }
//! thiserror = "2"
//! tokio = { version = "1", features = ["net", "rt", "time"] }
//! tokio-rustls = { version = "0.26", default-features = false, features = ["ring", "tls12"] }
//! ```

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONNECTION, HOST},
    http::uri::Scheme,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// A client that fetches small things: one connection each, no redirects, 5 seconds, 64 KiB.
#[derive(Clone)]
pub struct Https {
    tls: TlsConnector,
    address: Option<SocketAddr>,
}

/// Why there is nothing. It never says what was asked for: a `SubscribeURL` has a token in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// It is not an HTTPS URL with a host.
    #[error("not a URL that begins with https:// and a host")]
    BadUrl,
    /// The host cannot be reached, or shows no certificate that is trusted here.
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Http(#[from] hyper::Error),
    /// The server answered with something else than 200; a redirect is one of these.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The answer is too long, or broke off.
    #[error("the answer breaks off, or has more than {MAX_BYTES} bytes")]
    Body,
    /// It took too long.
    #[error("no answer in {} s", PATIENCE.as_secs())]
    Timeout,
}

impl Https {
    /// Trusts whom this TLS trusts.
    #[must_use]
    pub fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls: tls.into(), address: None }
    }

    /// Connects to this address whatever the host of a URL is, as `curl --connect-to` does: for a stand-in on this
    /// machine. It still has to show a certificate for that host.
    #[must_use]
    pub fn connecting_to(self, address: SocketAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// Fetches.
    ///
    /// # Errors
    /// There is no answer, or not a good one.
    pub async fn get(&self, url: &str) -> Result<Bytes, GetError> {
        timeout(PATIENCE, self.fetch(url)).await.map_err(|_| GetError::Timeout)?
    }

    async fn fetch(&self, url: &str) -> Result<Bytes, GetError> {
        let url: Uri = url.parse().map_err(|_| GetError::BadUrl)?;
        let (Some(host), Some(target)) = (url.host(), url.path_and_query()) else {
            return Err(GetError::BadUrl);
        };
        if url.scheme() != Some(&Scheme::HTTPS) {
            return Err(GetError::BadUrl);
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| GetError::BadUrl)?;
        let stream = match self.address {
            Some(address) => TcpStream::connect(address).await?,
            None => TcpStream::connect((host, url.port_u16().unwrap_or(443))).await?,
        };
        let stream = self.tls.connect(name, stream).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with this function.
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        let request = Request::get(target.as_str()).header(HOST, host).header(CONNECTION, "close");
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| GetError::BadUrl)?;
        let response = sender.send_request(request).await?;
        if response.status() != 200 {
            return Err(GetError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), MAX_BYTES).collect().await;
        Ok(body.map_err(|_| GetError::Body)?.to_bytes())
    }
}

/// SNS waits 15 s for its own answer: there has to be time for one more try of something else.
const PATIENCE: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 64 * 1024;
