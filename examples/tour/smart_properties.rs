//! A hotel with Alexa devices: what SNS delivers, what nobody should believe, and what may be called next.

use std::time::Duration;

use console::style;
use examples::{
    hotel::{Attempted, Delivered, Handled, Hotel, Opened, PAUSE, Placed, Revoked, Step},
    lifecycle::Failure,
    property::Effect,
    sns::HOST,
};
use smart_properties::gate::{Blocked, DeviceState, Outcome, Permit};
use tokio::time::timeout;

use crate::{Arguments, Check, heading};

/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(60);

pub(crate) async fn tell(arguments: &Arguments) -> Result<Vec<Check>, Failure> {
    heading("Alexa Smart Properties: events over Amazon SNS, verified, once each");
    timeout(HANG, play(arguments.seed)).await?
}

async fn play(seed: u64) -> Result<Vec<Check>, Failure> {
    let mut hotel = Hotel::start(seed).await?;
    introduce(&hotel);

    let confirmed = hotel.subscribe().await?;
    let failed = hotel.fail_automation().await?;
    let repeated = hotel.repeat().await?;
    let stumbled = hotel.stumble().await?;
    let rotated = hotel.rotate().await?;
    let [unknown, imitation] = hotel.surprise().await?;
    println!("SNS delivers, and this is what the endpoint answers:\n");
    print_delivered("asks to confirm the subscription", &confirmed);
    print_delivered("an automation has ended", &failed);
    for (what, delivered) in
        ["an event", "the same message once more", "the same event, published again"]
            .iter()
            .zip(&repeated)
    {
        print_delivered(what, delivered);
    }
    print_delivered("an event that the handler cannot store at first", &stumbled);
    print_delivered("an event under a new certificate, which is late", &rotated);
    print_delivered("an event of an unknown type", &unknown);
    print_delivered("a text that is no event", &imitation);

    let certificates = hotel.certificate_requests();
    let attempts = hotel.attack().await?;
    let certificates_after = hotel.certificate_requests();
    print_attempts(&attempts);
    let opened = hotel.open().await?;
    let placed = hotel.place().await?;
    let revoked = hotel.revoke().await?;
    print_steps(
        "A property and a room in it, which is active before its creation is answered:",
        &opened.steps,
    );
    print_steps("A device is set up, and its room not active yet:", &placed.steps);
    print_steps(
        "A role is assigned and revoked, and the events come the other way round:",
        &revoked.steps,
    );

    let mut checks = delivery_checks(&confirmed, &failed, &repeated);
    checks.extend(trouble_checks(&stumbled, &rotated, certificates, &[&unknown, &imitation]));
    checks.extend(attempt_checks(&attempts, certificates == certificates_after));
    checks.extend(gate_checks(&opened, &placed, &revoked));
    Ok(checks)
}

fn introduce(hotel: &Hotel) {
    println!(
        "\
A topic of SNS, in this process, posts over HTTP to {}; there stands axum around this crate.
It signs with a test key that is in the repository, and has its certificate where the real one has: at
https://{HOST}. The endpoint connects to {} for that name, and trusts a
certificate authority of this run for it, nobody else.

Time runs fast here: SNS sends a message again after {PAUSE:?} instead of 20 s.
",
        hotel.url(),
        hotel.sns_address(),
    );
}

fn print_delivered(what: &str, delivered: &Delivered) {
    let statuses: Vec<_> = delivered.statuses.iter().map(|status| shown(*status)).collect();
    let mark = if delivered.is_accepted() { style("✓").green() } else { style("✗").red() };
    println!("  {mark} {what}: {}", statuses.join(", then "));
    for report in delivered.reports.iter().filter(|report| *report != "handled") {
        println!("      {report}");
    }
    for Handled { effects, kept, .. } in &delivered.handled {
        for effect in effects {
            println!("      {effect}");
        }
        if let Some(kept) = kept {
            println!("      kept as it is, {} bytes", kept.len());
        }
    }
}

fn shown(status: Option<u16>) -> String {
    status.map_or("no answer".into(), |status| status.to_string())
}

fn print_attempts(attempts: &[Attempted]) {
    println!("\nSomebody who listens, and knows the endpoint, posts to it:\n");
    for Attempted { what, status, why } in attempts {
        println!("  {} {what}: {status}\n      {why}", style("✗").red());
    }
    println!(
        "\nThe events drive the gates, and they the calls. The API is not here: its answers are made up.\n"
    );
}

fn print_steps(what: &str, steps: &[Step]) {
    println!("{what}\n");
    for step in steps {
        match step {
            Step::Call(call) => println!("  {} {call}", style("→").cyan()),
            Step::Answer(answer) => println!("  {} {answer}", style("←").cyan()),
            Step::Event(event, effects) => {
                println!("  {} {event}", style("✓").green());
                effects.iter().for_each(|effect| println!("      {effect}"));
            }
            Step::Permit(what, permit) => match permit {
                Permit::Allowed => println!("    {what}: may be now"),
                Permit::Blocked(why) => println!("    {what}: {why}"),
                Permit::Unknown(why) => println!("    {what}: {why}"),
            },
            Step::Effect(effect) => println!("      {effect}"),
        }
    }
    println!();
}

fn delivery_checks(
    confirmed: &Delivered,
    failed: &Delivered,
    repeated: &[Delivered; 3],
) -> Vec<Check> {
    let [first, again, elsewhere] = repeated;
    let is_explained = |effect: &Effect| match effect {
        Effect::Automation(_, Outcome::Failed { errors, .. }) => errors.len() == 1,
        _ => false,
    };
    let is_told_why = |handled: &Handled| handled.effects.iter().all(is_explained);
    let handled: usize = repeated.iter().map(|delivered| delivered.handled.len()).sum();
    vec![
        Check::new(
            "a subscription is verified, then confirmed by a visit",
            confirmed.is_accepted()
                && matches!(&confirmed.reports[..], [report] if report.starts_with("subscribed to")),
        ),
        Check::new(
            "the documented event is verified and says what to do",
            failed.is_accepted()
                && failed.handled.len() == 1
                && failed.handled.iter().all(is_told_why),
        ),
        Check::new(
            "a message that comes twice, and its event in another message, are handled once",
            handled == 1 && [first, again, elsewhere].iter().all(|it| it.is_accepted()),
        ),
    ]
}

fn trouble_checks(
    stumbled: &Delivered,
    rotated: &Delivered,
    certificates: usize,
    kept: &[&Delivered],
) -> Vec<Check> {
    let is_retried = |delivered: &Delivered| {
        delivered.statuses == [Some(503), Some(200)] && delivered.handled.len() == 1
    };
    let is_kept = |it: &&Delivered| {
        it.statuses == [Some(200)] && matches!(&it.handled[..], [Handled { kept: Some(_), .. }])
    };
    vec![
        Check::new("what cannot be handled is sent again, and handled once", is_retried(stumbled)),
        Check::new(
            "so is what comes before its certificate; each certificate is fetched once",
            is_retried(rotated) && certificates == 3,
        ),
        Check::new("what nobody knows is accepted, and kept", kept.iter().all(is_kept)),
    ]
}

fn attempt_checks(attempts: &[Attempted], is_nothing_fetched: bool) -> Vec<Check> {
    let is = |what: &str, status: u16, why: &str| {
        let attempt = attempts.iter().find(|attempt| attempt.what.contains(what));
        attempt.is_some_and(|attempt| attempt.status == status && attempt.why.contains(why))
    };
    vec![
        Check::new(
            "another text under a good signature is refused",
            is("another text", 403, "signature"),
        ),
        Check::new(
            "lines that were cut at other places are refused, although the signature is good",
            is("other places", 400, "control"),
        ),
        Check::new(
            "a certificate that is elsewhere is not even fetched",
            is("elsewhere", 403, "SigningCertURL") && is_nothing_fetched,
        ),
        Check::new(
            "what has no signature, is for another topic, or is two hours old, is refused",
            is("envelope", 403, "")
                && is("record", 403, "records")
                && is("another topic", 403, "TopicArn")
                && is("two hours", 403, "old"),
        ),
    ]
}

fn gate_checks(opened: &Opened, placed: &Placed, revoked: &Revoked) -> Vec<Check> {
    let is_associated = |state: &Option<DeviceState>| match state {
        Some(DeviceState::Associated { unit }) => unit.as_str().ends_with("ROOM403"),
        _ => false,
    };
    vec![
        Check::new(
            "a room may be created once its property is active",
            opened.permits == [Permit::Blocked(Blocked::UnitInactive), Permit::Allowed],
        ),
        Check::new(
            "an activation that overtakes the answer to the creation counts",
            opened.is_active_at_once,
        ),
        Check::new(
            "a device waits for its room, is associated once, and known by its new ID",
            placed.permit == Permit::Blocked(Blocked::UnitInactive)
                && placed.calls == 1
                && placed.states.iter().all(is_associated),
        ),
        Check::new(
            "a revocation that overtakes the assignment stands",
            revoked.permits == [Blocked::RolePending, Blocked::Revoked].map(Permit::Blocked),
        ),
    ]
}
