//! Our side: it verifies, remembers, handles, and answers.

use core::time::Duration;

use fastrand::Rng;
use iot_sansio::{MonoTime, UnixMillis};
use smart_properties::{
    Body, dedupe,
    gate::{Automations, Devices, RoleOperation, Roles, Units},
    service::{Forgery, transport::Attempt},
    sns::{
        Admitted, Answer, CertUrl, Classifier, Content, Delivery, Envelope, Fresh, Headers,
        Inbound, RecordErrorKind, Subscriber, Verifier, Via,
    },
};

use crate::peer::{CERTIFICATE, StandIn, StandInVerify, arn};

/// Who has sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Sns(Attempt),
    Forged(Forgery),
    /// What SNS sent at this time, played again.
    Replayed(UnixMillis),
}

/// What a request was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    pub(super) origin: Origin,
    pub(super) answer: Answer,
    /// Because the certificate could not be fetched.
    pub(super) no_certificate: bool,
}

/// What may be done, by the events.
#[derive(Debug)]
pub(super) struct Gates {
    pub(super) units: Units,
    pub(super) roles: Roles,
    pub(super) automations: Automations,
    pub(super) devices: Devices,
}

pub(super) struct Receiver {
    classifier: Classifier,
    subscriber: Subscriber<StandInVerify>,
    pub(super) gates: Gates,
    rng: Rng,
    fetches: Vec<Fetch>,
    work: Vec<Work>,
    /// Whether certificates cannot be had, and handlers fail now and then.
    pub(super) is_troubled: bool,
    /// What was handled, in that order.
    pub(super) handled: Vec<String>,
    pub(super) failures: usize,
    pub(super) unsubscribed: usize,
    pub(super) replies: Vec<Reply>,
    /// URLs to visit.
    pub(super) visits: Vec<String>,
}

struct Fetch {
    done: MonoTime,
    origin: Origin,
    url: CertUrl,
    envelope: Envelope<'static>,
}

struct Work {
    done: MonoTime,
    origin: Origin,
    fresh: Fresh<'static>,
}

impl Receiver {
    pub(super) fn new(seed: u64) -> Self {
        let verifier = Verifier::new(Via::Http, [arn()]);
        let gates = Gates {
            units: Units::new(Default::default()),
            roles: Roles::new(Default::default()),
            automations: Automations::new(Default::default()),
            devices: Devices::new(Default::default()),
        };
        Self {
            classifier: Classifier::new(Via::Http),
            subscriber: Subscriber::new(verifier, dedupe::Config::default(), StandInVerify),
            gates,
            rng: Rng::with_seed(seed),
            fetches: Vec::new(),
            work: Vec::new(),
            is_troubled: true,
            handled: Vec::new(),
            failures: 0,
            unsubscribed: 0,
            replies: Vec::new(),
            visits: Vec::new(),
        }
    }

    /// When something of its own is done.
    pub(super) fn next(&self) -> Option<MonoTime> {
        let fetches = self.fetches.iter().map(|fetch| fetch.done);
        fetches.chain(self.work.iter().map(|work| work.done)).min()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.fetches.is_empty() && self.work.is_empty()
    }

    pub(super) fn receive<'a>(
        &mut self,
        now: MonoTime,
        wall: UnixMillis,
        origin: Origin,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: &[u8],
    ) {
        match self.classifier.classify(body, &Headers::from_pairs(headers)) {
            Ok(Inbound::Envelope(envelope)) => {
                self.admit(now, wall, origin, envelope.into_owned());
            }
            Ok(Inbound::Records(records)) => {
                for record in records {
                    let error = record.expect_err("no record is believed over HTTP");
                    let RecordErrorKind::Envelope(error) = error.kind else { panic!("{error}") };
                    self.reply(origin, error.answer());
                }
            }
            Ok(Inbound::Raw(raw)) => panic!("{raw:?} is not believed over HTTP"),
            Err(error) => self.reply(origin, error.answer()),
        }
    }

    fn admit(
        &mut self,
        now: MonoTime,
        wall: UnixMillis,
        origin: Origin,
        envelope: Envelope<'static>,
    ) {
        match self.subscriber.admit(now, wall, Delivery::Envelope(envelope)) {
            Err(error) => self.reply(origin, error.answer()),
            Ok(Admitted::Seen(admission)) => {
                self.reply(origin, admission.answer().expect("it is not fresh"));
            }
            Ok(Admitted::Control(verified)) => {
                match verified.content().expect("it was checked") {
                    Content::Confirm(confirm) => self.visits.push(confirm.url().into()),
                    Content::Unsubscribed => self.unsubscribed += 1,
                    other => panic!("{other:?}"),
                }
                self.reply(origin, Answer::Accept);
            }
            Ok(Admitted::CertificateWanted { url, envelope, .. }) => {
                assert!(StandIn::of_sns().is_place(url.as_str()), "{url:?} is not of SNS");
                let done = now.after(Duration::from_millis(self.rng.u64(50..8_000)));
                self.fetches.push(Fetch { done, origin, url, envelope });
            }
            Ok(Admitted::Fresh(fresh)) => {
                // Now and then it takes longer than SNS waits.
                let millis = if self.is_troubled && self.rng.u8(..) < 12 { 40_000 } else { 900 };
                let done = now.after(Duration::from_millis(self.rng.u64(1..millis)));
                self.work.push(Work { done, origin, fresh });
            }
            Ok(other) => panic!("not expected here: {other:?}"),
        }
    }

    /// Ends what is done by now.
    pub(super) fn pass(&mut self, now: MonoTime, wall: UnixMillis) {
        let fetches = std::mem::take(&mut self.fetches).into_iter();
        let (done, rest): (Vec<_>, _) = fetches.partition(|fetch| fetch.done <= now);
        self.fetches = rest;
        for Fetch { origin, url, envelope, .. } in done {
            if self.is_troubled && self.rng.u8(..) < 100 {
                let answer = Answer::Retry;
                self.replies.push(Reply { origin, answer, no_certificate: true });
            } else {
                self.subscriber.fetched(url, CERTIFICATE, wall).expect("a good certificate");
                self.admit(now, wall, origin, envelope);
            }
        }
        let work = std::mem::take(&mut self.work).into_iter();
        let (done, rest): (Vec<_>, _) = work.partition(|work| work.done <= now);
        self.work = rest;
        for Work { origin, fresh, .. } in done {
            if self.is_troubled && self.rng.u8(..) < 30 {
                self.failures += 1;
                self.subscriber.abort(&fresh);
                self.reply(origin, Answer::Retry);
            } else {
                self.gates.handle(now, &fresh);
                self.handled.push(String::from_utf8(fresh.bytes().into()).expect("text"));
                self.subscriber.commit(now, &fresh);
                self.reply(origin, Answer::Accept);
            }
        }
    }

    fn reply(&mut self, origin: Origin, answer: Answer) {
        self.replies.push(Reply { origin, answer, no_certificate: false });
    }
}

impl Gates {
    fn handle(&mut self, now: MonoTime, fresh: &Fresh<'_>) {
        let Ok(event) = fresh.event() else { return };
        let (id, order) = (event.id(), fresh.order(&event));
        match event.body() {
            Body::Activation(activation) => {
                let _ = self.units.activated(now, &activation, id).expect("a unit");
            }
            Body::Completion(completion) => {
                let _ = self.automations.completed(&completion, order, id).expect("an automation");
            }
            Body::RoleAssignment(change) => {
                let _ =
                    self.roles.event(RoleOperation::Assign, &change, order, id).expect("a role");
            }
            Body::RoleRevocation(change) => {
                let _ =
                    self.roles.event(RoleOperation::Revoke, &change, order, id).expect("a role");
            }
            Body::SetupCompletion(setup) => {
                let effects = self.devices.set_up(&setup, order, id, &self.units);
                effects.expect("a device");
            }
            // It opens nothing.
            Body::SkillFailure(_) => {}
            other => panic!("not expected here: {other:?}"),
        }
    }
}
