//! `inspect`: decodes, explains and replays what IoT clouds say, JSON Lines in and out.
//!
//! Every command reads standard input, one JSON object a line, and answers on standard output, one JSON object a line;
//! `jsonl` has the rules. The exit status is 0 when every line was in order, 1 when one was not, and 2 for wrong usage.
//! Where nobody reads the output any more, as after `head`, it ends quietly, and the lines so far count.

use std::{
    env,
    ffi::OsString,
    io::{self, BufRead, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use self::jsonl::{Output, answer_each};

mod aia_connection;
mod aia_open;
mod aia_seal;
mod aia_topic;
mod amqp_message;
mod amqp_parse;
mod amqp_sign;
mod amqp_verify;
mod jsonl;
mod kii_onboarding;
mod kii_push;
mod kii_request;
mod kii_response;
mod kii_topic;
mod lifecycle;
mod lifecycle_decode;
mod smart_properties;
mod sns_verify;

/// Decodes, explains and replays what IoT clouds say: JSON Lines in, JSON Lines out.
///
/// One answer for each line, unless a command says otherwise: {"line":N,"ok":{…}} or
/// {"line":N,"error":{"kind":"…","message":"…"}}. Exit status 0: every line was in order; 1: one was not; 2: wrong usage.
/// When the reader of the output goes away, as head does, the lines so far count.
#[derive(Parser)]
#[command(name = "inspect", after_help = EXAMPLE, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lifecycle(lifecycle::Options),
    LifecycleDecode(lifecycle_decode::Options),
    AmqpSign(amqp_sign::Options),
    AmqpParse(amqp_parse::Options),
    AmqpVerify(amqp_verify::Options),
    AmqpMessage(amqp_message::Options),
    KiiRequest(kii_request::Options),
    KiiResponse(kii_response::Options),
    KiiOnboarding(kii_onboarding::Options),
    KiiPush(kii_push::Options),
    KiiTopic(kii_topic::Options),
    AiaTopic(aia_topic::Options),
    AiaConnection(aia_connection::Options),
    AiaOpen(aia_open::Options),
    AiaSeal(aia_seal::Options),
    SmartProperties(smart_properties::Options),
    SnsVerify(sns_verify::Options),
}

fn main() -> ExitCode {
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    ExitCode::from(run(env::args_os(), input, output, io::stderr().lock()))
}

/// Runs one command line, whose first argument is the name of the program. Gives the exit status.
pub(crate) fn run(
    args: impl IntoIterator<Item = OsString>,
    input: impl BufRead,
    mut output: impl Write,
    mut messages: impl Write,
) -> u8 {
    let command = match Cli::try_parse_from(args) {
        Ok(cli) => cli.command,
        Err(usage) => {
            let (status, written) = match usage.use_stderr() {
                true => (WRONG_USAGE, write!(messages, "{}", usage.render())),
                false => (ALL_IN_ORDER, write!(output, "{}", usage.render())),
            };
            return if written.is_ok() { status } else { NOT_ALL_IN_ORDER };
        }
    };
    let mut output = Output::new(output);
    let done = match command {
        Command::Lifecycle(options) => lifecycle::run(options, input, &mut output),
        Command::LifecycleDecode(options) => lifecycle_decode::run(&options, input, &mut output),
        Command::AmqpSign(_) => answer_each(input, &mut output, amqp_sign::answer),
        Command::AmqpParse(_) => answer_each(input, &mut output, amqp_parse::answer),
        Command::AmqpVerify(_) => answer_each(input, &mut output, amqp_verify::answer),
        Command::AmqpMessage(_) => answer_each(input, &mut output, amqp_message::answer),
        Command::KiiRequest(_) => answer_each(input, &mut output, kii_request::answer),
        Command::KiiResponse(_) => answer_each(input, &mut output, kii_response::answer),
        Command::KiiOnboarding(_) => answer_each(input, &mut output, kii_onboarding::answer),
        Command::KiiPush(_) => answer_each(input, &mut output, kii_push::answer),
        Command::KiiTopic(_) => answer_each(input, &mut output, kii_topic::answer),
        Command::AiaTopic(_) => answer_each(input, &mut output, aia_topic::answer),
        Command::AiaConnection(_) => answer_each(input, &mut output, aia_connection::answer),
        Command::AiaOpen(_) => answer_each(input, &mut output, aia_open::answer),
        Command::AiaSeal(_) => answer_each(input, &mut output, aia_seal::answer),
        Command::SmartProperties(_) => answer_each(input, &mut output, smart_properties::answer),
        Command::SnsVerify(_) => answer_each(input, &mut output, sns_verify::answer),
    };
    match done.and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            // Where this cannot be said either, the status still tells.
            let _ = writeln!(messages, "inspect: {error}");
            NOT_ALL_IN_ORDER
        }
        // Who reads no further has what was asked for.
        _ if output.is_all_in_order() => ALL_IN_ORDER,
        _ => NOT_ALL_IN_ORDER,
    }
}

const ALL_IN_ORDER: u8 = 0;
const NOT_ALL_IN_ORDER: u8 = 1;
const WRONG_USAGE: u8 = 2;

const EXAMPLE: &str = r#"Example:
  echo '{"payload":{"clientId":"pump-1","timestamp":1573002230757,"eventType":"connected"}}' |
    inspect lifecycle-decode"#;
