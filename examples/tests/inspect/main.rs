//! `inspect` by its contract: in this process, where every case can be looked at, and once as the program it is.

use std::{
    env,
    ffi::OsString,
    io::{self, Write as _},
    iter,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;

mod aia_connection;
mod aia_node;
mod aia_protect;
mod aia_reference;
mod aia_topic;
mod amqp_message;
mod amqp_parse;
mod amqp_reference;
mod amqp_sign;
mod amqp_verify;
#[path = "../../inspect/main.rs"]
#[expect(dead_code, reason = "`main` is for the program")]
mod inspect;
mod kii_frame;
mod kii_onboarding;
mod kii_push;
mod kii_reference;
mod kii_topic;
mod lifecycle;
mod lifecycle_decode;
mod smart_properties;
mod sns_reference;
mod sns_verify;

#[test]
fn lines_have_numbers_and_bounds_and_blank_ones_count() {
    let good = r#"{"payload":{"clientId":"d","timestamp":1700000000000,"eventType":"connected"}}"#;
    let longest = good.to_owned() + &" ".repeat(MAX_LINE_BYTES - good.len());
    let mut input = b"\n \t\r\n".to_vec();
    for line in [
        good.as_bytes(),
        b"",
        longest.as_bytes(),
        format!("{longest} ").as_bytes(),
        &b" ".repeat(5 * MAX_LINE_BYTES),
        &b"\xff".repeat(2 * MAX_LINE_BYTES),
        b"{\"payload\":\"\xff\"}",
        // The end of a line on other systems is space to JSON.
        format!("{good}\r").as_bytes(),
    ] {
        input.extend(line);
        input.push(b'\n');
    }
    input.extend(good.as_bytes());
    let (status, output) = run(&["lifecycle-decode"], &input);
    assert_eq!(status, 1);
    assert_eq!(
        kinds(&output),
        ["3 ok", "5 ok", "6 BadInput", "7 BadInput", "8 BadInput", "9 BadInput", "10 ok", "11 ok"]
    );
    // Nothing at all is in order, and so is a last line that is just long enough.
    assert_eq!(run(&["lifecycle-decode"], ""), (0, vec![]));
    assert_eq!(run(&["lifecycle"], "\n\n"), (0, vec![]));
    assert_eq!(kinds(&run(&["lifecycle-decode"], &longest).1), ["1 ok"]);
    assert_eq!(kinds(&run(&["lifecycle-decode"], longest + " ").1), ["1 BadInput"]);
}

#[test]
fn what_other_systems_put_around_a_line_is_not_part_of_it() {
    let good = r#"{"payload":{"clientId":"d","timestamp":1700000000000,"eventType":"connected"}}"#;
    let longest = good.to_owned() + &" ".repeat(MAX_LINE_BYTES - good.len());
    let input = format!("\u{feff}{longest}\r\n{longest}\r\n{longest}\r\r\n{longest} \r\n{good}");
    let (_, output) = run(&["lifecycle-decode"], &input);
    assert_eq!(kinds(&output), ["1 ok", "2 ok", "3 BadInput", "4 BadInput", "5 ok"]);
    // Without the newline, the return is a byte like any other; and the mark is one on later lines.
    for (input, expected) in [
        (format!("\u{feff}{longest}"), &["1 ok"][..]),
        (format!("\u{feff}{longest} "), &["1 BadInput"]),
        (format!("\u{feff}{longest}      \n{good}"), &["1 BadInput", "2 ok"]),
        (format!("{longest}\r"), &["1 BadInput"]),
        (format!("\u{feff}\r\n{good}\n\u{feff}{good}\n"), &["2 ok", "3 BadInput"]),
        (format!("\u{feff}\u{feff}{good}\n"), &["1 BadInput"]),
    ] {
        assert_eq!(kinds(&run(&["lifecycle-decode"], &input).1), expected);
    }
}

#[test]
fn a_member_may_have_any_name_that_json_can_write() {
    let with = |name: &str| {
        format!(
            r#"{{"{name}":"\udc00","p\u0061yload":{{"clientId":"d","timestamp":1700000000000,"eventType":"x"}}}}"#
        )
    };
    for (name, expected) in [
        (r"\ud800", "1 ok"),
        (r"\udc00\ud800 é", "1 ok"),
        (r"\ud83d\ude00", "1 ok"),
        ("", "1 ok"),
        ("\u{1}", "1 BadInput"),
        ("\t", "1 BadInput"),
        (r"\ud80", "1 BadInput"),
        (r"\x", "1 BadInput"),
    ] {
        assert_eq!(kinds(&run(&["lifecycle-decode"], with(name)).1), [expected], "{name:?}");
    }
}

/// What a crate adds to its errors must get a name in the lists.
#[test]
fn every_error_of_the_crates_has_its_name() {
    let sources = [
        (
            include_str!("../../../iot-lifecycle/src/decode_error.rs"),
            "DecodeError",
            LIFECYCLE_DECODE,
        ),
        (include_str!("../../../iot-lifecycle/src/topic.rs"), "TopicError", LIFECYCLE_DECODE),
        (include_str!("../../../iot-lifecycle/src/order.rs"), "HeadError", LIFECYCLE),
        (include_str!("../../../iot-lifecycle/src/fleet.rs"), "ApplyError", LIFECYCLE),
        (include_str!("../../../amqp-auth/src/build_error.rs"), "BuildError", AMQP_SIGN),
        (include_str!("../../../amqp-auth/src/user_name.rs"), "ParseError", AMQP_PARSE),
        (include_str!("../../../amqp-auth/src/verify.rs"), "VerifyError", AMQP_VERIFY),
        (include_str!("../../../amqp-auth/src/message/body.rs"), "BodyError", AMQP_MESSAGE),
        (include_str!("../../../kii-onboard/src/frame/error.rs"), "DecodeError", KII_REQUEST),
        (ONBOARDED_ERROR, "OnboardedError", KII_ONBOARDING),
        (include_str!("../../../kii-onboard/src/command/push.rs"), "PushError", KII_PUSH),
        (include_str!("../../../kii-onboard/src/command/push.rs"), "BadPush", KII_PUSH),
        (include_str!("../../../kii-onboard/src/command/push.rs"), "BadCommand", KII_PUSH),
        (include_str!("../../../aia-proto/src/topic.rs"), "TopicError", AIA_TOPIC),
        (include_str!("../../../aia-proto/src/topic.rs"), "TopicRule", AIA_TOPIC),
        (AIA_MESSAGE_ERROR, "MessageError", AIA_CONNECTION),
        (include_str!("../../../aia-proto/src/json.rs"), "JsonFault", AIA_CONNECTION),
        (include_str!("../../../aia-proto/src/protect/cipher.rs"), "OpenError", AIA_OPEN),
        (SMART_EVENT, "EventKind", SMART_PROPERTIES),
        (SMART_EVENT, "Warning", SMART_PROPERTIES),
        (SMART_EVENT_ERROR, "EventError", SMART_PROPERTIES),
        (SNS_ENVELOPE_ERROR, "EnvelopeError", SMART_PROPERTIES),
        (include_str!("../../../smart-properties/src/topic_arn.rs"), "TopicArnError", SNS_VERIFY),
        (include_str!("../../../smart-properties/src/sns/verifier.rs"), "VerifyError", SNS_VERIFY),
        (include_str!("../../../smart-properties/src/sns/url.rs"), "UrlError", SNS_VERIFY),
        (SNS_CERTIFICATE, "CertificateError", SNS_VERIFY),
    ];
    for (source, error, list) in sources {
        let (_, body) = source.split_once(&format!("pub enum {error} {{\n")).unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let (_, listed) = list.split_once(&format!(": {error} {{")).unwrap();
        let (listed, _) = listed.split_once('}').unwrap();
        let listed: Vec<&str> =
            listed.split([',', ' ', '\n']).filter(|name| !name.is_empty()).collect();
        let is_variant = |line: &&str| line.starts_with(|first: char| first.is_ascii_uppercase());
        let variants = body.lines().filter_map(|line| line.strip_prefix("    ")).filter(is_variant);
        let variants: Vec<&str> = variants
            .map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap())
            .collect();
        assert_eq!(listed, variants, "{error}");
    }
}

#[test]
fn wrong_usage_is_said_on_standard_error_only() {
    for args in [
        &[][..],
        &["unknown"],
        &["lifecycle", "--strict"],
        &["lifecycle", "file.jsonl"],
        &["lifecycle", "--wait-ms"],
        &["lifecycle", "--wait-ms", "-5"],
        &["lifecycle", "--wait-ms", "5s"],
        &["lifecycle", "--wait-ms", "9000000000001"],
        &["lifecycle", "--theta-ms", "18446744073709551616"],
        &["lifecycle", "--wait-for", "CONNECTION_LOST"],
        &["lifecycle", "--wait-for", "=5"],
        &["lifecycle", "--wait-for", "CONNECTION_LOST=soon"],
        &["lifecycle-decode", "--strict=yes"],
        // Secrets are read from standard input only.
        &["amqp-sign", "--accessSecret", "x"],
        &["amqp-parse", "client-01|authMode=aksign|"],
        &["amqp-verify", "--window-ms", "600000"],
        &["kii-onboarding", "--end-node"],
        &["kii-topic", "p/TT/thing-if/apps/app01/onboardings"],
        &["aia-topic", "$aws/alexa/ais/v1/my-thing-01/event"],
        &["aia-connection", "--from", "device"],
        &["aia-open", "--keyHex", "00"],
        &["aia-seal", "--key-hex", "00"],
        &["smart-properties", "--via", "http"],
        &["sns-verify", "--certificate", "sns.pem"],
    ] {
        let (status, output, messages) = run_raw(args, b"{}\n");
        assert_eq!((status, &*output), (2, ""), "{args:?}");
        assert!(!messages.is_empty(), "{args:?}");
    }
}

#[test]
fn help_explains_every_command_with_an_example_that_works() {
    for args in [
        &["--help"][..],
        &["lifecycle", "--help"],
        &["lifecycle-decode", "--help"],
        &["amqp-sign", "--help"],
        &["amqp-parse", "--help"],
        &["amqp-verify", "--help"],
        &["amqp-message", "--help"],
        &["kii-request", "--help"],
        &["kii-response", "--help"],
        &["kii-onboarding", "--help"],
        &["kii-push", "--help"],
        &["kii-topic", "--help"],
        &["aia-topic", "--help"],
        &["aia-connection", "--help"],
        &["aia-open", "--help"],
        &["aia-seal", "--help"],
        &["smart-properties", "--help"],
        &["sns-verify", "--help"],
    ] {
        let (status, output, messages) = run_raw(args, b"");
        assert_eq!((status, &*messages), (0, ""), "{args:?}");
        let (_, example) = output.split_once("Example:\n").unwrap();
        let lines = example.lines().filter_map(|line| {
            let line = line.trim().trim_start_matches("echo '").trim_end_matches("' |");
            line.starts_with('{').then(|| line.to_owned() + "\n")
        });
        let command = if args[0] == "--help" { "lifecycle-decode" } else { args[0] };
        let (status, output) = run(&[command], lines.collect::<String>());
        assert_eq!(status, 0, "{args:?}: {output:?}");
        assert!(!output.is_empty(), "{args:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_no_panic() {
    let line = br#"{"payload":{}}"#;
    let args = ["inspect", "lifecycle-decode"].map(OsString::from);
    let mut messages = Vec::new();
    let mut full = [0; 10];
    assert_eq!(inspect::run(args, &line[..], &mut full[..], &mut messages), 1);
    assert!(!messages.is_empty());
}

/// As after `head -1`.
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let good = r#"{"payload":{"clientId":"d","timestamp":1700000000000,"eventType":"connected"}}"#;
    for (first, expected) in [(good, 0), ("{}", 1)] {
        let input = format!("{first}\n{}", format!("{good}\n").repeat(10));
        let args = ["inspect", "lifecycle-decode"].map(OsString::from);
        let (mut reader, mut messages) = (LeavesAfter(first.len()), Vec::new());
        let status = inspect::run(args, input.as_bytes(), &mut reader, &mut messages);
        assert_eq!((status, &*messages), (expected, &b""[..]), "{first}");
        assert_eq!(reader.0, 0);
    }
}

/// The writing end of a pipe whose reader goes away when it has read that many bytes.
struct LeavesAfter(usize);

impl io::Write for LeavesAfter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let read = bytes.len().min(self.0);
        self.0 -= read;
        Ok(read)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_program_itself_keeps_its_streams_and_its_exit_status() {
    let good = r#"{"payload":{"clientId":"d","timestamp":1700000000000,"eventType":"connected"}}"#;
    let (status, output, messages) = spawn(&["lifecycle-decode"], good);
    assert_eq!((status, &*messages), (0, ""));
    assert_eq!(kinds(&parsed(&output)), ["1 ok"]);

    let (status, output, messages) = spawn(&["lifecycle-decode"], &format!("{{}}\n{good}\n"));
    assert_eq!((status, &*messages), (1, ""));
    assert_eq!(kinds(&parsed(&output)), ["1 BadInput payload", "2 ok"]);

    let refused = r#"{"payload":"200\r\nno header\r\n\r\n"}"#;
    let (status, output, messages) = spawn(&["kii-response"], refused);
    assert_eq!((status, &*messages), (1, ""));
    assert_eq!(kinds(&parsed(&output)), ["1 BadHeader"]);

    let (status, output, messages) = spawn(&["lifecycle-decode", "--stern"], good);
    assert_eq!((status, &*output), (2, ""));
    assert!(messages.contains("--stern"), "{messages}");
}

/// Runs the built example, which lies beside this test.
fn spawn(args: &[&str], input: &str) -> (i32, String, String) {
    let test = env::current_exe().unwrap();
    let built: PathBuf =
        test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/inspect");
    let program = built.with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "build it first, as plain `cargo test` does: cargo build --example inspect"
    );
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends without reading has closed its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// Runs a command in this process: its exit status and its output.
#[track_caller]
fn run(args: &[&str], input: impl AsRef<[u8]>) -> (u8, Vec<Value>) {
    let (status, output, messages) = run_raw(args, input.as_ref());
    assert_eq!(messages, "");
    (status, parsed(&output))
}

fn run_raw(args: &[&str], input: &[u8]) -> (u8, String, String) {
    let (mut output, mut messages) = (Vec::new(), Vec::new());
    let args = iter::once("inspect").chain(args.iter().copied()).map(OsString::from);
    let status = inspect::run(args, input, &mut output, &mut messages);
    (status, String::from_utf8(output).unwrap(), String::from_utf8(messages).unwrap())
}

fn parsed(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn feed(lines: impl IntoIterator<Item = Value>) -> String {
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

/// Each answer as its line, then `ok`, or the kind and the field of its error.
fn kinds(output: &[Value]) -> Vec<String> {
    let kind = |answer: &Value| {
        let error = &answer["error"];
        let words = match answer.get("ok") {
            Some(ok) => {
                assert!(ok.is_object());
                vec!["ok"]
            }
            None => {
                assert!(!error["message"].as_str().unwrap().is_empty());
                iter::once(error["kind"].as_str().unwrap()).chain(error["field"].as_str()).collect()
            }
        };
        format!("{} {}", answer["line"], words.join(" "))
    };
    output.iter().map(kind).collect()
}

/// Each of these lines, between good ones, has this answer.
#[track_caller]
fn assert_lines(command: &str, good: &str, cases: &[(&str, &str)]) {
    let input: String = cases.iter().map(|(line, _)| format!("{line}\n\n{good}\n")).collect();
    let (status, output) = run(&[command], input);
    assert_eq!(status, 1);
    let expected = cases.iter().enumerate().flat_map(|(index, (_, expected))| {
        [format!("{} {expected}", 3 * index + 1), format!("{} ok", 3 * index + 3)]
    });
    assert_eq!(kinds(&output), expected.collect::<Vec<_>>());
}

/// A moment late enough for the decoder.
const START: i64 = 1_700_000_000_000;
const MAX_LINE_BYTES: usize = 1024 * 1024;

const LIFECYCLE: &str = include_str!("../../inspect/lifecycle.rs");
const LIFECYCLE_DECODE: &str = include_str!("../../inspect/lifecycle_decode.rs");
const AMQP_SIGN: &str = include_str!("../../inspect/amqp_sign.rs");
const AMQP_PARSE: &str = include_str!("../../inspect/amqp_parse.rs");
const AMQP_VERIFY: &str = include_str!("../../inspect/amqp_verify.rs");
const AMQP_MESSAGE: &str = include_str!("../../inspect/amqp_message.rs");
const AIA_TOPIC: &str = include_str!("../../inspect/aia_topic.rs");
const AIA_CONNECTION: &str = include_str!("../../inspect/aia_connection.rs");
const AIA_OPEN: &str = include_str!("../../inspect/aia_open.rs");
const AIA_MESSAGE_ERROR: &str = include_str!("../../../aia-proto/src/connection/error.rs");
const KII_REQUEST: &str = include_str!("../../inspect/kii_request.rs");
const KII_ONBOARDING: &str = include_str!("../../inspect/kii_onboarding.rs");
const KII_PUSH: &str = include_str!("../../inspect/kii_push.rs");
const ONBOARDED_ERROR: &str =
    include_str!("../../../kii-onboard/src/onboarding/onboarded_error.rs");
const SMART_PROPERTIES: &str = include_str!("../../inspect/smart_properties.rs");
const SMART_EVENT: &str = include_str!("../../../smart-properties/src/event.rs");
const SMART_EVENT_ERROR: &str = include_str!("../../../smart-properties/src/event/error.rs");
const SNS_ENVELOPE_ERROR: &str =
    include_str!("../../../smart-properties/src/sns/envelope_error.rs");
const SNS_VERIFY: &str = include_str!("../../inspect/sns_verify.rs");
const SNS_CERTIFICATE: &str = include_str!("../../../smart-properties/src/sns/certificate.rs");
