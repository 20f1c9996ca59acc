//! `aia-proto`: topics, messages of the connection, registration, protection and order.

use alloc::{boxed::Box, format};
use core::{error::Error, time::Duration};

use aia_proto::{
    ApiVersion, ClientId, Direction, Json, Leaf, MessageId, Topic, TopicRoot, Topics,
    connection::{
        self, Acknowledge, AcknowledgeCode, Connect, Disconnect, DisconnectCode, Message,
    },
    pacer::{Batch, Pacer},
    protect::{
        Cipher, IvGenerator, KeyRing, LegacyInnerSequence, RecentIvs, SharedSecret, Starts,
        outer_sequence,
    },
    registration::{
        Advice, Algorithm, Authentication, ErrorCode, IotIdentity, KeyPair, Refusal, Registration,
        Request, Response, read_answer,
    },
    sequence::{BeyondWindow, Config, Resequencer, SequenceNumber},
};
use iot_sansio::MonoTime;

const NOW: MonoTime = MonoTime::ORIGIN;

pub(crate) fn topics() -> Result<(), Box<dyn Error>> {
    let (root, client_id) = (root()?, client_id()?);
    let version = ApiVersion::parse("v1").unwrap_or(ApiVersion::new(1));
    let topics = Topics::new(&root, version, &client_id);
    for leaf in Leaf::ALL {
        let (topic, filter) = (topics.topic(leaf), root.filter(version, leaf));
        let _ = (topics.classify(&topic) == Leaf::parse(leaf.as_str()), filter);
        let _ = (leaf.direction() == Direction::ToDevice, leaf.is_protected());
        let _ = root.is_root_of(&Topic::parse(&topic)?);
        let _ = format!("{leaf} {root} {version} {client_id} {}", version.get());
    }
    let _ = Topic::parse("a/b").map_err(|error| format!("{error}"));
    let _ = ClientId::new("a/b").map_err(|error| format!("{error} {error:?}"));
    let _ = (root.as_str(), client_id.as_str());
    Ok(())
}

pub(crate) fn connection_messages() -> Result<(), Box<dyn Error>> {
    let id = || MessageId::from_random([7; 16]);
    let _ = MessageId::new("").map_err(|error| format!("{error} {}", MessageId::MAX_LEN));
    let _ = Json::new("{").map_err(|error| format!("{error} {}", error.fault));
    let _ = (Json::new("{}")?.is_object(), Json::new("{}")?.as_str().len());
    let established = AcknowledgeCode::ConnectionEstablished;
    let offline = DisconnectCode::GoingOffline;
    let disconnect = Disconnect::new(id(), offline).with_description("text");
    let _ = disconnect.advice();
    let messages = [
        (Direction::ToService, Message::Connect(Connect::new(id(), "123456789012", "thing"))),
        (
            Direction::ToDevice,
            Message::Acknowledge(
                Acknowledge::new(id(), id(), established).with_description("text"),
            ),
        ),
        (Direction::ToDevice, Message::Disconnect(disconnect)),
    ];
    for (direction, message) in messages {
        let _ = Message::decode(direction, &message.encode())? == message;
        let advice = message.advice(direction);
        let _ = format!("{} {advice} {}", message.name(), advice.as_str());
        let _ = (advice.may_repeat(), advice.needs_registration());
    }
    let _ = Message::decode(Direction::ToDevice, b"{}").map_err(|error| format!("{error}"));
    for code in AcknowledgeCode::ALL {
        let _ = format!("{code} {} {:?}", code.advice(), code.standing(Direction::ToDevice));
        let _ = AcknowledgeCode::from(code.as_str());
    }
    for code in DisconnectCode::ALL {
        let _ = format!("{code} {:?} {:?}", code.expect(), code.standing(Direction::ToService));
        let _ = (DisconnectCode::from(code.as_str()), code.advice());
    }
    let _ = (connection::Advice::ALL, connection::MAX_MESSAGE, connection::MAX_DESCRIPTION);
    Ok(())
}

pub(crate) fn registrations() -> Result<(), Box<dyn Error>> {
    let keys = KeyPair::from_random([8; 32]);
    let iot = IotIdentity::new("123456789012", client_id()?, "example-ats.iot.example");
    let authentication = Authentication::new("token", "client");
    for algorithm in [Algorithm::Curve25519With32Bytes, Algorithm::Curve25519With16BytesSha256] {
        let authentication = authentication.clone();
        let request = Request::new(authentication, algorithm, keys.public_key(), iot.clone());
        let _ = Request::decode(request.encode().expose())? == request;
        let _ = (algorithm.as_str().parse::<Algorithm>()?, algorithm.key_len());
        let _ = format!("{request:?} {} {keys:?}", Request::url(ApiVersion::V1));
        let _ = keys.agree(algorithm, &[0; 32]).map_err(|error| format!("{error}"));
        let other = KeyPair::from_random([9; 32]);
        let mut registration = Registration::new(
            root()?,
            "123456789012",
            client_id()?,
            ApiVersion::V1,
            algorithm,
            keys.agree(algorithm, &other.public_key())?,
        );
        registration.previous = Some(registration.secret.clone());
        let _ = Registration::decode(registration.encode().expose())? == registration;
        let _ = format!("{registration:?}");
    }
    let _ = Request::decode(b"{}").map_err(|error| format!("{error} {}", error.code()));
    let _ = Registration::decode(b"{}").map_err(|error| format!("{error}"));
    let response = Response::new(keys.public_key(), root()?);
    let _ = Response::decode(&response.encode())? == response;
    for code in ErrorCode::ALL {
        let refusal = Refusal::new(code.clone()).with_description("text");
        let body = refusal.encode();
        let _ = (Refusal::decode(&body), ErrorCode::from(code.as_str()));
        if let Err(error) = read_answer(code.status(), &body) {
            let (advice, is_retryable) = (error.advice(), error.is_retryable());
            let _ = format!("{error} {advice} {is_retryable} {:?}", code.advice());
        }
    }
    let _ = Advice::RetryLater.is_retryable();
    Ok(())
}

pub(crate) fn protection() -> Result<(), Box<dyn Error>> {
    let first = SequenceNumber::FIRST;
    let mut generator = IvGenerator::new([7; 32]);
    let _ = (generator.next_bytes::<16>(), generator.next_u64());
    let _ = SharedSecret::from_bytes(b"short").map_err(|error| format!("{error}"));
    for secret in [SharedSecret::from(&[1; 16]), SharedSecret::from(&[2; 32])] {
        let cipher = Cipher::new(&secret);
        let _ = (cipher.secret() == &secret, secret.len(), secret.expose().len());
        let mut message = cipher.seal(first, generator.next_iv(), b"{}");
        cipher.seal_in_place(first.next(), generator.next_iv(), &mut message)?;
        let _ = format!("{:?} {:?}", outer_sequence(&message), cipher.open_in_place(&mut message)?);
        let legacy = LegacyInnerSequence::Accept;
        let leaf = Leaf::Directive;
        match cipher.open_in_place_with(legacy, leaf, &mut message) {
            Ok(opened) => drop(format!("{opened:?}")),
            Err(error) => drop(format!("{error}")),
        }
        let mut ring = KeyRing::new(&secret).with_margin(4).with_max_keys(4);
        ring.push(&secret, Starts::new(first, first, first).with_microphone(first))?;
        let _ = ring.open_in_place(legacy, leaf, &mut message).map(|opened| opened.sequence);
        ring.advance(leaf, first.plus(9));
        let _ = (ring.key(leaf, first), ring.len(), ring.newest());
    }
    let mut recent = RecentIvs::new(8);
    let _ = (recent.insert([1; 12]), recent.contains(&[1; 12]), RecentIvs::default());
    Ok(())
}

pub(crate) fn order() -> Result<(), Box<dyn Error>> {
    let (first, second) = (SequenceNumber::FIRST, Duration::from_secs(1));
    let _ = (SequenceNumber::from_le_bytes([1; 4]).get(), first.next().distance_from(first));
    let _ = format!("{} {}", SequenceNumber::new(3), first.is_before(first.next()));
    let config = Config::default()
        .with_window(4)
        .with_max_bytes(100)
        .with_gap_time(second)
        .with_beyond(BeyondWindow::Drop);
    let mut inbox = Resequencer::new(config);
    let _ = inbox.accept(NOW, first.next(), "late", 4)?;
    let _ = (inbox.expected(), inbox.deadline(), inbox.poll_delivery());
    if let Some(error) = inbox.expired(MonoTime::MAX) {
        drop(format!("{error} {inbox:?}"));
    }
    inbox.rewind(first);
    let mut pacer = Pacer::new(second);
    pacer.sent(NOW);
    let _ = (pacer.is_ready(NOW), pacer.ready_at(), Pacer::default());
    let mut batch = Batch::new(10, 20);
    batch.push("chunk", 5)?;
    let _ = (batch.is_empty(), batch.take());
    Ok(())
}

pub(crate) fn client_id() -> Result<ClientId, Box<dyn Error>> {
    Ok(ClientId::new("my-thing-01")?)
}

pub(crate) fn root() -> Result<TopicRoot, Box<dyn Error>> {
    Ok(TopicRoot::new("$aws/alexa")?)
}
