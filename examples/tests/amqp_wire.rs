//! Wire facts that only a stack writes, as a server sees them that reads the bytes.
//!
//! The vectors are those of section 15.B of the specification of the AMQP subscription, by id.

use std::{convert::Infallible, net::Ipv4Addr, time::Duration};

use data_encoding::HEXLOWER;
use examples::{
    amqp_adapter::{Adapter, wire},
    certificates::Certificates,
};
use fe2o3_amqp::types::{
    definitions::{AmqpError, Error, Handle, Role},
    messaging::Source,
    performatives::{
        Attach as AttachFrame, Begin, Detach, Disposition, Open as OpenFrame, Performative,
        Transfer,
    },
};
use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    amqp::{
        Abort, Action, Amqp, Attach, Body, Close, Connection, DeliveryId, Dial, Flow, Input, Open,
        OpenOptions, Outcome, Settle,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(30);
const LINK: Connection = Connection::new(1);

const SASL_HEADER: &[u8] = b"AMQP\x03\x01\x00\x00";
const AMQP_HEADER: &[u8] = b"AMQP\x00\x01\x00\x00";

const MECHANISMS_ARRAY: (&str, &str) = ("B04", "0000001802010000005340c00b01e00801a305504c41494e");
const MECHANISMS_SYMBOL: (&str, &str) = ("B05", "0000001502010000005340c00801a305504c41494e");
const MECHANISMS_TWO: (&str, &str) =
    ("B06", "0000002202010000005340c01501e01202a309414e4f4e594d4f555305504c41494e");
const SASL_INIT: (&str, &str) = ("B08", "0000001b02010000005341c00e02a305504c41494ea00400750070");
const OUTCOME_OK: (&str, &str) = ("B12", "0000001002010000005344c003015000");
const B17: (&str, &str) = (
    "B17",
    "0000003102000000005310c02405a109636c69656e742d3031a109682e6578616d706c6570000100006000007000007530",
);
const B18: (&str, &str) = (
    "B18",
    "0000003102000000005310c02405a109636c69656e742d3031a109682e6578616d706c657000010000600000700000ea60",
);
const B19: (&str, &str) = (
    "B19",
    "0000003102000000005310c02405a109636c69656e742d3031a109682e6578616d706c65700001000060000070000493e0",
);
const B20: (&str, &str) = ("B20", "0000000802000000");
const B21: (&str, &str) = ("B21", "0000001a02000000005311c00d04404370000008007000000800");
const B22: (&str, &str) = (
    "B22",
    "0000002d02000000005312c02007a10472782d31434150005000005328c00a01a10764656661756c7400532945",
);
const B23: (&str, &str) = ("B23", "0000001e02000000005313c0110743700000080043700000080043435240");
const B24: (&str, &str) = (
    "B24",
    "0000009502000000005314c00c05435207a004000000074342005374c15f08a105746f706963a1172f61732f6d7174742f7374617475732f706b312f646e31a1096d6573736167654964a11331333531313233343536373839303132333435a10c67656e657261746554696d6581000001658db7a7e3a103716f735401005375a0137b22737461747573223a226f6e6c696e65227d",
);
const B25: (&str, &str) = ("B25", "0000001802000000005315c00b0541520752074100532445");
const B26: (&str, &str) = ("B26", "0000001802000000005315c00b0541520752074100532645");
const B28: (&str, &str) = ("B28", "0000001c02000000005315c00f05415207520741005327c003024142");
const B29: (&str, &str) = ("B29", "0000000c0200000000531845");

/// Does what the test asks, and remembers nothing but the last delivery.
#[derive(Default)]
struct Script {
    asked: Vec<Action>,
    heard: usize,
    told: usize,
    delivered: Option<DeliveryId>,
    settled: bool,
    sequence: bool,
    detached: Option<String>,
    closed: Option<String>,
}

impl Machine for Script {
    type Vocabulary = Amqp;
    type Event = ();
    type Error = Infallible;

    fn handle_input(&mut self, _: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
        self.heard += 1;
        match input {
            Input::Delivery(delivery) => {
                self.delivered = Some(delivery.id);
                self.settled = delivery.settled;
                self.sequence = matches!(delivery.message.body, Body::Sequence);
            }
            Input::Detached(detached) => {
                let error = detached.error.unwrap();
                self.detached =
                    Some(format!("{}: {}", error.condition, error.description.unwrap()));
            }
            Input::Closed(closed) => self.closed = Some(format!("{:?}", closed.reason)),
            _ => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self, _: MonoTime) {}

    fn poll_output(&mut self) -> Output<Action, ()> {
        if self.told < self.heard {
            self.told += 1;
            return Output::Event(());
        }
        match self.asked.is_empty() {
            true => Output::Idle(None),
            false => Output::Action(self.asked.remove(0)),
        }
    }

    fn is_finished(&self) -> bool {
        false
    }
}

/// A client on the adapter, and the bytes that it writes.
struct Pair {
    script: Script,
    adapter: Adapter,
    stream: TlsStream<TcpStream>,
}

impl Pair {
    async fn connect() -> Self {
        let certificates = Certificates::generate().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut script = Script::default();
        script.asked.push(Dial::new(LINK, "localhost", port).into());
        let mut adapter = Adapter::new(certificates.client().unwrap());
        let accept = async {
            let (stream, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(certificates.server().unwrap()).accept(stream).await.unwrap()
        };
        let ((), stream) = tokio::join!(hear(&mut script, &mut adapter), within(accept));
        Self { script, adapter, stream }
    }

    /// Asks, and lets the adapter work until the server has read a frame.
    async fn frame_after(&mut self, action: impl Into<Action>) -> Vec<u8> {
        self.script.asked.push(action.into());
        self.frame().await
    }

    /// The next frame that is no heartbeat: those may begin as soon as the peer names an idle timeout.
    async fn frame(&mut self) -> Vec<u8> {
        let Self { script, adapter, stream } = self;
        loop {
            let frame = tokio::select! {
                frame = within(read_frame(stream)) => frame,
                () = step_on(script, adapter) => unreachable!(),
            };
            if frame != hex(B20.1) {
                return frame;
            }
        }
    }

    async fn header(&mut self) -> Vec<u8> {
        let Self { script, adapter, stream } = self;
        let mut header = vec![0; 8];
        tokio::select! {
            read = within(stream.read_exact(&mut header)) => { read.unwrap(); }
            () = step_on(script, adapter) => unreachable!(),
        }
        header
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn hear(&mut self) {
        hear(&mut self.script, &mut self.adapter).await;
    }

    /// Logs in and gives the client's `open`.
    async fn open(&mut self, idle_timeout: Duration, mechanisms: &str) -> Vec<u8> {
        let options = OpenOptions::new("u", "p", "client-01", "h.example", idle_timeout);
        self.script.asked.push(Open::new(LINK, options).into());
        assert_eq!(self.header().await, SASL_HEADER);
        self.write(SASL_HEADER).await;
        self.write(&hex(mechanisms)).await;
        assert_vector(&self.frame().await, SASL_INIT);
        self.write(&hex(OUTCOME_OK.1)).await;
        assert_eq!(self.header().await, AMQP_HEADER);
        self.write(AMQP_HEADER).await;
        self.frame().await
    }

    /// Answers `open`, and gives the client's `begin` and `attach`.
    async fn attach(&mut self, idle_timeout: Option<u32>) -> (Vec<u8>, Vec<u8>) {
        self.write(&peer_open(idle_timeout)).await;
        self.hear().await;
        let begin = self.frame_after(Attach::new(LINK, "rx-1", "default")).await;
        self.write(&wire::encode(&Performative::Begin(peer_begin()))).await;
        let attach = self.frame().await;
        self.write(&wire::encode(&Performative::Attach(peer_attach("rx-1", 0, Role::Sender))))
            .await;
        self.hear().await;
        (begin, attach)
    }
}

/// Until the machine has heard something new.
async fn hear(script: &mut Script, adapter: &mut Adapter) {
    let before = script.heard;
    while script.heard == before {
        let Ok(_) = within(adapter.step(script, |()| ())).await;
    }
}

async fn step_on(script: &mut Script, adapter: &mut Adapter) {
    loop {
        let Ok(_) = adapter.step(script, |()| ()).await;
    }
}

async fn read_frame(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let size = stream.read_u32().await.unwrap();
    let mut frame = size.to_be_bytes().to_vec();
    frame.resize(size.try_into().unwrap(), 0);
    stream.read_exact(&mut frame[4..]).await.unwrap();
    frame
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn assert_vector(frame: &[u8], (id, expected): (&str, &str)) {
    assert_eq!(HEXLOWER.encode(frame), expected, "{id}");
}

fn decode(frame: &[u8]) -> Performative {
    serde_amqp::from_slice(&frame[8..]).unwrap()
}

fn peer_open(idle_time_out: Option<u32>) -> Vec<u8> {
    wire::encode(&Performative::Open(OpenFrame {
        container_id: "platform".into(),
        hostname: None,
        max_frame_size: 65_536.into(),
        channel_max: 0.into(),
        idle_time_out,
        outgoing_locales: None,
        incoming_locales: None,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    }))
}

fn peer_begin() -> Begin {
    Begin {
        remote_channel: Some(0),
        next_outgoing_id: 0,
        incoming_window: 2048,
        outgoing_window: 2048,
        handle_max: Handle(7),
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    }
}

fn peer_attach(name: &str, handle: u32, role: Role) -> AttachFrame {
    AttachFrame {
        name: name.into(),
        handle: Handle(handle),
        initial_delivery_count: (role == Role::Sender).then_some(0),
        role,
        snd_settle_mode: Default::default(),
        rcv_settle_mode: Default::default(),
        source: Some(Box::new(Source::from("default"))),
        target: None,
        unsettled: None,
        incomplete_unsettled: false,
        max_message_size: None,
        offered_capabilities: None,
        desired_capabilities: None,
        properties: None,
    }
}

#[tokio::test]
async fn the_idle_timeout_stands_on_the_wire_as_it_was_asked_for() {
    for (seconds, vector) in [(30, B17), (60, B18), (300, B19)] {
        for (_, mechanisms) in [MECHANISMS_ARRAY, MECHANISMS_SYMBOL, MECHANISMS_TWO] {
            let mut pair = Pair::connect().await;
            let open = pair.open(Duration::from_secs(seconds), mechanisms).await;
            assert_vector(&open, vector);
        }
    }
}

#[tokio::test]
async fn session_link_credit_and_close_are_written_as_the_vectors_say() {
    for (outcome, vector) in [
        (Outcome::Accepted, B25),
        (Outcome::Released, B26),
        (Outcome::Modified { delivery_failed: true, undeliverable_here: false }, B28),
    ] {
        let mut pair = Pair::connect().await;
        pair.open(Duration::from_secs(60), MECHANISMS_ARRAY.1).await;
        let (begin, attach) = pair.attach(None).await;
        assert_vector(&begin, B21);
        // The stack leaves out the default of rcv-settle-mode and writes an initial-delivery-count, which counts for
        // nothing in the attach of a receiver (AMQP 1.0, 2.7.3): B22 holds in its meaning, not in its bytes.
        let Performative::Attach(mut attach) = decode(&attach) else { panic!("no attach") };
        assert_eq!(attach.initial_delivery_count.take(), Some(0));
        assert_eq!(Performative::Attach(attach), decode(&hex(B22.1)), "B22");
        let flow = pair.frame_after(Flow::new(LINK, 64)).await;
        assert_vector(&flow, B23);
        pair.write(&hex(B24.1)).await;
        pair.hear().await;
        let delivered = pair.script.delivered.unwrap();
        let disposition = pair.frame_after(Settle::new(delivered, outcome)).await;
        // One delivery needs no `last`, and the stack writes none (AMQP 1.0, 2.7.6): the vectors hold in their meaning.
        let Performative::Disposition(mut disposition) = decode(&disposition) else {
            panic!("no disposition");
        };
        assert_eq!(disposition.last.replace(disposition.first), None);
        assert_eq!(Performative::Disposition(disposition), decode(&hex(vector.1)), "{}", vector.0);
        let close = pair.frame_after(Close::new(LINK)).await;
        assert_vector(&close, B29);
    }
}

#[tokio::test]
async fn another_version_after_the_login_is_told_as_version() {
    let mut pair = Pair::connect().await;
    let options = OpenOptions::new("u", "p", "client-01", "h.example", Duration::from_secs(60));
    pair.script.asked.push(Open::new(LINK, options).into());
    pair.header().await;
    pair.write(&[SASL_HEADER, &hex(MECHANISMS_ARRAY.1)].concat()).await;
    pair.frame().await;
    pair.write(&hex(OUTCOME_OK.1)).await;
    pair.header().await;
    pair.write(b"AMQP\x00\x00\x09\x01").await;
    pair.hear().await;
    assert_eq!(pair.script.closed.as_deref(), Some("Version"));
}

#[tokio::test]
async fn a_login_that_is_not_answered_can_be_closed_or_aborted() {
    for action in [Action::from(Close::new(LINK)), Abort::new(LINK).into()] {
        let mut pair = Pair::connect().await;
        let options = OpenOptions::new("u", "p", "client-01", "h.example", Duration::from_secs(60));
        pair.script.asked.push(Open::new(LINK, options).into());
        assert_eq!(pair.header().await, SASL_HEADER);
        pair.script.asked.push(action);
        pair.hear().await;
        assert_eq!(pair.script.closed.as_deref(), Some("Requested"));
        let mut rest = Vec::new();
        let _ = within(pair.stream.read_to_end(&mut rest)).await;
        assert_eq!(rest, b"", "without a word");
    }
}

#[tokio::test]
async fn a_link_without_source_is_refused_with_the_words_of_its_detach() {
    // E17.
    let mut pair = Pair::connect().await;
    pair.open(Duration::from_secs(60), MECHANISMS_ARRAY.1).await;
    pair.write(&peer_open(None)).await;
    pair.hear().await;
    pair.frame_after(Attach::new(LINK, "rx-1", "default")).await;
    pair.write(&wire::encode(&Performative::Begin(peer_begin()))).await;
    pair.frame().await;
    let attach = AttachFrame { source: None, ..peer_attach("rx-1", 0, Role::Sender) };
    pair.write(&wire::encode(&Performative::Attach(attach))).await;
    let error = Error::new(AmqpError::UnauthorizedAccess, "no permission".to_string(), None);
    let detach = Detach { handle: Handle(0), closed: true, error: Some(error) };
    pair.write(&wire::encode(&Performative::Detach(detach))).await;
    pair.hear().await;
    let words = "amqp:unauthorized-access: no permission";
    assert_eq!(pair.script.detached.as_deref(), Some(words));
    assert_eq!(pair.script.closed, None);
}

/// A pair whose link stands, with credit.
async fn attached(idle_timeout: Duration, peer_idle_timeout: Option<u32>) -> Pair {
    let mut pair = Pair::connect().await;
    pair.open(idle_timeout, MECHANISMS_ARRAY.1).await;
    pair.attach(peer_idle_timeout).await;
    let frame = pair.frame_after(Flow::new(LINK, 64)).await;
    assert_vector(&frame, B23);
    pair
}

/// When the next frames come; time flies while nothing happens.
async fn arrivals(pair: &mut Pair, frames: usize) -> Vec<Duration> {
    tokio::time::pause();
    let begin = Instant::now();
    let mut arrivals = Vec::new();
    let Pair { script, adapter, stream } = pair;
    for _ in 0..frames {
        let frame = tokio::select! {
            frame = timeout(Duration::from_secs(3_600), read_frame(stream)) => frame.unwrap(),
            () = step_on(script, adapter) => unreachable!(),
        };
        assert_vector(&frame, B20);
        arrivals.push(begin.elapsed());
    }
    tokio::time::resume();
    arrivals
}

/// The timer of the runtime counts whole milliseconds, and what was done before counts too.
fn assert_about(arrivals: &[Duration], seconds: &[u64]) {
    let off = |(&at, &second): (&Duration, &u64)| at.abs_diff(Duration::from_secs(second));
    let worst = arrivals.iter().zip(seconds).map(off).max().unwrap();
    assert!(worst < Duration::from_secs(1), "{arrivals:?}");
}

#[tokio::test]
async fn heartbeats_come_at_half_of_our_own_timeout_when_the_peer_names_none() {
    // E09.
    let mut pair = attached(Duration::from_secs(60), None).await;
    assert_about(&arrivals(&mut pair, 3).await, &[30, 60, 90]);
}

#[tokio::test]
async fn heartbeats_come_at_half_of_the_peers_timeout() {
    // E10.
    let mut pair = attached(Duration::from_secs(60), Some(20_000)).await;
    let arrivals = arrivals(&mut pair, 6).await;
    let mut last = Duration::ZERO;
    for at in &arrivals {
        assert!(*at - last < Duration::from_secs(11), "{arrivals:?}");
        last = *at;
    }
    // The stack sends its own as well, every 20 s.
    assert!(last > Duration::from_secs(25), "{arrivals:?}");
}

#[tokio::test]
async fn a_silent_peer_is_lost_after_twice_our_timeout() {
    // E11, but for the Close, which this stack does not send.
    let Pair { mut script, mut adapter, mut stream } =
        attached(Duration::from_secs(60), None).await;
    tokio::time::pause();
    let begin = Instant::now();
    let before = script.heard;
    while script.heard == before {
        let Ok(_) = adapter.step(&mut script, |()| ()).await;
    }
    assert_about(&[begin.elapsed()], &[120]);
    assert_eq!(script.closed.as_deref(), Some("Lost"));
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.chunks(8).all(|frame| frame == hex(B20.1)), "{}", HEXLOWER.encode(&rest));
}

#[tokio::test]
async fn close_does_not_wait_for_ever() {
    let mut pair = attached(Duration::from_secs(60), None).await;
    // Five seconds of real time: the stack spins while it waits, and the runtime's clock cannot be moved then.
    pair.frame_after(Close::new(LINK)).await;
    pair.hear().await;
    assert_eq!(pair.script.closed.as_deref(), Some("Requested"));
}

#[tokio::test]
async fn links_of_the_peer_are_refused_and_ours_goes_on() {
    let mut pair = attached(Duration::from_secs(60), None).await;
    for (handle, role) in [(1, Role::Sender), (2, Role::Receiver)] {
        let name = format!("intruder-{handle}");
        let attach = Performative::Attach(peer_attach(&name, handle, role.clone()));
        pair.write(&wire::encode(&attach)).await;
        let Performative::Attach(answer) = decode(&pair.frame().await) else { panic!() };
        assert_eq!(answer.name, name);
        assert_ne!(answer.role, role);
        assert_eq!((answer.source, answer.target), (None, None));
        let Performative::Detach(detach) = decode(&pair.frame().await) else { panic!() };
        assert_eq!(detach.handle, answer.handle);
        assert!(detach.closed);
        assert_eq!(detach.error.unwrap().condition, AmqpError::NotImplemented.into());
        // What the peer still says there reaches nobody.
        let detach = Detach { handle: Handle(handle), closed: true, error: None };
        pair.write(&wire::encode(&Performative::Detach(detach))).await;
    }
    pair.write(&hex(B24.1)).await;
    pair.hear().await;
    assert!(pair.script.delivered.is_some());
}

/// A transfer on our link, with the body of B24 as its payload.
fn transfer(change: impl FnOnce(&mut Transfer)) -> Vec<u8> {
    let frame = hex(B24.1);
    let Performative::Transfer(mut transfer) = decode(&frame) else { panic!() };
    change(&mut transfer);
    with_payload(&transfer, &frame[frame.len() - B27_SIZE..])
}

fn with_payload(transfer: &Transfer, payload: &[u8]) -> Vec<u8> {
    let mut frame = wire::encode(&Performative::Transfer(transfer.clone()));
    frame.extend_from_slice(payload);
    let size = u32::try_from(frame.len()).unwrap();
    frame[..4].copy_from_slice(&size.to_be_bytes());
    frame
}

/// The message in B24.
const B27_SIZE: usize = 124;

#[tokio::test]
async fn a_delivery_that_came_settled_is_told_so_and_not_settled_again() {
    let mut pair = attached(Duration::from_secs(60), None).await;
    pair.write(&transfer(|transfer| transfer.settled = Some(true))).await;
    pair.hear().await;
    let delivered = pair.script.delivered.unwrap();
    assert!(pair.script.settled);
    pair.script.asked.push(Settle::new(delivered, Outcome::Accepted).into());
    // The next frame is the one asked for after it.
    let close = pair.frame_after(Close::new(LINK)).await;
    assert_vector(&close, B29);
}

#[tokio::test]
async fn an_aborted_delivery_is_no_delivery() {
    // H16.
    let mut pair = attached(Duration::from_secs(60), None).await;
    pair.write(&transfer(|transfer| transfer.more = true)).await;
    pair.write(&transfer(|transfer| transfer.aborted = true)).await;
    pair.write(&transfer(|transfer| {
        transfer.delivery_id = Some(8);
        transfer.delivery_tag = Some(vec![8].into());
        transfer.settled = Some(true);
    }))
    .await;
    pair.hear().await;
    assert_eq!(pair.script.delivered, Some(DeliveryId::new(LINK, 0)));
    assert!(pair.script.settled, "it is the one after it");
}

#[tokio::test]
async fn what_is_no_message_can_still_be_settled() {
    let mut pair = attached(Duration::from_secs(60), None).await;
    let Performative::Transfer(transfer) = decode(&hex(B24.1)) else { panic!() };
    pair.write(&with_payload(&transfer, b"no message")).await;
    pair.hear().await;
    assert!(pair.script.sequence);
    let delivered = pair.script.delivered.unwrap();
    let frame = pair.frame_after(Settle::new(delivered, Outcome::Rejected)).await;
    assert!(matches!(decode(&frame), Performative::Disposition(_)));
}

#[tokio::test]
async fn a_frame_of_impossible_size_ends_the_connection_and_nothing_else() {
    for size in [0_u32, 4, 7, wire::MAX_FRAME + 1, u32::MAX] {
        let mut pair = attached(Duration::from_secs(60), None).await;
        pair.write(&[&size.to_be_bytes()[..], &[2, 0, 0, 0]].concat()).await;
        pair.hear().await;
        assert_eq!(pair.script.closed.as_deref(), Some("Lost"), "{size}");
    }
}

/// The connection ends, and the process lives to tell.
async fn breaks(pair: &mut Pair) {
    while pair.script.closed.is_none() {
        pair.hear().await;
    }
    assert_eq!(pair.script.closed.as_deref(), Some("Lost"));
}

#[tokio::test]
async fn a_disposition_of_more_than_there_can_be_ends_the_connection() {
    let disposition = |last| {
        wire::encode(&Performative::Disposition(Disposition {
            role: Role::Sender,
            first: 0,
            last: Some(last),
            settled: true,
            state: None,
            batchable: false,
        }))
    };
    let mut pair = attached(Duration::from_secs(60), None).await;
    pair.write(&disposition(2047)).await;
    pair.write(&hex(B24.1)).await;
    pair.hear().await;
    assert!(pair.script.delivered.is_some());
    pair.write(&disposition(u32::MAX)).await;
    breaks(&mut pair).await;
}

/// An amqp-value of lists in lists.
fn nested(depth: usize) -> Vec<u8> {
    let list = |inner: Vec<u8>| {
        let size = u32::try_from(inner.len() + 4).unwrap();
        [&[0xd0], &size.to_be_bytes()[..], &[0, 0, 0, 1], &inner].concat()
    };
    let value = (0..depth).fold(vec![0x45], |inner, _| list(inner));
    [&[0, 0x53, 0x77], &value[..]].concat()
}

#[tokio::test]
async fn values_that_are_nested_deep_end_the_connection_and_nothing_else() {
    let Performative::Transfer(transfer) = decode(&hex(B24.1)) else { panic!() };
    let mut pair = attached(Duration::from_secs(60), None).await;
    pair.write(&with_payload(&transfer, &nested(20))).await;
    pair.hear().await;
    assert!(pair.script.delivered.is_some());
    for parts in [1, 2, 7_000] {
        let mut pair = attached(Duration::from_secs(60), None).await;
        let payload = nested(7_000);
        let chunks = payload.chunks(payload.len().div_ceil(parts));
        let last = chunks.len() - 1;
        for (number, chunk) in chunks.enumerate() {
            let transfer = Transfer { more: number < last, ..transfer.clone() };
            // Once it is deep enough, nobody reads on.
            let _ = pair.stream.write_all(&with_payload(&transfer, chunk)).await;
        }
        let _ = pair.stream.flush().await;
        breaks(&mut pair).await;
    }
}

#[tokio::test]
async fn deep_values_that_are_no_message_can_be_settled() {
    let Performative::Transfer(transfer) = decode(&hex(B24.1)) else { panic!() };
    let mut pair = attached(Duration::from_secs(60), None).await;
    pair.write(&with_payload(&transfer, &nested(7_000)[3..])).await;
    pair.hear().await;
    assert!(pair.script.sequence);
}

#[tokio::test]
async fn a_deep_open_ends_the_connection_and_nothing_else() {
    let mut pair = Pair::connect().await;
    pair.open(Duration::from_secs(60), MECHANISMS_ARRAY.1).await;
    let mut open = peer_open(None);
    // In place of the container id.
    open.splice(8.., [b"\x00\x53\x10".to_vec(), nested(7_000)[3..].to_vec()].concat());
    let size = u32::try_from(open.len()).unwrap();
    open[..4].copy_from_slice(&size.to_be_bytes());
    pair.write(&open).await;
    breaks(&mut pair).await;
}

#[tokio::test]
async fn a_peer_that_attaches_links_for_ever_is_cut() {
    let mut pair = attached(Duration::from_secs(60), None).await;
    let mut written = 0;
    for handle in 1.. {
        let attach = peer_attach(&format!("intruder-{handle}"), handle, Role::Sender);
        let attach = wire::encode(&Performative::Attach(attach));
        let Pair { script, adapter, stream } = &mut pair;
        tokio::select! {
            sent = stream.write_all(&attach) => if sent.is_err() { break },
            () = hear(script, adapter) => break,
        }
        written = handle;
        assert!(written < 100_000, "it takes them all");
    }
    assert!(written >= 64, "{written}");
    if pair.script.closed.is_none() {
        pair.hear().await;
    }
    assert_eq!(pair.script.closed.as_deref(), Some("Lost"));
}

#[tokio::test]
async fn a_peer_that_asks_and_does_not_read_is_cut() {
    let mut pair = attached(Duration::from_secs(60), None).await;
    for round in 0.. {
        assert!(round < 100_000, "it takes them all");
        let attach = wire::encode(&Performative::Attach(peer_attach("intruder", 1, Role::Sender)));
        let detach = Detach { handle: Handle(1), closed: true, error: None };
        let detach = wire::encode(&Performative::Detach(detach));
        let asked = [attach, detach].concat().repeat(100);
        let Pair { script, adapter, stream } = &mut pair;
        tokio::select! {
            sent = stream.write_all(&asked) => if sent.is_err() { break },
            () = hear(script, adapter) => break,
        }
    }
    if pair.script.closed.is_none() {
        pair.hear().await;
    }
    assert_eq!(pair.script.closed.as_deref(), Some("Lost"));
}
