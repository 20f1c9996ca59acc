//! The HTTP server that RabbitMQ asks, as a gateway would run it: it verifies logins.

use std::{
    collections::HashSet,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use amqp_auth::{Key, Policy, UserName, VerifyError, verify};
use axum::{Form, Router, extract::State, routing::post};
use iot_sansio::UnixMillis;
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{KEY_ID, KEY_SECRET, STS_ID, STS_SECRET, STS_TOKEN};

/// Ends when it is dropped.
pub(crate) struct Verifier {
    port: u16,
    answers: Answers,
    _task: JoinSet<()>,
}

/// What was answered to a password, for each client id.
type Answers = Arc<Mutex<Vec<(String, Result<(), VerifyError>)>>>;

#[derive(Clone, Default)]
struct Asked {
    answers: Answers,
    admitted: Arc<Mutex<HashSet<String>>>,
}

#[derive(Deserialize)]
struct User {
    username: String,
    password: Option<String>,
}

impl Verifier {
    pub(crate) async fn start() -> Self {
        let asked = Asked::default();
        let answers = Arc::clone(&asked.answers);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let allow = || post(async || ALLOW);
        let router = Router::new()
            .route("/auth/user", post(user))
            .route("/auth/vhost", allow())
            .route("/auth/resource", allow())
            .route("/auth/topic", allow())
            .with_state(asked);
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, answers, _task: task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What was answered to passwords of this client.
    pub(crate) fn answers(&self, client_id: &str) -> Vec<Result<(), VerifyError>> {
        let answers = self.answers.lock().expect("nobody panicked");
        let of_client = answers.iter().filter(|(client, _)| *client == client_id);
        of_client.map(|(_, answer)| answer.clone()).collect()
    }
}

async fn user(State(asked): State<Asked>, Form(user): Form<User>) -> &'static str {
    let mut admitted = asked.admitted.lock().expect("nobody panicked");
    let is_admitted = match user.password {
        Some(password) => {
            let now = UnixMillis::from(SystemTime::now());
            let (name, policy) = (user.username.as_bytes(), Policy::strict());
            let answer = verify(name, password.as_bytes(), now, &policy, &key).map(|_| ());
            let is_good = answer.is_ok();
            let client = UserName::parse(name).map_or("", |name| name.client_id());
            asked.answers.lock().expect("nobody panicked").push((client.to_string(), answer));
            if is_good {
                admitted.insert(user.username);
            }
            is_good
        }
        // RabbitMQ asks again at every Begin, and does not have the password any more.
        None => admitted.contains(&user.username),
    };
    if is_admitted { ALLOW } else { "deny" }
}

fn key(auth_id: &str) -> Option<Key<'static>> {
    match auth_id {
        KEY_ID => Some(Key::new(KEY_SECRET.as_bytes())),
        STS_ID => Some(Key::temporary(STS_SECRET.as_bytes(), STS_TOKEN, None)),
        _ => None,
    }
}

const ALLOW: &str = "allow";
