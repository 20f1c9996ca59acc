//! The scenes of the tour over real connections, and the example as the program it is.

use std::{
    env, fs,
    future::Future,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use examples::{kii::Lamps, kii_cloud::KiiCloud};
use kii_onboard::{
    Advice, App, ErrorCode, Json, Stage, TransportKind, VendorThingId,
    call::Answer,
    cloud::{Config, Event},
    command::{Action, CommandState, NewCommand},
    onboarding::Owner,
    thing::{CallFailure, Cause, IgnoreReason},
};
use tokio::{task::spawn_blocking, time::timeout};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
const SEEDS: [u64; 2] = [3, 11];
const APP_KEY: &str = "canary-key";
const PASSWORD: &str = "canary-password";

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

async fn lamps(count: usize) -> Lamps {
    let mut lamps = Lamps::start(1).await.expect("a cloud");
    within(lamps.onboard(count)).await.expect("all come in");
    lamps
}

#[tokio::test]
async fn all_lamps_come_in_at_once_although_two_answers_are_no_good() {
    for seed in SEEDS {
        let mut lamps = Lamps::start(seed).await.unwrap();
        let arrivals = within(lamps.onboard(5)).await.unwrap();
        let mut causes: Vec<_> = arrivals.ways.iter().flat_map(|way| &way.causes).collect();
        causes.sort_by_key(|cause| matches!(cause, Cause::Status(_)));
        assert!(matches!(causes[..], [Cause::OnboardTimeout, Cause::Status(_)]), "{causes:?}");
        assert!(arrivals.ways.iter().all(|way| way.onboardings() == 1), "{arrivals:?}");
        assert_eq!((arrivals.things, arrivals.onboardings, arrivals.states), (5, 6, 5));
        assert!(arrivals.most_anonymous > 1, "{arrivals:?}");
    }
}

#[tokio::test]
async fn commands_are_carried_out_before_and_after_a_restart_of_the_brokers() {
    let mut lamps = lamps(4).await;
    let before = within(lamps.command()).await.unwrap();
    assert_eq!((before.done, before.results, before.on), (4, [4, 4], 4));

    let restarted = within(lamps.restart()).await.unwrap();
    assert_eq!(restarted.send_failed, 4);
    assert_eq!(restarted.ways.iter().map(|way| way.onboardings()).sum::<usize>(), 1);
    for way in &restarted.ways {
        match way.onboardings() {
            0 => assert_eq!(way.causes, [Cause::ConnectionLost]),
            _ => assert!(
                matches!(way.causes[..], [Cause::ConnectionLost, Cause::EndpointRefused(_)]),
                "{way:?}"
            ),
        }
    }
    let after = within(lamps.command()).await.unwrap();
    assert_eq!((after.done, after.results), (4, [4, 4]));
    within(lamps.end()).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_expires_is_replaced_and_a_wrong_password_explained() {
    let mut lamps = lamps(3).await;
    let expired = within(lamps.expire()).await.unwrap();
    assert!(expired.way.has_expired && expired.is_another, "{expired:?}");
    assert_eq!(expired.way.onboardings(), 2);

    let refused = within(lamps.refuse()).await.unwrap();
    assert_eq!(refused.error.code, Some(ErrorCode::WrongPassword));
    assert_eq!(refused.error.advice(), Advice::CheckThingPassword);
    assert_eq!((refused.corrected.onboardings(), &refused.corrected.causes[..]), (1, &[][..]));
}

#[tokio::test]
async fn a_response_on_an_unknown_topic_is_left_alone() {
    let astray = within(lamps(3).await.lead_astray()).await.unwrap();
    let [ignored] = &astray.unanswered.ignored[..] else {
        panic!("{astray:?}");
    };
    assert_eq!(ignored.why, IgnoreReason::UnknownTopic);
    assert_eq!(astray.unanswered.cause, CallFailure::Timeout);
    assert_eq!(astray.again, Answer::StateStored { is_first: false });
}

#[tokio::test]
async fn a_saved_endpoint_serves_after_a_reboot() {
    let restored = within(lamps(3).await.reboot()).await.unwrap();
    assert_eq!((restored.way.onboardings(), &restored.way.causes[..]), (0, &[][..]));
    assert_eq!(restored.answer, Answer::StateStored { is_first: false });
}

#[tokio::test]
async fn the_example_obeys_and_needs_no_onboarding_the_second_time() {
    let app = App::new("app01", APP_KEY).unwrap();
    let mut cloud = KiiCloud::start(Config::new(app.clone(), "localhost")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (ca, saved) = (folder.path().join("ca.pem"), folder.path().join("endpoint.json"));
    fs::write(&ca, cloud.ca_pem()).unwrap();
    let vendor_id = VendorThingId::new("lamp-1").unwrap();

    let mut printed = Vec::new();
    for (run, onboardings) in [(1, 1), (2, 0)] {
        let mut example = Example::start(&cloud, PASSWORD, &saved, &ca);
        let mut onboarded = 0;
        let mut sent = None;
        loop {
            match within(cloud.event()).await {
                Event::Onboarded { .. } => onboarded += 1,
                // It listens, and its state is there.
                Event::StateStored { thing_id, .. } if sent.is_none() => {
                    let power = Json::new(r#"{"power":true}"#).unwrap();
                    let command = NewCommand::plain(
                        Owner::user("u1").unwrap(),
                        "lamp",
                        1,
                        [Action::new("turnPower", power)],
                    );
                    let command = command.unwrap();
                    let id = cloud.command(|it, now| it.send_command(now, &thing_id, &command));
                    sent = Some((thing_id, id.unwrap()));
                }
                Event::StateStored { .. } => break,
                _ => {}
            }
        }
        let (thing_id, command_id) = sent.unwrap();
        cloud.command(|machine, _| {
            assert_eq!(machine.thing_id(&app.id, &vendor_id), Some(&*thing_id));
            assert_eq!(machine.state(&thing_id).unwrap().as_str(), r#"{"power":true}"#);
            let command = machine.command(&thing_id, &command_id).unwrap();
            assert_eq!(command.state, CommandState::Done);
        });
        assert_eq!(onboarded, onboardings, "run {run}");
        printed.extend(spawn_blocking(move || example.stop()).await.unwrap());
    }
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    let told = |what: &str| printed.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!((told("onboarded as th."), told("turnPower: ")), (1, 2), "{printed:?}");
    for secret in [APP_KEY, PASSWORD] {
        assert!(!printed.iter().any(|line| line.contains(secret)), "{printed:?}");
    }
    // A lamp of the same name, without what was saved and with another password.
    let other = folder.path().join("other.json");
    let mut example = Example::start(&cloud, "another password", &other, &ca);
    let (status, said) = spawn_blocking(move || example.end()).await.unwrap();
    assert!(!status.success());
    assert!(said.contains("check the thing's password"), "{said}");
    assert!(!other.exists());
}

struct Example {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Example {
    fn start(cloud: &KiiCloud, password: &str, saved: &Path, ca: &Path) -> Self {
        let port = cloud.ports(Stage::Boot).get(TransportKind::Tls).unwrap();
        let mut process = Command::new(program())
            .args(["app01", "lamp-1"])
            .arg(saved)
            .args(["--host", "localhost", "--port", &port.to_string(), "--ca"])
            .arg(ca)
            .env("KII_APP_KEY", APP_KEY)
            .env("KII_THING_PASSWORD", password)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (teller, lines) = mpsc::channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| teller.send(line))
        });
        Self { process, lines }
    }

    /// How it ends by itself, and what it says then.
    fn end(&mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap(), said)
    }

    /// As Ctrl-C does; tells all that it has printed.
    fn stop(&mut self) -> Vec<String> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
        self.lines.iter().collect()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Beside the tests, where `cargo test` builds it.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = folder.join(format!("kii_rumqttc{}", env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "build it first, as plain `cargo test` does: cargo build --example kii_rumqttc"
    );
    program
}
