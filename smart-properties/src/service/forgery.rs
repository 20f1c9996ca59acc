//! What somebody sends who sees all deliveries and cannot sign (specification sections 5.2 and 5.4).

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Signer, transport::Deliver};
use crate::sns::{Classifier, Digest, Headers, Inbound, SignatureVersion, Via};

/// Somebody who wants a message of theirs to be believed, and has a key, but not that of SNS.
///
/// ```
/// use smart_properties::{TopicArn, service::{Attacker, Forgery, Signer}, sns::{Digest, Envelope}};
/// # use smart_properties::service::{Config, Endpoint, Form, Publication, Topic, transport::Action};
/// # use iot_sansio::{Machine, MonoTime, Output, UnixMillis, WallClock};
///
/// struct Key;
///
/// impl Signer for Key {
///     fn sign(&self, _digest: Digest, _text: &[u8]) -> Vec<u8> { vec![0; 256] }
///     fn certificate_url(&self) -> &str { "https://attacker.example/x.pem" }
/// }
///
/// # let arn = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// # let clock = WallClock::new(MonoTime::ORIGIN, UnixMillis::new(1_714_557_600_000));
/// # let mut topic = Topic::new(Config::new(arn), Key, clock);
/// # topic.subscribe(MonoTime::ORIGIN, Endpoint::Http("https://receiver.example".into()), Form::Envelope)?;
/// # let Output::Action(Action::Deliver(seen)) = topic.poll_output() else { panic!() };
/// // `seen` is what a topic has just sent.
/// let attacker = Attacker::new(Key, r#"{"header":{},"payload":{}}"#);
/// let forged = attacker.forge(&seen, Forgery::CertificateUrl).ok_or("not in an envelope")?;
/// assert!(String::from_utf8(forged.body)?.contains("attacker.example"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Attacker<S> {
    signer: S,
    message: String,
}

/// How a delivery is forged. No receiver may take any of them for a message of SNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Forgery {
    /// One bit of the signature is another one.
    Signature,
    /// The signature is of a message with another text.
    Message,
    /// Dated an hour later, so that it does not look as old as it is.
    Timestamp,
    /// The members are cut at other places, so that the string to sign stays the same.
    Resplit,
    /// The topic is another one of the same account.
    Topic,
    /// A signature of version 2 is said to be one of version 1, or the other way round.
    Version,
    /// Signed with the attacker's key, with the certificate of SNS.
    Key,
    /// Signed with the attacker's key, with the attacker's certificate.
    CertificateUrl,
    /// A header says that it is of another type.
    Header,
    /// The bare text, without envelope.
    Bare,
    /// The same, with the header of a raw delivery.
    Raw,
    /// The same, in what Lambda would get from a queue.
    Record,
}

/// What an attacker posts. `Debug` shows the names of its headers and the length of its body only: a part of a message
/// may stand in a header.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Forged {
    /// The headers of the POST.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Forgery {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Signature,
        Self::Message,
        Self::Timestamp,
        Self::Resplit,
        Self::Topic,
        Self::Version,
        Self::Key,
        Self::CertificateUrl,
        Self::Header,
        Self::Bare,
        Self::Raw,
        Self::Record,
    ];
}

impl<S: Signer> Attacker<S> {
    /// Somebody with this key, who wants this text to be believed.
    #[must_use]
    pub fn new(signer: S, message: impl Into<String>) -> Self {
        Self { signer, message: message.into() }
    }

    /// Forges a delivery from one that was seen. None where it cannot be made from that one: from a raw delivery or one
    /// to a function, or where nothing in it can be cut at other places.
    #[must_use]
    pub fn forge(&self, seen: &Deliver, forgery: Forgery) -> Option<Forged> {
        let mut members: Map<String, Value> = serde_json::from_slice(&seen.body).ok()?;
        if !members.contains_key("Signature") {
            return None;
        }
        let mut headers = seen.headers.clone();
        match forgery {
            Forgery::Signature => {
                let mut signature = STANDARD.decode(text(&members, "Signature")?).ok()?;
                *signature.last_mut()? ^= 1;
                set(&mut members, "Signature", STANDARD.encode(signature));
            }
            Forgery::Message => set(&mut members, "Message", self.message.clone()),
            Forgery::Timestamp => {
                let timestamp = text(&members, "Timestamp")?;
                // Of the same form and later, which is all that matters.
                let (day, time) = timestamp.split_at_checked("YYYY-MM-DDT".len())?;
                let hour: u32 = time.get(..2)?.parse().ok()?;
                let later = format!("{day}{:02}{}", (hour + 1) % 24, time.get(2..)?);
                set(&mut members, "Timestamp", later);
            }
            Forgery::Resplit => {
                resplit(&mut members)?;
                set_header(&mut headers, "x-amz-sns-message-id", text(&members, "MessageId")?);
            }
            Forgery::Topic => {
                let arn = format!("{}-other", text(&members, "TopicArn")?);
                set_header(&mut headers, "x-amz-sns-topic-arn", &arn);
                set(&mut members, "TopicArn", arn);
            }
            Forgery::Version => {
                let other = match text(&members, "SignatureVersion")? {
                    "1" => "2",
                    _ => "1",
                };
                set(&mut members, "SignatureVersion", other.into());
            }
            Forgery::Key => self.sign(&mut members)?,
            Forgery::CertificateUrl => {
                self.sign(&mut members)?;
                set(&mut members, "SigningCertURL", self.signer.certificate_url().to_owned());
            }
            Forgery::Header => {
                let other = match text(&members, "Type")? {
                    "Notification" => "SubscriptionConfirmation",
                    _ => "Notification",
                };
                set_header(&mut headers, "x-amz-sns-message-type", other);
            }
            Forgery::Bare | Forgery::Raw | Forgery::Record => return Some(self.bare(forgery)),
        }
        let body = Value::from(members).to_string().into_bytes();
        Some(Forged { headers, body })
    }

    /// The text without an envelope.
    fn bare(&self, forgery: Forgery) -> Forged {
        let (mut headers, mut body) = (Vec::new(), self.message.clone());
        match forgery {
            Forgery::Raw => headers.push(("x-amz-sns-rawdelivery", "true".into())),
            Forgery::Record => {
                let record = json!({"eventSource": "aws:sqs", "messageId": "1", "body": body});
                body = json!({ "Records": [record] }).to_string();
            }
            _ => {}
        }
        Forged { headers, body: body.into_bytes() }
    }

    /// Puts the attacker's text in, and signs that with the attacker's key.
    fn sign(&self, members: &mut Map<String, Value>) -> Option<()> {
        set(members, "Message", self.message.clone());
        let digest = match text(members, "SignatureVersion")? {
            "1" => SignatureVersion::V1.digest(),
            _ => Digest::Sha256,
        };
        let body = Value::from(members.clone()).to_string();
        let classifier = Classifier::new(Via::Http);
        let inbound = classifier.classify(body.as_bytes(), &Headers::default()).ok()?;
        let Inbound::Envelope(envelope) = inbound else { return None };
        let signature = self.signer.sign(digest, envelope.string_to_sign().as_bytes());
        set(members, "Signature", STANDARD.encode(signature));
        Some(())
    }
}

impl Forged {
    /// The headers, borrowed, for example for [`Headers::from_pairs`].
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

impl<S: fmt::Debug> fmt::Debug for Attacker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attacker").field("signer", &self.signer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Forged")
            .field("headers", &names)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}

/// Cuts at other places: a message that imitates members is cut where it does, and a subject is given to the member
/// before it.
fn resplit(members: &mut Map<String, Value>) -> Option<()> {
    let message = text(members, "Message")?.to_owned();
    let id = text(members, "MessageId")?.to_owned();
    let subject = members.get("Subject").and_then(Value::as_str).map(ToOwned::to_owned);
    let imitated = message.split_once("\nMessageId\n").and_then(|(before, rest)| {
        let (other_id, first) = rest.split_once("\nSubject\n")?;
        Some((before, other_id, first))
    });
    match (imitated, subject) {
        (Some((before, other_id, first)), None) => {
            set(members, "Subject", format!("{first}\nMessageId\n{id}"));
            set(members, "MessageId", other_id.into());
            set(members, "Message", before.into());
        }
        (_, Some(subject)) => {
            members.remove("Subject");
            set(members, "MessageId", format!("{id}\nSubject\n{subject}"));
        }
        (None, None) => return None,
    }
    Some(())
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name)?.as_str()
}

fn set(members: &mut Map<String, Value>, name: &str, value: String) {
    members.insert(name.into(), value.into());
}

fn set_header(headers: &mut [(&'static str, String)], name: &str, value: &str) {
    for (_, old) in headers.iter_mut().filter(|(known, _)| *known == name) {
        value.clone_into(old);
    }
}
