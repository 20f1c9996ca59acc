//! The HTTPS side of SNS: its certificate, and the visits that confirm.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
};

use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use super::{HOST, Shared};

/// Serves for ever.
pub(super) async fn serve(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    // End with this.
    let mut connections = JoinSet::new();
    loop {
        // It fails for a connection that is gone already, and where there are too many: the next one may be better.
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(|request| {
                let response = answer(&shared, &request);
                async { Ok::<_, Infallible>(response) }
            });
            // Whoever breaks the connection gets no answer; that is all.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

fn answer(shared: &Arc<Shared>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let target = request.uri().path_and_query().map(|target| target.as_str()).unwrap_or_default();
    let url = format!("https://{HOST}{target}");
    let (status, body) = if request.method() != Method::GET {
        (StatusCode::METHOD_NOT_ALLOWED, String::new())
    } else if target.starts_with("/?") {
        match shared.visited(&url) {
            true => (StatusCode::OK, "<ConfirmSubscriptionResponse/>".into()),
            false => (StatusCode::FORBIDDEN, String::new()),
        }
    } else {
        shared.certificate_requests.fetch_add(1, Ordering::Relaxed);
        match shared.key.certificate(&url) {
            _ if shared.is_certificate_down.load(Ordering::Relaxed) => {
                (StatusCode::SERVICE_UNAVAILABLE, String::new())
            }
            Some(pem) => (StatusCode::OK, pem.into()),
            None => (StatusCode::NOT_FOUND, String::new()),
        }
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
}
