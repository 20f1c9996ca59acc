//! Messages of devices over AMQP: logins that are signed and checked, copies, cuts, and the order of status messages.

use std::time::Duration;

use amqp_auth::{
    AuthMode, Warning,
    session::Cause,
    status::{Change, Notice, Status},
};
use console::{Alignment, pad_str, style};
use examples::{
    amqp::{
        ACK_TIMEOUT, GivenBack, LoggedIn, Mistake, OutOfOrder, RETRY_INTERVAL, Receipt, Refused,
        Stage,
        feed::{Feed, local_time},
    },
    lifecycle::Failure,
};
use indicatif::{HumanCount, ProgressBar};
use iot_sansio::amqp::SaslCode;
use tokio::time::timeout;

use crate::{Arguments, Check, heading};

const DEVICES: usize = 300;
/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(60);

pub(crate) async fn tell(arguments: &Arguments) -> Result<Vec<Check>, Failure> {
    heading("Alibaba Cloud IoT Platform over AMQP 1.0: messages once each, and in order");
    timeout(HANG, play(arguments.seed)).await?
}

async fn play(seed: u64) -> Result<Vec<Check>, Failure> {
    let mut stage = Stage::start(seed).await?;
    println!(
        "\
An AMQP 1.0 server listens on 127.0.0.1:{port}, with TLS. Behind it stands the platform's side: it checks
every user name and signature, pushes messages, and sends again what is not accepted. The client is
the session of this family on fe2o3-amqp, an ordinary AMQP stack.

Time runs fast here: the platform waits {ACK_TIMEOUT:?} for an answer where the real one waits 30 s, and
{RETRY_INTERVAL:?} before another attempt instead of a minute. The session's own waits are as always.
",
        port = stage.port(),
    );
    let logins = stage.log_in().await?;
    print_logins(&logins);

    println!("Refused, put right, and in:\n");
    let secret = stage.make(Mistake::WrongSecret).await?;
    print_refused("signed with another secret", &secret);
    let clock = stage.make(Mistake::LateClock).await?;
    print_refused("the clock is 20 minutes late", &clock);

    let out_of_order = stage.out_of_order().await?;
    print_out_of_order(&out_of_order)?;

    let feed = Feed::new(seed, DEVICES)?;
    let bar = ProgressBar::new(feed.messages.len().try_into()?);
    let receipt = stage.receive(&feed, || bar.inc(1)).await?;
    bar.finish_and_clear();
    print_receipt(&feed, &receipt);

    let given_back = stage.stop_at_work().await?;
    print_given_back(&given_back);
    let mut checks = login_checks(&logins, &secret, &clock);
    checks.push(Check::new(
        "the documentation's example: changed, late, changed; offline in the end",
        is_as_documented(&out_of_order),
    ));
    checks.extend(message_checks(&feed, &receipt, &given_back));
    Ok(checks)
}

fn print_logins(logins: &[LoggedIn]) {
    println!("Logged in, attached and stopped again, with a signature of its own each time:\n");
    for login in logins {
        let (mode, method) = (login.mode.as_str(), login.method.as_str());
        let bytes = login.report.sasl_init_len;
        println!("  {} {mode:<9} {method:<11} {bytes} bytes of SASL", style("✓").green());
    }
    println!(
        "\nWith the token in them the last ones are long. Their report said so before they were sent:\n"
    );
    for warning in logins.last().into_iter().flat_map(|login| &login.report.warnings) {
        println!("  {} {warning}", style("!").yellow());
    }
    println!();
}

fn print_refused(what: &str, refused: &Refused) {
    let code = match &refused.cause {
        Cause::Refused(code) => format!("SASL code {}", code.get()),
        other => format!("{other:?}"),
    };
    let retry = refused.retry_in.as_secs_f64();
    println!("  {} {what}: {code}, and no more is told to whoever knocks", style("✗").red());
    println!("    the verifier knows: {}", refused.reason);
    println!("    the session would ask for another credential in {retry:.0} s");
    println!("  {} corrected, started again at once: connected\n", style("✓").green());
}

fn print_out_of_order(told: &OutOfOrder) -> Result<(), Failure> {
    println!("The example of the platform's documentation, three status messages of one device:\n");
    println!("    received  says     at            the tracker says");
    for (number, step) in told.steps.iter().enumerate() {
        let Notice { at, status } = step.notice;
        println!(
            "    {:<9} {} {}  {}",
            number + 1,
            colored(status, 8),
            local_time(at)?,
            explained(step.change)
        );
    }
    let history = told.history.iter().map(|notice| colored(notice.status, 0));
    println!("\n  so it was: {}\n", history.collect::<Vec<_>>().join(", "));
    Ok(())
}

fn colored(status: Status, width: usize) -> String {
    let text = pad_str(status.as_str(), width, Alignment::Left, None);
    match status {
        Status::Online => style(text).green().to_string(),
        Status::Offline => style(text).red().to_string(),
    }
}

fn explained(change: Change) -> String {
    match change {
        Change::Changed { from: None, to, .. } => format!("changed: {}", to.as_str()),
        Change::Changed { from: Some(from), to, .. } => {
            format!("changed: {}, was {}", to.as_str(), from.as_str())
        }
        Change::Refreshed => "newer, and the same".into(),
        Change::Repeat => "said before".into(),
        Change::Late => "late: older than what is known, the status stays".into(),
        other => format!("{other:?}"),
    }
}

fn print_receipt(feed: &Feed, receipt: &Receipt) {
    let Receipt { pushed, lost, in_work: [in_work, done], .. } = *receipt;
    let devices = feed.devices();
    println!(
        "\
Now {pushed} of them from {devices} devices, in no order, {repeated} under a second id. The platform sends some
twice, forgets {lost} answers, and halfway the connection is cut: {in_work} messages are in work, {done} of them
are done before the next connection stands, and the copies of all are settled on that.
",
        pushed = style(HumanCount(pushed as u64)).bold(),
        devices = style(devices).bold(),
        repeated = HumanCount(feed.repeated as u64),
    );
    let count = |count: usize, what: &str, words: &str| {
        println!(
            "  {:>7}  {what:<21} {}",
            HumanCount(count as u64).to_string(),
            style(words).dim()
        );
    };
    count(receipt.deliveries, "deliveries", "what came over the wire");
    count(receipt.sent_twice, "sent on purpose", "once more, while the message was in work");
    count(receipt.ack_timeouts, "sent for no answer", "the platform's time to wait was over");
    count(receipt.handed_over, "handed over", "what the application saw: every message once");
    let [changed, refreshed, repeat, late] = receipt.changes;
    count(changed, "changed", "the newest, and another status");
    count(refreshed, "refreshed", "the newest, and the same status");
    count(repeat, "repeat", "says what the newest says");
    count(late, "late", "older than what is known: changes nothing");
    println!("\nWrong in the end, of {devices} devices:\n");
    let row = |who: &str, errors: usize| {
        let number = style(format!("{errors:>7}")).bold();
        let number = if errors == 0 { number.green() } else { number.red() };
        let bar = "█".repeat((errors * 50).div_ceil(devices));
        let line = format!("  {number}  {who:<24} {}", style(bar).red());
        println!("{}", line.trim_end());
    };
    row("this tracker", receipt.wrong);
    row("last arrival wins", receipt.naive_wrong);
    println!();
}

fn print_given_back(given_back: &GivenBack) {
    println!(
        "\
Stopped in the middle of its work: {} messages accepted, {} given back, {} of them at the next client.",
        given_back.accepted, given_back.released, given_back.taken_over
    );
}

fn login_checks(logins: &[LoggedIn], secret: &Refused, clock: &Refused) -> Vec<Check> {
    let refused = |refused: &Refused| refused.cause == Cause::Refused(SaslCode::AUTH);
    vec![
        Check::new(
            format!("{} logins in both modes, all methods", logins.len()),
            logins.len() == 6,
        ),
        Check::new(
            "logins with a token of a usual length were warned of, and taken",
            logins.iter().filter(|login| is_warned_of(login)).count() == 3,
        ),
        Check::new(
            "a wrong secret and a late clock are refused, and accepted once corrected",
            refused(secret) && refused(clock),
        ),
    ]
}

fn is_warned_of(login: &LoggedIn) -> bool {
    login.mode == AuthMode::StsToken
        && matches!(login.report.warnings[..], [Warning::SaslFrameTooLong { .. }])
}

fn is_as_documented(told: &OutOfOrder) -> bool {
    use Status::{Offline, Online};
    let changes: Vec<_> = told.steps.iter().map(|step| step.change).collect();
    let history: Vec<_> = told.history.iter().map(|notice| notice.status).collect();
    matches!(
        changes[..],
        [
            Change::Changed { from: None, to: Online, .. },
            Change::Late,
            Change::Changed { from: Some(Online), to: Offline, .. }
        ]
    ) && history == [Offline, Online, Offline]
}

fn message_checks(feed: &Feed, receipt: &Receipt, given_back: &GivenBack) -> Vec<Check> {
    let pushed = HumanCount(receipt.pushed as u64);
    vec![
        Check::new(
            format!("{pushed} messages handed over once each, out of more deliveries"),
            receipt.handed_over == receipt.pushed
                && receipt.distinct == receipt.pushed
                && receipt.deliveries > receipt.pushed
                && receipt.sent_twice > 0
                && receipt.ack_timeouts > 0,
        ),
        Check::new(
            "the connection was cut at work once, and every message is accepted in the end",
            receipt.connections == 2 && receipt.in_work[0] > 0 && receipt.pending == 0,
        ),
        Check::new(
            format!("{} of {} devices wrong", receipt.wrong, feed.devices()),
            receipt.wrong == 0,
        ),
        Check::new("the last arrival is wrong about some", receipt.naive_wrong > 0),
        Check::new(
            format!(
                "{} messages given back by the stop reach the next client",
                given_back.released
            ),
            given_back.released > 0
                && given_back.taken_over == given_back.released
                && given_back.pending == 0,
        ),
    ]
}
