//! The endpoint for SNS over real connections: what each POST is answered, what is handled how often, and the example
//! as the program it is.

use std::{
    collections::VecDeque,
    env, fs,
    future::Future,
    io::{BufRead as _, BufReader},
    mem,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, SystemTime},
};

use examples::{
    certificates::Certificates,
    hotel::Hotel,
    https::{GetError, Https},
    sns::{ARN, HOST, Recorded, Sns, post},
    sns_endpoint::{Endpoint, Handler, HandlerError, Report},
};
use smart_properties::{
    TopicArn, UnitId,
    service::{Attacker, Event, Forgery, GivenUp, Occurrence, Publication, Signer},
    sns::{Digest, Fresh},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
/// From one attempt to the next.
const PAUSE: Duration = Duration::from_millis(50);
const SEED: u64 = 3;

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

fn topic() -> TopicArn {
    TopicArn::new(ARN).unwrap()
}

fn activation(id: &str) -> Publication {
    let room = UnitId::new("amzn1.alexa.unit.did.ROOM402").unwrap();
    let occurrence = Occurrence::new(id, "2024-05-01T10:00:00Z");
    Publication::new(occurrence.activation(&room, None).unwrap())
}

/// Handles as it is told to, and notes what it is given.
struct Recorder {
    next: Mutex<VecDeque<Ending>>,
    handled: Mutex<Vec<String>>,
    reports: Mutex<Vec<String>>,
    begun: Semaphore,
    released: Semaphore,
}

#[derive(Clone, Copy)]
enum Ending {
    Fails,
    Panics,
    /// Only when it is released.
    Waits,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            next: Mutex::default(),
            handled: Mutex::default(),
            reports: Mutex::default(),
            begun: Semaphore::new(0),
            released: Semaphore::new(0),
        }
    }
}

impl Recorder {
    fn will(&self, ending: Ending) {
        self.next.lock().unwrap().push_back(ending);
    }

    async fn has_begun(&self) {
        within(self.begun.acquire()).await.unwrap().forget();
    }

    fn release(&self) {
        self.released.add_permits(1);
    }

    fn handled(&self) -> usize {
        self.handled.lock().unwrap().len()
    }

    fn reports(&self) -> Vec<String> {
        mem::take(&mut self.reports.lock().unwrap())
    }
}

impl Handler for Recorder {
    async fn handle(&self, message: &Fresh<'_>) -> Result<(), HandlerError> {
        let ending = self.next.lock().unwrap().pop_front();
        self.begun.add_permits(1);
        match ending {
            Some(Ending::Fails) => return Err("as it was told".into()),
            Some(Ending::Panics) => panic!("as it was told"),
            Some(Ending::Waits) => self.released.acquire().await?.forget(),
            None => {}
        }
        let text = String::from_utf8(message.bytes().to_vec())?;
        self.handled.lock().unwrap().push(text);
        Ok(())
    }

    fn told(&self, report: &Report) {
        self.reports.lock().unwrap().push(report.to_string());
    }
}

/// An endpoint that listens. It stops when it is dropped, but for what it handles.
struct Receiver {
    endpoint: Arc<Endpoint<Recorder>>,
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Receiver {
    async fn start(endpoint: Endpoint<Recorder>) -> Self {
        Self::listen(endpoint, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    async fn listen(endpoint: Endpoint<Recorder>, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (endpoint, address) = (Arc::new(endpoint), listener.local_addr().unwrap());
        let router = Arc::clone(&endpoint).router("/sns");
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, address, _server: server }
    }

    fn url(&self) -> String {
        format!("http://{}/sns", self.address)
    }

    fn handler(&self) -> &Recorder {
        self.endpoint.handler()
    }

    async fn post(&self, recorded: &Recorded) -> u16 {
        within(post(&self.url(), recorded.headers(), &recorded.body)).await.unwrap()
    }

    async fn post_body(&self, body: impl Into<Vec<u8>>) -> u16 {
        self.post(&Recorded { headers: Vec::new(), body: body.into() }).await
    }
}

async fn sns() -> Sns {
    Sns::start(topic(), PAUSE, SEED).await.unwrap()
}

fn endpoint(sns: &Sns) -> Endpoint<Recorder> {
    Endpoint::new([topic()], sns.https().unwrap(), Recorder::default())
}

fn recorded(sns: &Sns, publication: &Publication) -> Recorded {
    sns.recorded(topic(), SystemTime::now().into(), publication).unwrap()
}

/// Both, and a subscription that is confirmed.
async fn subscribed() -> (Sns, Receiver) {
    subscribed_to(sns().await).await
}

async fn subscribed_to(mut sns: Sns) -> (Sns, Receiver) {
    let receiver = Receiver::start(endpoint(&sns).confirming()).await;
    sns.subscribe(&receiver.url()).unwrap();
    let (_, statuses) = within(sns.ended()).await;
    assert_eq!(statuses, [Some(200)]);
    receiver.handler().reports();
    (sns, receiver)
}

/// How the attempts at a message are answered.
async fn published(sns: &mut Sns, publication: &Publication) -> Vec<Option<u16>> {
    let published = sns.publish(publication).unwrap();
    let (ended, statuses) = within(sns.ended()).await;
    assert_eq!(ended.message_id, published);
    statuses
}

#[tokio::test]
async fn a_subscription_is_confirmed_only_where_that_is_allowed() {
    let mut sns = sns().await;
    let careful = Receiver::start(endpoint(&sns)).await;
    sns.subscribe(&careful.url()).unwrap();
    assert_eq!(within(sns.ended()).await.1, [Some(200)]);
    let waits = format!("the subscription to {ARN} waits to be confirmed");
    assert_eq!(careful.handler().reports(), [waits]);
    sns.publish(&activation("a-1")).unwrap();

    let eager = Receiver::start(endpoint(&sns).confirming()).await;
    let subscription = sns.subscribe(&eager.url()).unwrap();
    let confirmed = loop {
        if let Event::Confirmed { subscription } = within(sns.event()).await {
            break subscription;
        }
    };
    assert_eq!(confirmed, subscription);
    assert_eq!(within(sns.ended()).await.1, [Some(200)]);
    assert_eq!(published(&mut sns, &activation("a-2")).await, [Some(200)]);
    assert_eq!((careful.handler().handled(), eager.handler().handled()), (0, 1));

    // Unsubscribed, it does not subscribe again by itself.
    sns.unsubscribe(&subscription).unwrap();
    assert_eq!(within(sns.ended()).await.1, [Some(200)]);
    let reports = eager.handler().reports();
    assert_eq!(reports.last(), Some(&format!("unsubscribed from {ARN}")));
    sns.publish(&activation("a-3")).unwrap();
    assert_eq!(eager.handler().handled(), 1);
}

#[tokio::test]
async fn a_confirmation_that_sns_does_not_take_is_tried_again() {
    let mut sns = sns().await;
    // Of the same seed: it has the same certificate, and no subscription.
    let forgetful = Sns::start(topic(), PAUSE, SEED).await.unwrap();
    let receiver = Receiver::start(endpoint(&forgetful).confirming()).await;
    sns.subscribe(&receiver.url()).unwrap();
    assert_eq!(within(sns.ended()).await.1, [Some(503); 4]);
    let reports = receiver.handler().reports();
    assert!(reports.iter().all(|it| it.ends_with("with status 403")), "{reports:?}");
}

#[tokio::test]
async fn each_outcome_has_its_status() {
    let (mut sns, receiver) = subscribed().await;
    let status = published(&mut sns, &activation("a-1").with_subject("S")).await;
    assert_eq!(status, [Some(200)]);
    receiver.handler().reports();
    let seen = sns.last().unwrap();
    let room = UnitId::new("amzn1.alexa.unit.did.ROOM402").unwrap();
    let text = Occurrence::new("x-1", "2024-05-01T10:00:00Z").activation(&room, None).unwrap();
    for (forgery, status, why) in [
        (Forgery::Signature, 403, "the signature is not one over this message"),
        (Forgery::Message, 403, "the signature is not one over this message"),
        (Forgery::Timestamp, 403, "the signature is not one over this message"),
        (Forgery::Topic, 403, "the TopicArn is not one of the topics"),
        (Forgery::Version, 403, "the signature is not one over this message"),
        (Forgery::Key, 403, "the signature is not one over this message"),
        (Forgery::CertificateUrl, 403, "the SigningCertURL is not one of SNS"),
        (Forgery::Header, 403, "the header of the type does not agree"),
        (Forgery::Bare, 403, "the message came without envelope"),
        (Forgery::Raw, 403, "the message came without envelope"),
        (Forgery::Record, 403, "it has records in it"),
    ] {
        let forged = Attacker::new(Elsewhere, &*text).forge(&seen, forgery).unwrap();
        let answered =
            receiver.post(&Recorded { headers: forged.headers, body: forged.body }).await;
        let reports = receiver.handler().reports();
        assert_eq!(answered, status, "{forgery:?}: {reports:?}");
        assert!(
            matches!(&reports[..], [report] if report.contains(why)),
            "{forgery:?}: {reports:?}"
        );
    }
    let imitation = "a\nMessageId\nbbbbbbbb-000b-5000-8000-00000000000b\nSubject\nz";
    let status = published(&mut sns, &Publication::new(imitation)).await;
    assert_eq!(status, [Some(200)], "it is a text like any other");
    let seen = sns.last().unwrap();
    let resplit = Attacker::new(Elsewhere, "").forge(&seen, Forgery::Resplit).unwrap();
    let resplit = Recorded { headers: resplit.headers, body: resplit.body };
    assert_eq!(receiver.post(&resplit).await, 400);
    let reports = receiver.handler().reports();
    assert_eq!(reports.last().unwrap(), "Subject has a control character in it");
    for body in ["", "hello", "[]", "{}", "{\"Type\":\"Notification\"}"] {
        assert_eq!(receiver.post_body(body).await, 400, "{body}");
    }
    let old = SystemTime::now() - Duration::from_secs(76 * 60);
    let old = sns.recorded(topic(), old.into(), &activation("a-2")).unwrap();
    assert_eq!(receiver.post(&old).await, 403);
    let early = SystemTime::now() + Duration::from_secs(6 * 60);
    let early = sns.recorded(topic(), early.into(), &activation("a-2")).unwrap();
    assert_eq!(receiver.post(&early).await, 403);
    // A recent one, and its event in other messages.
    for _ in 0..2 {
        assert_eq!(receiver.post(&recorded(&sns, &activation("a-2"))).await, 200);
    }
    assert_eq!(published(&mut sns, &activation("a-2")).await, [Some(200)]);
    let not_an_event = published(&mut sns, &Publication::new("hello")).await;
    assert_eq!(not_an_event, [Some(200)]);
    assert_eq!(receiver.handler().handled(), 4);
    assert_eq!(sns.certificate_requests(), 1);
}

#[tokio::test]
async fn what_fails_is_sent_again_and_handled_once() {
    let (mut sns, receiver) = subscribed().await;
    receiver.handler().will(Ending::Fails);
    receiver.handler().will(Ending::Panics);
    let statuses = published(&mut sns, &activation("a-1")).await;
    assert_eq!(statuses, [503, 503, 200].map(Some));
    assert_eq!(receiver.handler().handled(), 1);

    // More often than SNS tries.
    (0..4).for_each(|_| receiver.handler().will(Ending::Fails));
    sns.publish(&activation("a-2")).unwrap();
    let given_up = within(async {
        loop {
            if let Event::GivenUp { reason, .. } = sns.event().await {
                break reason;
            }
        }
    });
    assert!(matches!(given_up.await, GivenUp::Exhausted(_)));
    assert_eq!(receiver.handler().handled(), 1);
}

#[tokio::test]
async fn a_message_posted_eight_times_at_once_is_handled_once() {
    let (sns, receiver) = subscribed().await;
    let message = recorded(&sns, &activation("a-1"));
    receiver.handler().will(Ending::Waits);
    let mut posts = JoinSet::new();
    for _ in 0..8 {
        let (url, body) = (receiver.url(), message.body.clone());
        posts.spawn(async move { post(&url, [], &body).await.unwrap() });
    }
    // One is being handled: all others are asked to come again.
    for _ in 0..7 {
        assert_eq!(within(posts.join_next()).await.unwrap().unwrap(), 503);
    }
    assert_eq!(receiver.handler().handled(), 0);
    receiver.handler().release();
    assert_eq!(within(posts.join_next()).await.unwrap().unwrap(), 200);
    assert_eq!(receiver.post(&message).await, 200);
    assert_eq!(receiver.handler().handled(), 1);
}

#[tokio::test]
async fn many_messages_at_once_need_few_certificates() {
    let sns = sns().await;
    let receiver = Receiver::start(endpoint(&sns)).await;
    let mut posts = JoinSet::new();
    for number in 0..32 {
        let message = recorded(&sns, &activation(&format!("a-{number}")));
        let url = receiver.url();
        posts.spawn(async move { post(&url, [], &message.body).await.unwrap() });
    }
    while let Some(status) = within(posts.join_next()).await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(receiver.handler().handled(), 32);
    assert!((1..=4).contains(&sns.certificate_requests()), "{}", sns.certificate_requests());
}

#[tokio::test]
async fn a_handler_goes_on_when_nobody_waits_any_more() {
    let (sns, receiver) = subscribed().await;
    let message = recorded(&sns, &activation("a-1"));
    receiver.handler().will(Ending::Waits);
    let mut impatient = JoinSet::new();
    let (url, body) = (receiver.url(), message.body.clone());
    impatient.spawn(async move { post(&url, [], &body).await });
    receiver.handler().has_begun().await;
    impatient.shutdown().await;

    assert_eq!(receiver.post(&message).await, 503);
    receiver.handler().release();
    within(async { while receiver.post(&message).await != 200 {} }).await;
    assert_eq!(receiver.handler().handled(), 1);
    within(receiver.endpoint.idle()).await;
}

#[tokio::test]
async fn nothing_is_lost_while_the_endpoint_is_away() {
    // Time enough to come back between two attempts.
    let sns = Sns::start(topic(), 10 * PAUSE, SEED).await.unwrap();
    let (mut sns, receiver) = subscribed_to(sns).await;
    assert_eq!(published(&mut sns, &activation("a-1")).await, [Some(200)]);
    let address = receiver.address;
    drop(receiver);
    sns.publish(&activation("a-2")).unwrap();
    while !matches!(within(sns.event()).await, Event::AttemptFailed { .. }) {}
    let receiver = Receiver::listen(endpoint(&sns), address).await;
    let (_, statuses) = within(sns.ended()).await;
    assert_eq!(statuses.last(), Some(&Some(200)), "{statuses:?}");
    assert_eq!(receiver.handler().handled(), 1);
    // It has its certificate again, and forgotten what it had seen.
    assert_eq!(sns.certificate_requests(), 2);
    assert_eq!(published(&mut sns, &activation("a-1")).await, [Some(200)]);
    assert_eq!(receiver.handler().handled(), 2);
}

#[tokio::test]
async fn a_certificate_is_taken_from_nobody_but_sns() {
    let sns = sns().await;
    let message = recorded(&sns, &activation("a-1"));
    // Whoever answers under that name has to have a certificate that is trusted.
    let others = Certificates::for_host(HOST).unwrap().client().unwrap();
    let distrustful = Https::new(others).connecting_to(sns.address());
    let refused = distrustful.get(sns.certificate_url()).await;
    assert!(matches!(refused, Err(GetError::Connect(_))), "{refused:?}");
    let receiver =
        Receiver::start(Endpoint::new([topic()], distrustful, Recorder::default())).await;
    assert_eq!(receiver.post(&message).await, 503);
    assert_eq!((receiver.handler().handled(), sns.certificate_requests()), (0, 0));
    for url in ["http://sns.us-east-1.amazonaws.com/", "https:///x", "/x", ""] {
        let refused = sns.https().unwrap().get(url).await;
        assert!(matches!(refused, Err(GetError::BadUrl)), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn what_is_fetched_is_short_and_where_it_should_be() {
    let url = "https://sns.us-east-1.amazonaws.com/x.pem";
    let answer = |head: &str, length: usize| {
        [format!("HTTP/1.1 {head}\r\n\r\n").into_bytes(), vec![b'x'; length]].concat()
    };
    let redirect = answer("302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0", 0);
    let (https, _server) = answering(redirect).await;
    let refused = within(https.get(url)).await;
    assert!(matches!(refused, Err(GetError::Status(302))), "{refused:?}");
    for (head, length, is_taken) in [
        ("200 OK\r\nContent-Length: 65536", 65_536, true),
        ("200 OK\r\nContent-Length: 65537", 65_537, false),
        ("200 OK\r\nContent-Length: 65536", 100, false),
    ] {
        let (https, _server) = answering(answer(head, length)).await;
        let got = within(https.get(url)).await;
        assert_eq!(got.is_ok(), is_taken, "{head}, {length} sent");
    }

    // No certificate at all, as the page of an error is none.
    let (https, _server) = answering(answer("200 OK\r\nContent-Length: 5", 5)).await;
    let receiver = Receiver::start(Endpoint::new([topic()], https, Recorder::default())).await;
    let message = recorded(&sns().await, &activation("a-1"));
    assert_eq!(receiver.post(&message).await, 503);
    let reports = receiver.handler().reports();
    assert!(reports[0].starts_with("not a certificate"), "{reports:?}");
}

/// A server that stands in for SNS's host and answers everything so.
async fn answering(answer: Vec<u8>) -> (Https, JoinSet<()>) {
    let certificates = Certificates::for_host(HOST).unwrap();
    let tls = TlsAcceptor::from(certificates.server().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = tls.accept(stream).await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            // Whoever has enough of it leaves.
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (Https::new(certificates.client().unwrap()).connecting_to(address), server)
}

#[tokio::test]
async fn a_body_has_a_limit_in_length_and_in_time() {
    let sns = sns().await;
    let receiver = Receiver::start(endpoint(&sns)).await;
    let limit = 2 * 1024 * 1024;
    assert_eq!(receiver.post_body(vec![b' '; limit]).await, 400);
    assert_eq!(receiver.post_body(vec![b' '; limit + 1]).await, 413);

    let mut endless = TcpStream::connect(receiver.address).await.unwrap();
    let head = "POST /sns HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345";
    endless.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    within(endless.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    assert_eq!(receiver.handler().reports().pop().unwrap(), "no whole body in 4 s");
    // The path of nobody, and what is no POST.
    let elsewhere = format!("http://{}/other", receiver.address);
    assert_eq!(within(post(&elsewhere, [], b"{}")).await.unwrap(), 404);
}

#[tokio::test]
async fn the_scenes_go_the_same_way_with_another_seed() {
    let mut hotel = Hotel::start(SEED).await.unwrap();
    assert!(within(hotel.subscribe()).await.unwrap().is_accepted());
    let failed = within(hotel.fail_automation()).await.unwrap();
    assert_eq!((failed.statuses, failed.handled.len()), (vec![Some(200)], 1));
    let repeated = within(hotel.repeat()).await.unwrap();
    assert_eq!(repeated.iter().map(|it| it.handled.len()).sum::<usize>(), 1);
    for retried in [within(hotel.stumble()).await, within(hotel.rotate()).await] {
        assert_eq!(retried.unwrap().statuses, [503, 200].map(Some));
    }
    within(hotel.surprise()).await.unwrap();
    let attempts = within(hotel.attack()).await.unwrap();
    assert!(attempts.iter().all(|attempt| (400..500).contains(&attempt.status)), "{attempts:?}");
    assert!(within(hotel.open()).await.unwrap().is_active_at_once);
    assert_eq!(within(hotel.place()).await.unwrap().calls, 1);
    within(hotel.revoke()).await.unwrap();
}

#[tokio::test]
async fn the_example_receives_and_tells_no_secret() {
    let mut sns = sns().await;
    let folder = tempfile::tempdir().unwrap();
    let (ca, kept) = (folder.path().join("ca.pem"), folder.path().join("kept.jsonl"));
    fs::write(&ca, sns.ca_pem()).unwrap();
    let mut process = Command::new(program())
        .args(["127.0.0.1:0", ARN, "--confirm", "--sns", &sns.address().to_string(), "--ca"])
        .arg(&ca)
        .arg("--kept")
        .arg(&kept)
        .stdout(Stdio::piped())
        .spawn()
        .map(Example)
        .unwrap();
    let (teller, lines) = mpsc::channel();
    let output = BufReader::new(process.0.stdout.take().unwrap());
    thread::spawn(move || {
        output.lines().map_while(Result::ok).try_for_each(|line| teller.send(line))
    });
    let (first, lines) = spawn_blocking(move || (lines.recv().unwrap(), lines)).await.unwrap();
    let url = first.strip_prefix("listening on ").unwrap();

    sns.subscribe(url).unwrap();
    assert_eq!(within(sns.ended()).await.1, [Some(200)]);
    let asked = sns.last().unwrap();
    assert_eq!(published(&mut sns, &activation("a-1")).await, [Some(200)]);
    assert_eq!(published(&mut sns, &Publication::new("hello")).await, [Some(200)]);
    let (status, printed) = spawn_blocking(move || {
        let id = process.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        (process.0.wait().unwrap(), lines.iter().collect::<Vec<_>>().join("\n"))
    })
    .await
    .unwrap();
    assert!(status.success());
    assert!(printed.contains(&format!("200 OK: subscribed to {ARN}")), "{printed}");
    assert!(printed.contains("Alexa.Enterprise.Subscription.Activation a-1"), "{printed}");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "\"hello\"\n");
    let asked: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    for secret in ["Token", "SubscribeURL"] {
        let secret = asked[secret].as_str().unwrap();
        assert!(!secret.is_empty() && !printed.contains(secret), "{printed}");
    }
}

/// Somebody with a key of their own, and certificates elsewhere.
struct Elsewhere;

impl Signer for Elsewhere {
    fn sign(&self, _digest: Digest, _string_to_sign: &[u8]) -> Vec<u8> {
        vec![0; 256]
    }

    fn certificate_url(&self) -> &str {
        "https://sns.us-east-1.evil.example/\
         SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
    }
}

struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Beside the tests, where `cargo test` builds it.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = folder.join(format!("smart_properties_axum{}", env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "build it first, as plain `cargo test` does: cargo build --example smart_properties_axum"
    );
    program
}
