//! Lamps at the Kii cloud: two brokers, one onboarding, and what can go wrong on the way.

use std::{collections::BTreeMap, time::Duration};

use console::style;
use examples::{
    kii::{
        Arrivals, Astray, BACKOFF, Commanded, Expired, Lamps, ONBOARDING_TIMEOUT, REQUEST_TIMEOUT,
        Refused, Restarted, Restored, TTL, Way,
    },
    lifecycle::Failure,
};
use kii_onboard::{
    Advice, ErrorCode, Stage, TransportKind,
    call::Answer,
    thing::{CallFailure, Cause, IgnoreReason},
};
use tokio::time::timeout;

use crate::{Arguments, Check, heading};

const LAMPS: usize = 6;
/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(60);

pub(crate) async fn tell(arguments: &Arguments) -> Result<Vec<Check>, Failure> {
    heading("Kii Cloud over MQTT: two brokers, one onboarding, then a working thing");
    timeout(HANG, play(arguments.seed)).await?
}

async fn play(seed: u64) -> Result<Vec<Check>, Failure> {
    let mut lamps = Lamps::start(seed).await?;
    introduce(&lamps)?;

    let arrivals = lamps.onboard(LAMPS).await?;
    print_arrivals(&arrivals);
    let commanded = lamps.command().await?;
    print_commanded(&commanded);
    let restarted = lamps.restart().await?;
    print_restarted(&restarted);
    let commanded_again = lamps.command().await?;
    let expired = lamps.expire().await?;
    let refused = lamps.refuse().await?;
    print_refused(&expired, &refused);
    let astray = lamps.lead_astray().await?;
    print_astray(&astray);
    let restored = lamps.reboot().await?;
    print_restored(&restored);
    lamps.end().await?;

    let mut checks = arrival_checks(&arrivals);
    checks.extend(command_checks(&commanded, &restarted, &commanded_again));
    checks.extend(failure_checks(&expired, &refused, &astray, &restored));
    Ok(checks)
}

fn introduce(lamps: &Lamps) -> Result<(), Failure> {
    let port = |broker| lamps.cloud().ports(broker).get(TransportKind::Tls);
    println!(
        "\
Two MQTT brokers listen on 127.0.0.1, with TLS: the default one on port {}, the second one on {}.
Behind them stands the cloud's side: it decides who may connect, answers requests on the topic and the
connection they came on, and pushes commands. The lamps are things of this family on rumqttc, an
ordinary MQTT client; all of them are called anonymous until they are onboarded.

Time runs fast here: a lamp waits {} before another attempt instead of 1 s, and one of them
{} for the answer to its onboarding instead of 30 s.
",
        port(Stage::Boot)?,
        port(Stage::Api)?,
        seconds(BACKOFF),
        seconds(ONBOARDING_TIMEOUT),
    );
    Ok(())
}

fn print_arrivals(arrivals: &Arrivals) {
    println!(
        "{LAMPS} lamps at once, up to {} connections named anonymous:\n",
        arrivals.most_anonymous
    );
    print_ways(&arrivals.ways);
    println!(
        "\nThe cloud has carried out {} onboardings and knows {} things, each with its state.\n",
        arrivals.onboardings, arrivals.things
    );
}

/// What each lamp told on its way, the same ones together.
fn print_ways(ways: &[Way]) {
    let mut counts = BTreeMap::new();
    for way in ways {
        let mut steps: Vec<_> = way.causes.iter().map(explained).collect();
        if way.has_expired {
            steps.extend(["onboarded".into(), "the endpoint has expired".into()]);
        }
        if way.onboardings() > 0 {
            steps.push("onboarded".into());
        }
        steps.push("ready".into());
        *counts.entry(steps.join("; ")).or_insert(0) += 1;
    }
    for (steps, count) in counts {
        let lamps = if count == 1 { "1 lamp".into() } else { format!("{count} lamps") };
        println!("  {} {lamps:<8} {steps}", style("✓").green());
    }
}

fn explained(cause: &Cause) -> String {
    match cause {
        Cause::Status(error) => {
            let code = error.code.as_ref().map(ErrorCode::as_str).unwrap_or_default();
            format!("{} {code}", error.status)
        }
        other => other.to_string(),
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn print_commanded(commanded: &Commanded) {
    let [done, failed] = commanded.results;
    println!(
        "\
The app tells all of them to turn on and to make coffee. {} commands have all their results: {done} actions
done, {failed} that no lamp can do. The cloud shows {} lamps as on.
",
        commanded.done, commanded.on
    );
}

fn print_restarted(restarted: &Restarted) {
    println!(
        "\
Both brokers stop and start again. {} commands are sent too early and are not delivered; the lamps come back
by themselves, but for one whose endpoint is refused:
",
        restarted.send_failed
    );
    print_ways(&restarted.ways);
    println!();
}

fn print_refused(expired: &Expired, refused: &Refused) {
    println!(
        "One more lamp, whose endpoint holds for {}; then its maker mistypes the password:\n",
        seconds(TTL)
    );
    print_ways(std::slice::from_ref(&expired.way));
    let (status, code) = (refused.error.status, refused.error.code.as_ref());
    let code = code.map(ErrorCode::as_str).unwrap_or_default();
    println!("  {} onboarding is refused with {status} {code}", style("✗").red());
    println!("    what to do: {}", refused.error.advice());
    println!("  {} corrected, started again: ready\n", style("✓").green());
}

fn print_astray(astray: &Astray) {
    println!(
        "The response to a state goes astray; this lamp waits {} for one instead of 30 s:\n",
        seconds(REQUEST_TIMEOUT)
    );
    for ignored in &astray.unanswered.ignored {
        println!("  {} {}: left alone, {}", style("!").yellow(), ignored.topic, ignored.why);
    }
    println!("  {} the call: {}", style("✗").red(), astray.unanswered.cause);
    println!("  {} made again: answered\n", style("✓").green());
}

fn print_restored(restored: &Restored) {
    println!(
        "A lamp loses power and starts with the {} bytes that it has saved, an hour later:\n",
        restored.saved
    );
    print_ways(std::slice::from_ref(&restored.way));
}

fn arrival_checks(arrivals: &Arrivals) -> Vec<Check> {
    let causes: Vec<_> = arrivals.ways.iter().flat_map(|way| &way.causes).collect();
    let lost = causes.iter().filter(|cause| matches!(cause, Cause::OnboardTimeout)).count();
    let early = causes.iter().filter(|cause| matches!(cause, Cause::Status(_))).count();
    vec![
        Check::new(
            format!("{LAMPS} lamps onboarded over TLS, several named anonymous at the same moment"),
            arrivals.things == LAMPS
                && arrivals.most_anonymous > 1
                && arrivals.ways.iter().all(|way| way.onboardings() == 1),
        ),
        Check::new(
            "a lost answer and one that came too early cost another attempt each, and no second thing",
            causes.len() == 2 && lost == 1 && early == 1 && arrivals.onboardings == LAMPS + 1,
        ),
        Check::new(format!("{} first states stored", arrivals.states), arrivals.states == LAMPS),
    ]
}

fn command_checks(
    commanded: &Commanded,
    restarted: &Restarted,
    commanded_again: &Commanded,
) -> Vec<Check> {
    let is_complete = |commanded: &Commanded| {
        commanded.done == LAMPS && commanded.results == [LAMPS, LAMPS] && commanded.on == LAMPS
    };
    let lost = |way: &&Way| way.causes.contains(&Cause::ConnectionLost);
    let refused = |way: &&Way| {
        let is_refused = |cause: &Cause| matches!(cause, Cause::EndpointRefused(_));
        way.causes.iter().any(is_refused) && way.onboardings() == 1
    };
    let onboardings: usize = restarted.ways.iter().map(|way| way.onboardings()).sum();
    vec![
        Check::new(
            format!("{} commands carried out and reported", commanded.done),
            is_complete(commanded),
        ),
        Check::new(
            "after a restart of the brokers all are back with the endpoint that they have",
            restarted.ways.iter().filter(lost).count() == LAMPS
                && restarted.send_failed == LAMPS
                && onboardings == 1,
        ),
        Check::new(
            "one whose endpoint is refused onboards again",
            restarted.ways.iter().filter(refused).count() == 1,
        ),
        Check::new("and commands reach them as before", is_complete(commanded_again)),
    ]
}

fn failure_checks(
    expired: &Expired,
    refused: &Refused,
    astray: &Astray,
    restored: &Restored,
) -> Vec<Check> {
    let is_unknown_topic = |why: &IgnoreReason| matches!(why, IgnoreReason::UnknownTopic);
    let ignored = &astray.unanswered.ignored[..];
    vec![
        Check::new(
            "an endpoint that expires is replaced by another onboarding",
            expired.way.has_expired && expired.way.onboardings() == 2 && expired.is_another,
        ),
        Check::new(
            "a wrong password is refused, with the advice to check it, and the right one is taken",
            refused.error.code == Some(ErrorCode::WrongPassword)
                && refused.error.advice() == Advice::CheckThingPassword
                && refused.corrected.onboardings() == 1
                && refused.corrected.causes.is_empty(),
        ),
        Check::new(
            "a message on an unknown topic is left alone, and the call that it should have answered ends in time",
            matches!(ignored, [message] if is_unknown_topic(&message.why))
                && astray.unanswered.cause == CallFailure::Timeout
                && matches!(astray.again, Answer::StateStored { is_first: false }),
        ),
        Check::new(
            "a saved endpoint serves after a reboot, without onboarding",
            restored.way.onboardings() == 0
                && restored.way.causes.is_empty()
                && matches!(restored.answer, Answer::StateStored { is_first: false }),
        ),
    ]
}
