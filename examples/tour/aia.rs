//! A loudspeaker and the service of AIA: what protects their messages, and what each failure leads to.

use std::time::Duration;

use aia_proto::{
    connection::{Advice, DisconnectCode},
    device::{Blocked, DisconnectCause, Event, Security},
};
use console::style;
use examples::{
    aia::{
        Access, BACKOFF_BASE, Conversation, GAP_TIME, Heard, Lost, ROTATION_MARGIN, Refused,
        Rotated, Wrong,
    },
    broker::Broker,
    lifecycle::Failure,
};
use tokio::time::timeout;

use crate::{Arguments, Check, heading};

/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(60);
const TALK: [u64; 12] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];
const AFTER_REPLAY: u64 = 61;
const LOST: [u64; 2] = [70, 71];
const BEFORE_ROTATION: [u64; 3] = [20, 30, 40];
/// The old secret protects some messages of each topic still; after so many, none.
const AFTER_ROTATION: [u64; 10] = [41, 42, 43, 44, 45, 46, 47, 48, 49, 50];
const AFTER_REBOOT: [u64; 2] = [10, 11];

pub(crate) async fn tell(arguments: &Arguments) -> Result<Vec<Check>, Failure> {
    heading("AIA: Alexa on AWS IoT, messages that are numbered and encrypted");
    timeout(HANG, play(arguments.seed)).await?
}

async fn play(seed: u64) -> Result<Vec<Check>, Failure> {
    let broker = Broker::start().await?;
    introduce(broker.port());
    let mut conversation = Conversation::start(Access::plain(broker.port()), seed).await?;

    let registered = conversation.register().await?;
    let account = conversation.refuse(Wrong::AccountId).await?;
    let client_id = conversation.refuse(Wrong::ClientId).await?;
    print_connects(&account, &client_id);
    let talk = conversation.converse(&TALK).await?;
    let replayed = conversation.replay(AFTER_REPLAY).await?;
    let tampered = conversation.tamper().await?;
    print_attacks(&talk, &replayed, &tampered);
    let lost = conversation.lose(LOST).await?;
    print_lost(&lost);
    let rotated = conversation.rotate(&BEFORE_ROTATION, &AFTER_ROTATION).await?;
    print_rotated(&rotated);
    let reconnected = conversation.reconnect().await?;
    let rebooted = conversation.reboot().await?;
    let talk_after = conversation.converse(&AFTER_REBOOT).await?;
    let goodbye = conversation.end().await?;
    print_end(&goodbye);

    let mut checks = connect_checks(&registered, &account, &client_id);
    checks.extend(message_checks(&talk, &replayed, &tampered, &lost));
    checks.extend(rotation_checks(&rotated));
    checks.extend(later_checks(&reconnected, &rebooted, &talk_after, &goodbye));
    Ok(checks)
}

fn introduce(port: u16) {
    println!(
        "\
An MQTT broker listens on 127.0.0.1:{port}. On it are a device and the service, both of this crate, each a
guest on rumqttc. The HTTP exchange of the registration is handed over in this process; from it both have
a secret that nobody sent. Who they are is said in clear, directives and events are AES-GCM.

Time runs fast here: the device waits {GAP_TIME:?} for a message that is missing instead of 10 s, and its waits
before another connection are made of {BACKOFF_BASE:?} instead of 1 s.
"
    );
}

fn print_connects(account: &Refused, client_id: &Refused) {
    println!(
        "The device registers, connects and publishes its capabilities. Then its memory goes bad, twice:\n"
    );
    println!("  {} registered, connected, capabilities accepted", style("✓").green());
    for (what, refused) in [("AWS account id", account), ("client id", client_id)] {
        println!("  {} another {what}: {}", style("✗").red(), refused.code.as_str());
        println!("    what to do: {}", refused.code.advice());
        println!("  {} corrected, registered again: connected", style("✓").green());
    }
    println!();
}

fn print_attacks(talk: &Heard, replayed: &Heard, tampered: &Heard) {
    println!(
        "\
The service sends {} directives, and each is answered by an event. Then somebody who listens sends the last
directive once more, and once more with a higher number in clear:
",
        talk.directives().count()
    );
    let volumes: Vec<_> = replayed.volumes_told().iter().map(u64::to_string).collect();
    println!(
        "  {} the replay is dropped in silence; the next directive sets the volume to {}",
        style("✓").green(),
        volumes.join(", ")
    );
    for event in &tampered.device {
        if let Event::Security(security) = event {
            println!("  {} {security}", style("✗").red());
        }
    }
    print_new_connection(tampered);
}

fn print_lost(lost: &Lost) {
    let [first, second] = LOST;
    println!(
        "Of two directives, volume {first} and volume {second}, the first is lost on its way:\n"
    );
    for cause in lost.heard.causes() {
        println!("  {} {cause}", style("✗").red());
    }
    print_new_connection(&lost.heard);
    println!(
        "Both are sent again there, and {} are answered.\n",
        lost.again.volumes_answered().len()
    );
}

/// How a connection was ended by the device, and how the next one came.
fn print_new_connection(heard: &Heard) {
    for code in heard.disconnect_codes() {
        println!("    the device ends the connection with {}", code.as_str());
    }
    for event in &heard.device {
        if let Event::Retrying(next) = event {
            println!("  {} connected again after {:.1?}", style("✓").green(), next.delay);
        }
    }
    println!();
}

fn print_rotated(rotated: &Rotated) {
    let [directive, event] = rotated.first;
    let [directives, events] = rotated.under_new;
    println!(
        "\
The service gives the device a new secret, which is saved before it is used. Directives from number {directive}
and events from number {event} on are under the new one: {directives} directives and {events} events of the next {}.
",
        rotated.after.directives().count()
    );
}

fn print_end(goodbye: &Heard) {
    let codes: Vec<_> = goodbye.disconnect_codes().iter().map(|code| code.as_str()).collect();
    println!(
        "\
The MQTT connection ends and comes back; the device is switched off and on. Both times it connects with what
it has saved. At last it says goodbye: {}.",
        codes.join(", ")
    );
}

fn connect_checks(registered: &Heard, account: &Refused, client_id: &Refused) -> Vec<Check> {
    let is_recovered = |refused: &Refused| {
        refused.corrected.registrations() == 1 && refused.corrected.causes().is_empty()
    };
    vec![
        Check::new(
            "one registration, and the device is connected",
            registered.registrations() == 1 && registered.causes().is_empty(),
        ),
        Check::new(
            "a wrong account id is refused, with the advice to correct it, and the right one is taken",
            account.code.advice() == Advice::CorrectAccountId
                && account.blocked == Blocked::AccountId
                && is_recovered(account),
        ),
        Check::new(
            "a wrong client id is refused, with the advice to correct it, and the right one is taken",
            client_id.code.advice() == Advice::CorrectClientId
                && client_id.blocked == Blocked::ClientId
                && is_recovered(client_id),
        ),
    ]
}

fn message_checks(talk: &Heard, replayed: &Heard, tampered: &Heard, lost: &Lost) -> Vec<Check> {
    let is_security = |event: &&Event| matches!(event, Event::Security(Security::Tampered { .. }));
    let is_lost = |cause: &&DisconnectCause| matches!(cause, DisconnectCause::Lost { .. });
    let causes = lost.heard.causes();
    vec![
        Check::new(
            format!("{} directives and {0} events arrived in their order", TALK.len()),
            is_answered(talk, &TALK),
        ),
        Check::new(
            "a replay is dropped, and nobody hears of it",
            is_answered(replayed, &[AFTER_REPLAY])
                && (replayed.device.len(), replayed.service.len()) == (1, 1),
        ),
        Check::new(
            "with its clear number raised it ends the connection: MESSAGE_TAMPERED",
            tampered.device.iter().filter(is_security).count() == 1
                && tampered.causes() == [&DisconnectCause::Tampered]
                && tampered.disconnect_codes() == [&DisconnectCode::MessageTampered]
                && tampered.directives().next().is_none(),
        ),
        Check::new(
            "so does a lost one: UNEXPECTED_SEQUENCE_NUMBER, and nothing after it was handed over",
            causes.len() == 1
                && causes.iter().all(is_lost)
                && lost.heard.disconnect_codes() == [&DisconnectCode::UnexpectedSequenceNumber]
                && lost.heard.directives().next().is_none(),
        ),
        Check::new("a new connection carries on", is_answered(&lost.again, &LOST)),
    ]
}

fn rotation_checks(rotated: &Rotated) -> Vec<Check> {
    let [directives, events] = rotated.under_new;
    // What the old secret protects still, of which RotateSecret and SecretRotated are none.
    let is_new = directives == AFTER_ROTATION.len() - ROTATION_MARGIN as usize
        && (1..AFTER_ROTATION.len()).contains(&events);
    vec![
        Check::new("a new secret is saved, with the old one beside it", rotated.is_saved),
        Check::new(
            "directives and events pass before it, meanwhile and under it",
            is_answered(&rotated.before, &BEFORE_ROTATION)
                && is_answered(&rotated.after, &AFTER_ROTATION)
                && rotated.after.causes().is_empty()
                && is_new,
        ),
    ]
}

fn later_checks(
    reconnected: &Heard,
    rebooted: &Heard,
    talk: &Heard,
    goodbye: &Heard,
) -> Vec<Check> {
    vec![
        Check::new(
            "the end of the MQTT connection costs no registration",
            reconnected.causes() == [&DisconnectCause::Transport]
                && reconnected.registrations() == 0,
        ),
        Check::new(
            "nor does a reboot, and messages pass under the new secret",
            rebooted.device == [Event::Connected] && is_answered(talk, &AFTER_REBOOT),
        ),
        Check::new("the goodbye is heard, and is the last word", goodbye.is_goodbye()),
    ]
}

/// Whether exactly these volumes reached the device, and were answered, in this order.
fn is_answered(heard: &Heard, volumes: &[u64]) -> bool {
    heard.volumes_told() == volumes && heard.volumes_answered() == volumes
}
