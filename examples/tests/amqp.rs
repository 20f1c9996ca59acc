//! The scenes of the tour over a real stack, and the example as the program it is.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use amqp_auth::{
    AuthMode, VerifyError,
    platform::{Account, Config, Push},
    session::Cause,
    status::{Change, Status},
};
use examples::{
    amqp::{
        GROUP, Mistake, Stage,
        feed::{self, Feed},
    },
    platform::Platform,
};
use iot_sansio::amqp::SaslCode;
use tokio::{task::spawn_blocking, time::timeout};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
const SEEDS: [u64; 2] = [3, 11];
const KEY_ID: &str = "LTAI5tEXAMPLEKEY00000001";
const SECRET: &str = "ExampleSecretKey00000000000001";

async fn stage(seed: u64) -> Stage {
    Stage::start(seed).await.expect("a platform")
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

#[tokio::test]
async fn both_modes_and_all_methods_are_let_in_and_a_long_token_is_warned_of() {
    let mut stage = stage(1).await;
    let logins = within(stage.log_in()).await.expect("all are good");
    let mut kinds: Vec<_> = logins.iter().map(|login| (login.mode, login.method)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 6);
    for login in logins {
        let is_long = login.report.sasl_init_len > 512;
        assert_eq!(is_long, login.mode == AuthMode::StsToken, "{login:?}");
        assert_eq!(is_long, !login.report.warnings.is_empty(), "{login:?}");
    }
}

#[tokio::test]
async fn a_mistake_is_refused_with_its_reason_and_then_put_right() {
    let mut stage = stage(1).await;
    let slow = Duration::from_secs(14)..=Duration::from_secs(30);
    for mistake in [Mistake::WrongSecret, Mistake::LateClock] {
        let refused = within(stage.make(mistake)).await.expect("refused, and connected then");
        assert_eq!(refused.cause, Cause::Refused(SaslCode::AUTH));
        assert!(slow.contains(&refused.retry_in), "{:?}", refused.retry_in);
        match mistake {
            Mistake::WrongSecret => assert_eq!(refused.reason, VerifyError::BadCredentials),
            Mistake::LateClock => {
                assert!(matches!(refused.reason, VerifyError::Stale { .. }), "{refused:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_documented_example_is_put_into_order() {
    let told = within(stage(1).await.out_of_order()).await.expect("three messages");
    let late: Vec<_> = told.steps.iter().map(|step| step.change == Change::Late).collect();
    assert_eq!(late, [false, true, false]);
    let statuses: Vec<_> = told.steps.iter().map(|step| step.status).collect();
    assert_eq!(statuses, [Status::Online, Status::Online, Status::Offline].map(Some));
    let history: Vec<_> = told.history.iter().map(|notice| notice.status).collect();
    assert_eq!(history, [Status::Offline, Status::Online, Status::Offline]);
    let arrival = told.steps.iter().map(|step| feed::local_time(step.notice.at).unwrap());
    assert!(arrival.eq(["10:02:28.195", "10:01:28.195", "10:03:28.195"]));
}

#[tokio::test]
async fn every_message_is_handed_over_once_whatever_platform_and_network_do() {
    for seed in SEEDS {
        let feed = Feed::new(seed, 100).unwrap();
        let mut heard = 0;
        let mut stage = stage(seed).await;
        let receipt = within(stage.receive(&feed, || heard += 1)).await.expect("it goes on");
        assert_eq!(receipt.handed_over, receipt.pushed, "{receipt:?}");
        assert_eq!(receipt.distinct, receipt.pushed, "{receipt:?}");
        assert_eq!(heard, receipt.pushed);
        assert_eq!(receipt.pending, 0);
        assert_eq!(receipt.connections, 2, "it was cut once");
        assert!(receipt.sent_twice > 0 && receipt.ack_timeouts > 0, "{receipt:?}");
        assert!(receipt.in_work[0] > receipt.in_work[1] && receipt.in_work[1] > 0, "{receipt:?}");
        assert!(receipt.deliveries > receipt.pushed + receipt.in_work[0], "{receipt:?}");
        assert_eq!(receipt.changes.iter().sum::<usize>(), receipt.pushed, "{receipt:?}");
        assert_eq!(receipt.wrong, 0);
        assert!(receipt.naive_wrong > 0, "the feed is too easy");
    }
}

/// More than once: what is settled last must not be overtaken by the Close, on either side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_gives_back_what_was_not_answered_and_loses_no_answer() {
    for seed in 0..8 {
        let given_back = within(stage(seed).await.stop_at_work()).await.expect("all arrive");
        assert_eq!((given_back.accepted, given_back.released), (12, 8));
        assert_eq!((given_back.taken_over, given_back.pending), (8, 0));
    }
}

#[test]
fn the_same_seed_makes_the_same_feed() {
    let [one, same, other] = [1, 1, 2].map(|seed| Feed::new(seed, 50).unwrap());
    assert!(one.messages == same.messages && one.messages != other.messages);
    assert_eq!(one.devices(), 50);
    assert_eq!(one.errors(|_| None), 50);
}

#[tokio::test]
async fn the_example_prints_what_comes_and_stops_when_asked() {
    let account = Account::new(KEY_ID, SECRET).with_group(GROUP);
    let platform = Platform::start(Config::default().with_account(account)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, platform.ca_pem()).unwrap();
    for push in feed::out_of_order().unwrap() {
        platform.command(|machine, now| machine.push(now, GROUP, push)).unwrap();
    }
    let unknown = Push::new("/a1Example01/meter-7/user/report", *b"\xff\x00");
    platform.command(|machine, now| machine.push(now, GROUP, unknown)).unwrap();

    let endpoint = format!("amqps://localhost:{}", platform.port());
    let mut example = Command::new(program())
        .args([endpoint.as_str(), GROUP, "--ca"])
        .arg(&ca)
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", KEY_ID)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET)
        .env_remove("ALIBABA_CLOUD_SECURITY_TOKEN")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (teller, lines) = mpsc::channel();
    let output = BufReader::new(example.stdout.take().unwrap());
    thread::spawn(move || {
        output.lines().map_while(Result::ok).try_for_each(|line| teller.send(line))
    });
    let read = move || {
        let mut read = Vec::new();
        while !read.last().is_some_and(|line: &String| line.starts_with("Custom")) {
            match lines.recv_timeout(HANG) {
                Ok(line) => read.push(line),
                Err(_) => break,
            }
        }
        (read, lines)
    };
    let (read, lines) = spawn_blocking(read).await.unwrap();
    let interrupted = Command::new("kill").args(["-INT", &example.id().to_string()]).status();
    let ended = spawn_blocking(move || example.wait()).await.unwrap();

    let of_status = |line: &String| line.starts_with("DeviceStatus: ");
    assert_eq!(read.iter().filter(|line| of_status(line)).count(), 3, "{read:?}");
    let rest: Vec<_> = read.iter().filter(|line| !of_status(line)).collect();
    let expected = ["connected", "meter-7 is online", "meter-7 is offline", "Custom: 2 bytes"];
    assert_eq!(rest, expected);
    assert!(interrupted.unwrap().success() && ended.unwrap().success());
    assert!(!lines.iter().chain(read).any(|line| line.contains(SECRET)));
    let pending = platform.command(|machine, _| machine.pending().len());
    assert_eq!(pending, 0, "all were accepted");
}

/// Beside the tests, where `cargo test` builds it.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = folder.join(format!("amqp_fe2o3{}", env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "build it first, as plain `cargo test` does: cargo build --example amqp_fe2o3"
    );
    program
}
