//! The endpoint of a subscription over HTTP, as a program has it that reads with the crate.

use std::{
    net::Ipv4Addr,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use iot_sansio::UnixMillis;
use serde_json::{Value, json};
use smart_properties::sns::{
    Answer, Certificate, Classifier, Headers, Inbound, Ring, Verifier, Via,
};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::timeout,
};

use crate::{HANG, ours::topic, signed::CERTIFICATE_URL};

/// Ends when it is dropped.
pub(crate) struct Endpoint {
    port: u16,
    deliveries: UnboundedReceiver<Delivered>,
    certificate: Arc<OnceLock<Certificate>>,
    _task: JoinSet<()>,
}

/// What came, and what was answered to it.
pub(crate) struct Delivered {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) answer: Answer,
}

#[derive(Clone)]
struct Shared {
    deliveries: UnboundedSender<Delivered>,
    certificate: Arc<OnceLock<Certificate>>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let (sender, deliveries) = unbounded_channel();
        let certificate = Arc::new(OnceLock::new());
        let shared = Shared { deliveries: sender, certificate: Arc::clone(&certificate) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let router = Router::new().route("/events", post(receive)).with_state(shared);
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, deliveries, certificate, _task: task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/events", self.port)
    }

    /// Reads from now on what comes as if its certificate, this one, was where SNS has them.
    pub(crate) fn trust(&self, certificate: Certificate) {
        assert!(self.certificate.set(certificate).is_ok(), "only one");
    }

    /// The next that comes.
    pub(crate) async fn delivery(&mut self) -> Delivered {
        timeout(HANG, self.deliveries.recv()).await.expect("a delivery").expect("it runs")
    }
}

impl Delivered {
    pub(crate) fn headers(&self) -> Headers<'_> {
        Headers::from_pairs(self.headers.iter().map(|(name, value)| (&**name, &**value)))
    }
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers = headers.iter().map(|(name, value)| {
        (name.as_str().to_string(), value.to_str().expect("text").to_string())
    });
    let mut delivered =
        Delivered { headers: headers.collect(), body: body.into(), answer: Answer::Retry };
    let certificate = shared.certificate.get();
    let moved = certificate.and_then(|_| moved(&delivered.body));
    let body = moved.as_deref().unwrap_or(&delivered.body);
    delivered.answer = answer(&delivered.headers(), body, certificate);
    let status = delivered.answer.status();
    // The test may be over.
    let _ = shared.deliveries.send(delivered);
    StatusCode::from_u16(status).expect("a status")
}

fn answer(headers: &Headers<'_>, body: &[u8], certificate: Option<&Certificate>) -> Answer {
    let envelope = match Classifier::new(Via::Http).classify(body, headers) {
        Ok(Inbound::Envelope(envelope)) => envelope,
        Ok(_) => return Answer::Malformed,
        Err(error) => return error.answer(),
    };
    let unverified = match Verifier::new(Via::Http, [topic()]).check(envelope) {
        Ok(unverified) => unverified,
        Err(error) => return error.answer(),
    };
    let Some(certificate) = certificate else { return Answer::Retry };
    match unverified.verify(certificate, &Ring, UnixMillis::from(SystemTime::now())) {
        Ok(_) => Answer::Accept,
        Err(error) => error.answer(),
    }
}

/// The same message with its certificate where SNS has them: that URL is not signed. None of what is no JSON object.
pub(crate) fn moved(body: &[u8]) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    *message.get_mut("SigningCertURL")? = json!(CERTIFICATE_URL);
    Some(message.to_string().into_bytes())
}
