//! The scenes of the tour over real connections, and the example as the program it is.

use std::{
    collections::VecDeque,
    env, fs,
    future::Future,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use aia_proto::{
    ClientId, Json, TopicRoot,
    connection::{AcknowledgeCode, Advice, DisconnectCode},
    device::{Blocked, DisconnectCause, Event, Security},
    service::{self, End, Service},
};
use examples::{
    aia::{Access, Conversation, Wrong},
    broker::Broker,
    certificates::Certificates,
    mqtt_adapter::Adapter,
};
use iot_sansio::mqtt::{ConnectOptions, Link, Transport};
use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdout, Command},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
const SEEDS: [u64; 2] = [3, 11];
const TOKEN: &str = "canary-token";

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

/// Both of them, the device registered and connected.
async fn connected(seed: u64) -> (Broker, Conversation) {
    let broker = Broker::start().await.expect("a broker");
    let started = within(Conversation::start(Access::plain(broker.port()), seed)).await;
    let mut conversation = started.expect("the broker lets both in");
    let heard = within(conversation.register()).await.expect("a registration");
    assert_eq!(heard.registrations(), 1);
    (broker, conversation)
}

#[tokio::test]
async fn a_device_registers_connects_and_tells_its_capabilities_once() {
    for seed in SEEDS {
        let broker = Broker::start().await.unwrap();
        let started = within(Conversation::start(Access::plain(broker.port()), seed)).await;
        let mut conversation = started.unwrap();
        let heard = within(conversation.register()).await.unwrap();
        // Registered before or after the MQTT connection is there.
        let told: Vec<_> = heard.device.iter().filter(|it| **it != Event::MqttWanted).collect();
        let [wanted, registered, saved, saved_again, connected] = told[..] else {
            panic!("{heard:?}");
        };
        assert!(matches!(wanted, Event::RegistrationWanted(_)), "{heard:?}");
        assert_eq!((registered, connected), (&Event::Registered, &Event::Connected));
        let digest = |event: &Event| match event {
            Event::Save(registration) => registration.capabilities_digest.is_some(),
            _ => panic!("{heard:?}"),
        };
        assert_eq!((digest(saved), digest(saved_again)), (false, true));
        let is_taken = |event: &&_| matches!(event, service::Event::CapabilitiesAccepted { .. });
        assert_eq!(heard.service.iter().filter(is_taken).count(), 1);

        // What was accepted counts on the next connection, which needs no registration either.
        let heard = within(conversation.reboot()).await.unwrap();
        assert_eq!(heard.device, [Event::Connected]);
        assert_eq!(heard.service.iter().filter(is_taken).count(), 0);
    }
}

#[tokio::test]
async fn wrong_values_are_refused_with_the_advice_to_correct_them() {
    let (_broker, mut conversation) = connected(1).await;
    for (wrong, code, blocked, advice) in [
        (
            Wrong::AccountId,
            AcknowledgeCode::InvalidAccountId,
            Blocked::AccountId,
            Advice::CorrectAccountId,
        ),
        (
            Wrong::ClientId,
            AcknowledgeCode::InvalidClientId,
            Blocked::ClientId,
            Advice::CorrectClientId,
        ),
    ] {
        let refused = within(conversation.refuse(wrong)).await.unwrap();
        assert_eq!((&refused.code, &refused.blocked), (&code, &blocked));
        assert_eq!(refused.code.advice(), advice);
        assert_eq!(refused.corrected.registrations(), 1);
        assert!(refused.corrected.causes().is_empty(), "{refused:?}");
    }
}

#[tokio::test]
async fn directives_and_events_come_in_their_order() {
    let (_broker, mut conversation) = connected(2).await;
    let volumes: Vec<u64> = (0..15).collect();
    let heard = within(conversation.converse(&volumes)).await.unwrap();
    assert_eq!((heard.volumes_told(), heard.volumes_answered()), (volumes.clone(), volumes));
}

#[tokio::test]
async fn a_replay_is_dropped_in_silence() {
    let (_broker, mut conversation) = connected(3).await;
    within(conversation.converse(&[10])).await.unwrap();
    let heard = within(conversation.replay(20)).await.unwrap();
    assert_eq!((heard.volumes_told(), heard.device.len()), (vec![20], 1));
    assert_eq!((heard.volumes_answered(), heard.service.len()), (vec![20], 1));
}

#[tokio::test]
async fn a_replay_with_a_raised_number_is_found_out_and_a_new_connection_follows() {
    let (_broker, mut conversation) = connected(4).await;
    within(conversation.converse(&[10])).await.unwrap();
    let heard = within(conversation.tamper()).await.unwrap();
    let security = heard.device.iter().find_map(|event| match event {
        Event::Security(Security::Tampered { outer, inner, .. }) => Some((outer, inner)),
        _ => None,
    });
    let (outer, inner) = security.expect("a word to whoever looks after security");
    assert_eq!((inner.get(), outer.get()), (0, 1));
    assert_eq!(heard.causes(), [&DisconnectCause::Tampered]);
    assert_eq!(heard.disconnect_codes(), [&DisconnectCode::MessageTampered]);
    assert_eq!((heard.volumes_told(), heard.registrations()), (vec![], 0));

    let heard = within(conversation.converse(&[20])).await.unwrap();
    assert_eq!(heard.volumes_answered(), [20]);
}

#[tokio::test]
async fn a_lost_directive_is_missed_and_a_new_connection_carries_on() {
    let (_broker, mut conversation) = connected(5).await;
    let lost = within(conversation.lose([30, 40])).await.unwrap();
    let heard = &lost.heard;
    assert!(
        matches!(heard.causes()[..], [DisconnectCause::Lost { expected, .. }] if expected.get() == 0),
        "{heard:?}"
    );
    assert_eq!(heard.disconnect_codes(), [&DisconnectCode::UnexpectedSequenceNumber]);
    // The second one came, and was not handed over without the first.
    assert_eq!((heard.volumes_told(), heard.registrations()), (vec![], 0));
    assert_eq!(lost.again.volumes_told(), [30, 40]);
    assert_eq!(lost.again.volumes_answered(), [30, 40]);
}

#[tokio::test]
async fn a_new_secret_is_saved_and_taken_into_use_without_a_break() {
    let (_broker, mut conversation) = connected(6).await;
    let (before, after) = ([1, 2, 3], [4, 5, 6, 7, 8, 9, 10, 11]);
    let rotated = within(conversation.rotate(&before, &after)).await.unwrap();
    assert!(rotated.is_saved);
    assert_eq!((rotated.before.volumes_told(), rotated.before.volumes_answered()), {
        (before.to_vec(), before.to_vec())
    });
    assert_eq!((rotated.after.volumes_told(), rotated.after.volumes_answered()), {
        (after.to_vec(), after.to_vec())
    });
    // Directives 0 to 2, RotateSecret and two more; SynchronizeState, events 1 to 3 and five from SecretRotated on.
    assert_eq!(rotated.first, [6, 9]);
    assert_eq!(rotated.under_new, [6, 4]);
    assert!(rotated.after.causes().is_empty(), "{rotated:?}");

    // Only the new one counts from here on.
    let heard = within(conversation.reboot()).await.unwrap();
    assert_eq!(
        (heard.device, heard.service.len()),
        (vec![Event::Connected], 3),
        "{:?}",
        heard.service
    );
    let heard = within(conversation.converse(&[50])).await.unwrap();
    assert_eq!(heard.volumes_answered(), [50]);
}

#[tokio::test]
async fn the_end_of_the_mqtt_connection_is_survived_and_a_goodbye_is_heard() {
    let (_broker, mut conversation) = connected(7).await;
    let heard = within(conversation.reconnect()).await.unwrap();
    assert_eq!(heard.causes(), [&DisconnectCause::Transport]);
    assert_eq!(heard.registrations(), 0);
    let replaced = heard
        .service
        .iter()
        .any(|event| matches!(event, service::Event::Ended { reason: End::Replaced, .. }));
    assert!(replaced, "{heard:?}");
    let heard = within(conversation.converse(&[60])).await.unwrap();
    assert_eq!(heard.volumes_answered(), [60]);

    let heard = within(conversation.end()).await.unwrap();
    assert!(heard.is_goodbye(), "{heard:?}");
}

#[tokio::test]
async fn the_example_obeys_and_needs_no_registration_the_second_time() {
    let broker = Broker::start().await.unwrap();
    let mut cloud = Cloud::start(broker.port()).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificates, key) = (Certificates::generate().unwrap(), KeyPair::generate().unwrap());
    let params = CertificateParams::new(["my-thing-01".to_string()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(folder.path().join("ca.pem"), certificates.ca_pem()).unwrap();
    let identity = certificate.pem() + &key.serialize_pem();
    fs::write(folder.path().join("identity.pem"), identity).unwrap();
    let front = Front::start(&certificates, certificate.der(), broker.port()).await;

    let mut printed = Vec::new();
    for run in [1, 2] {
        let mut example = Example::start(folder.path(), front.port);
        if run == 1 {
            printed.extend(example.register(&mut cloud, folder.path()).await);
        }
        let state = cloud.until(|event| is_received(event, "SynchronizeState")).await;
        let is_accepted =
            |event: &service::Event| matches!(event, service::Event::CapabilitiesAccepted { .. });
        assert_eq!(state.iter().filter(|event| is_accepted(event)).count(), usize::from(run == 1));
        let client_id = ClientId::new("my-thing-01").unwrap();
        let volume = Json::new(r#"{"volume":40}"#).unwrap();
        let now = cloud.adapter.now();
        cloud.service.send_directive(now, &client_id, "SetVolume", Some(&volume)).unwrap();
        let told = cloud.until(|event| is_received(event, "VolumeChanged")).await;
        let Some(service::Event::Received(changed)) = told.last() else { panic!("{told:?}") };
        assert_eq!(changed.payload, Some(volume));
        printed.extend(example.stop().await);
        let ended = cloud.until(|event| matches!(event, service::Event::Ended { .. })).await;
        let Some(service::Event::Ended { reason: End::Device { code, .. }, .. }) = ended.last()
        else {
            panic!("{ended:?}");
        };
        assert_eq!(code, &Some(DisconnectCode::GoingOffline));
    }
    let saved = folder.path().join("registration.json");
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("registration.request").exists());
    let told = |what: &str| printed.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((told("run this"), told("connected"), told("SetVolume")), (1, 2, 2), "{printed:?}");
    assert!(!printed.iter().any(|line| line.contains(TOKEN)), "{printed:?}");

    // What was saved for another account.
    let other = fs::read_to_string(&saved).unwrap().replace("123456789012", "210987654321");
    fs::write(&saved, other).unwrap();
    let example = Example::start(folder.path(), front.port);
    cloud.until(|event| matches!(event, service::Event::Refused { .. })).await;
    let (status, said) = example.end().await;
    assert!(!status.success());
    assert!(said.contains("correct the AWS account id"), "{said}");
}

fn is_received(event: &service::Event, name: &str) -> bool {
    matches!(event, service::Event::Received(received) if received.name == name)
}

/// The service on the broker, by itself.
struct Cloud {
    service: Service,
    adapter: Adapter,
    events: VecDeque<service::Event>,
}

impl Cloud {
    async fn start(port: u16) -> Self {
        let config = service::Config::new(TopicRoot::new("$aws/alexa").unwrap(), [7; 32]);
        let (service, mut adapter) = (Service::new(config), Adapter::new());
        let options = ConnectOptions::new("127.0.0.1", port, Transport::Tcp, "service");
        adapter.open(Link::new(1), &options);
        let mut cloud = Self { service, adapter, events: VecDeque::new() };
        cloud.until(|event| matches!(event, service::Event::Listening { .. })).await;
        cloud
    }

    /// What it tells up to such an event.
    async fn until(&mut self, is_last: impl Fn(&service::Event) -> bool) -> Vec<service::Event> {
        let mut told = Vec::new();
        while !told.last().is_some_and(&is_last) {
            match self.events.pop_front() {
                Some(event) => told.push(event),
                None => {
                    let tell = |event| self.events.push_back(event);
                    within(self.adapter.step(&mut self.service, tell)).await.unwrap();
                }
            }
        }
        told
    }
}

/// TLS in front of the broker, for whoever shows this certificate, as AWS IoT has it.
struct Front {
    port: u16,
    /// Ends with this.
    _task: JoinSet<()>,
}

impl Front {
    async fn start(certificates: &Certificates, client: &CertificateDer<'_>, port: u16) -> Self {
        let mut clients = RootCertStore::empty();
        clients.add(client.clone().into_owned()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(clients.into(), Arc::clone(&provider));
        let server = CertificateDer::from_pem_slice(certificates.server_pem().as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(certificates.server_key_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![server], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let mut task = JoinSet::new();
        task.spawn(async move {
            // One after the other: the example has one connection.
            while let Ok((stream, _)) = listener.accept().await {
                let mut outside = acceptor.accept(stream).await.expect("a client certificate");
                let mut inside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                // However it ends: the next one may come.
                let _ = copy_bidirectional(&mut outside, &mut inside).await;
            }
        });
        Self { port: own_port, _task: task }
    }
}

struct Example {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Example {
    fn start(folder: &Path, port: u16) -> Self {
        let mut process = Command::new(program())
            .args(["123456789012", "my-thing-01", "localhost", "amzn1.example"])
            .arg(folder.join("registration.json"))
            .arg("--identity")
            .arg(folder.join("identity.pem"))
            .arg("--ca")
            .arg(folder.join("ca.pem"))
            .args(["--port", &port.to_string()])
            .env("LWA_REFRESH_TOKEN", TOKEN)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// Makes the request that it asks for; what it has printed until then.
    async fn register(&mut self, cloud: &mut Cloud, folder: &Path) -> Vec<String> {
        let mut printed = Vec::new();
        while !printed.iter().any(|line: &String| line.contains("curl")) {
            printed.push(within(self.lines.next_line()).await.unwrap().expect("it goes on"));
        }
        let body = fs::read(folder.join("registration.request")).unwrap();
        let now = cloud.adapter.now();
        let answer = cloud.service.register(now, &body).unwrap();
        let body = String::from_utf8(answer.body).unwrap();
        let entered = format!("{body}\n{}\n", answer.status);
        let stdin = self.process.stdin.as_mut().unwrap();
        stdin.write_all(entered.as_bytes()).await.unwrap();
        printed
    }

    /// How it ends by itself, and what it says then.
    async fn end(self) -> (ExitStatus, String) {
        let ended = within(self.process.wait_with_output()).await.unwrap();
        (ended.status, String::from_utf8(ended.stderr).unwrap())
    }

    /// As Ctrl-C does; the rest of what it has printed.
    async fn stop(mut self) -> Vec<String> {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
        let mut printed = Vec::new();
        while let Some(line) = within(self.lines.next_line()).await.unwrap() {
            printed.push(line);
        }
        assert!(within(self.process.wait()).await.unwrap().success());
        printed
    }
}

/// Beside the tests, where `cargo test` builds it.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = folder.join(format!("aia_rumqttc{}", env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "build it first, as plain `cargo test` does: cargo build --example aia_rumqttc"
    );
    program
}
