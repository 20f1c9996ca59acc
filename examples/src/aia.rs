//! A loudspeaker at the embedded service of AIA: registered, refused, talked to, tampered with, cut off and restored.

mod guest;
mod heard;

use std::{sync::Arc, time::Duration};

use aia_proto::{
    ApiVersion, ClientId, Json, Leaf, TopicRoot,
    connection::AcknowledgeCode,
    device::{self, Blocked, Capabilities, Device},
    registration::{Authentication, Registration},
    sequence,
    service::{self, Fault, Service},
};
use fastrand::Rng;
use iot_sansio::{
    Secret,
    mqtt::{ConnectOptions, Transport},
};
use serde_json::json;
use tokio_rustls::rustls::ClientConfig;

pub use self::heard::Heard;
use self::{guest::Guest, heard::VOLUME};
use crate::lifecycle::Failure;

/// A device and the service, each with its MQTT client; its methods are the scenes, in this order.
pub struct Conversation {
    device: Guest<Device>,
    service: Guest<Service>,
    /// What the device has saved.
    saved: Option<Secret>,
    random: Rng,
}

/// How both come to the MQTT broker.
#[derive(Clone, Debug)]
pub struct Access {
    /// The device.
    pub device: ConnectOptions,
    /// The service.
    pub service: ConnectOptions,
    /// Whom both trust, over TLS.
    pub tls: Option<Arc<ClientConfig>>,
}

/// A value that is not the registered one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The AWS account id.
    AccountId,
    /// The client id.
    ClientId,
}

/// How a wrong value was refused, and what came of the right one.
#[derive(Debug)]
pub struct Refused {
    /// What the service answered.
    pub code: AcknowledgeCode,
    /// What the device made of it.
    pub blocked: Blocked,
    /// What was told after the correction.
    pub corrected: Heard,
}

/// How a directive was lost, and sent again.
#[derive(Debug)]
pub struct Lost {
    /// What was told until the next connection stood.
    pub heard: Heard,
    /// What was told when both directives were sent again.
    pub again: Heard,
}

/// How the secret was changed.
#[derive(Debug)]
pub struct Rotated {
    /// What was told before it, and while it was taken into use.
    pub before: Heard,
    /// What was told after it.
    pub after: Heard,
    /// Whether the device has saved another secret than before, and the old one beside it.
    pub is_saved: bool,
    /// The first directive and the first event under the new secret, by their numbers.
    pub first: [u64; 2],
    /// How many directives and events of those after it were under the new secret.
    pub under_new: [usize; 2],
}

impl Access {
    /// At a broker on 127.0.0.1 that asks for nothing.
    #[must_use]
    pub fn plain(port: u16) -> Self {
        let options = |name| ConnectOptions::new("127.0.0.1", port, Transport::Tcp, name);
        Self { device: options(CLIENT_ID), service: options("service"), tls: None }
    }
}

impl Conversation {
    /// Starts both, and waits until the service listens.
    ///
    /// # Errors
    /// The broker does not let them in.
    pub async fn start(access: Access, seed: u64) -> Result<Self, Failure> {
        let mut random = Rng::with_seed(seed);
        // Of a seed like this one anyone can tell the keys: in earnest, the bytes are random.
        let config = service::Config::new(TopicRoot::new(TOPIC_ROOT)?, bytes(&mut random))
            .with_rotation_margin(ROTATION_MARGIN);
        let mut service = Guest::open(Service::new(config), access.service, access.tls.clone());
        let listening = service.event().await?;
        if !matches!(listening, service::Event::Listening { .. }) {
            return Err(format!("the service does not listen: {listening:?}").into());
        }
        let device = Device::new(config_of_device()?, None, bytes(&mut random));
        let device = Guest::open(device, access.device, access.tls);
        Ok(Self { device, service, saved: None, random })
    }

    /// Registers the device, which connects then and tells what it can do.
    ///
    /// # Errors
    /// The service refuses something.
    pub async fn register(&mut self) -> Result<Heard, Failure> {
        let authentication = Authentication::new(REFRESH_TOKEN, LWA_CLIENT_ID);
        self.device.command(|device, now| device.register(now, authentication, ApiVersion::V1))?;
        self.until(Heard::is_connected).await
    }

    /// Starts the device again with one value changed in what it saved; then corrects the value as it is told to, and
    /// registers again, since that forgets what was saved.
    ///
    /// # Errors
    /// It is not refused, or not let in after that.
    pub async fn refuse(&mut self, wrong: Wrong) -> Result<Refused, Failure> {
        let mut registration = self.saved()?;
        match wrong {
            Wrong::AccountId => registration.aws_account_id = "210987654321".into(),
            Wrong::ClientId => registration.client_id = ClientId::new("my-thing-02")?,
        }
        self.restart(registration).await?;
        let is_blocked = |heard: &Heard| heard.blocked().is_some() && heard.refusal().is_some();
        let heard = self.until(is_blocked).await?;
        let (Some(code), Some(blocked)) = (heard.refusal(), heard.blocked()) else {
            return Err("it is not refused".into());
        };
        let client_id = client_id()?;
        self.device.command(|device, now| device.correct(now, AWS_ACCOUNT_ID, client_id))?;
        let corrected = self.register().await?;
        Ok(Refused { code: code.clone(), blocked: blocked.clone(), corrected })
    }

    /// Has the service send a directive for each volume at once, and waits until all are answered.
    ///
    /// # Errors
    /// One of the machines refuses something.
    pub async fn converse(&mut self, volumes: &[u64]) -> Result<Heard, Failure> {
        for volume in volumes {
            self.send(*volume)?;
        }
        self.until(|heard| heard.volumes_answered().len() == volumes.len()).await
    }

    /// Sends the last directive once more, byte for byte, and then a new one with this volume.
    ///
    /// # Errors
    /// One of the machines refuses something.
    pub async fn replay(&mut self, volume: u64) -> Result<Heard, Failure> {
        self.send_again()?;
        self.converse(&[volume]).await
    }

    /// Sends the last directive once more, with its clear number raised, and waits until the device has connected anew.
    ///
    /// # Errors
    /// One of the machines refuses something.
    pub async fn tamper(&mut self) -> Result<Heard, Failure> {
        self.inject(Fault::Tamper(Leaf::Directive))?;
        self.send_again()?;
        self.until(Heard::is_connected).await
    }

    /// Sends directives with these volumes, of which the first is lost on its way. When the device has connected anew,
    /// both are sent again.
    ///
    /// # Errors
    /// One of the machines refuses something.
    pub async fn lose(&mut self, volumes: [u64; 2]) -> Result<Lost, Failure> {
        self.inject(Fault::Lose(Leaf::Directive))?;
        for volume in volumes {
            self.send(volume)?;
        }
        let heard = self.until(Heard::is_connected).await?;
        Ok(Lost { heard, again: self.converse(&volumes).await? })
    }

    /// Gives the device a new secret, and sends each volume after the answer to the one before: `before` under the old
    /// secret, `after` from the directive on that brings the new one.
    ///
    /// # Errors
    /// One of the machines refuses something.
    pub async fn rotate(&mut self, before: &[u64], after: &[u64]) -> Result<Rotated, Failure> {
        let old = self.saved()?.secret;
        let mut told = self.one_by_one(before).await?;
        let last = told.directives().last().ok_or("no directive before the rotation")?.sequence;
        let client_id = client_id()?;
        self.service.command(|service, now| service.rotate(now, &client_id))?;
        told.extend(self.until(|heard| heard.event_start().is_some()).await?);
        let saved = self.saved()?;
        let event = told.event_start().ok_or("the device does not answer")?;
        // The number of RotateSecret itself is between.
        let directive = u64::from(last.next().next().plus(ROTATION_MARGIN).get());
        let after = self.one_by_one(after).await?;
        let answers = after.received("VolumeChanged").map(|received| received.sequence);
        let answers = answers.filter(|it| u64::from(it.get()) >= event).count();
        let directives = after.directives().map(|directive| directive.sequence);
        let directives = directives.filter(|it| u64::from(it.get()) >= directive).count();
        Ok(Rotated {
            is_saved: saved.secret != old && saved.previous == Some(old),
            first: [directive, event],
            under_new: [directives, answers],
            before: told,
            after,
        })
    }

    /// Ends the device's MQTT connection, and opens the next one.
    ///
    /// # Errors
    /// The device is not let in.
    pub async fn reconnect(&mut self) -> Result<Heard, Failure> {
        self.device.reopen();
        self.until(Heard::is_connected).await
    }

    /// Starts the device again, with nothing but what it saved.
    ///
    /// # Errors
    /// The device is not let in.
    pub async fn reboot(&mut self) -> Result<Heard, Failure> {
        let registration = self.saved()?;
        self.restart(registration).await?;
        self.until(Heard::is_connected).await
    }

    /// Has the device say goodbye, and ends both MQTT connections.
    ///
    /// # Errors
    /// The service does not hear it.
    pub async fn end(mut self) -> Result<Heard, Failure> {
        self.device.command(Device::disconnect)?;
        let heard = self.until(|heard| !heard.disconnect_codes().is_empty()).await?;
        self.device.close().await;
        self.service.close().await;
        Ok(heard)
    }

    async fn one_by_one(&mut self, volumes: &[u64]) -> Result<Heard, Failure> {
        let mut heard = Heard::default();
        for volume in volumes {
            heard.extend(self.converse(&[*volume]).await?);
        }
        Ok(heard)
    }

    fn send(&mut self, volume: u64) -> Result<(), Failure> {
        let (client_id, payload) = (client_id()?, payload(volume)?);
        self.service.command(|service, now| {
            service.send_directive(now, &client_id, "SetVolume", Some(&payload))
        })?;
        Ok(())
    }

    fn send_again(&mut self) -> Result<(), Failure> {
        let client_id = client_id()?;
        Ok(self.service.command(|service, now| service.replay(now, &client_id, Leaf::Directive))?)
    }

    fn inject(&mut self, fault: Fault) -> Result<(), Failure> {
        let client_id = client_id()?;
        Ok(self.service.command(|service, now| service.inject(now, &client_id, fault))?)
    }

    fn saved(&self) -> Result<Registration, Failure> {
        let saved = self.saved.as_ref().ok_or("nothing is saved")?;
        Ok(Registration::decode(saved.expose())?)
    }

    async fn restart(&mut self, registration: Registration) -> Result<(), Failure> {
        let seed = bytes(&mut self.random);
        let device = Device::new(config_of_device()?, Some(registration), seed);
        self.device.replace(device).await;
        Ok(())
    }

    /// Runs both until this has been told.
    async fn until(&mut self, is_enough: impl Fn(&Heard) -> bool) -> Result<Heard, Failure> {
        let mut heard = Heard::default();
        while !is_enough(&heard) {
            tokio::select! {
                event = self.device.event() => {
                    let event = event?;
                    self.react(&event)?;
                    heard.device.push(event);
                }
                event = self.service.event() => heard.service.push(event?),
            }
        }
        Ok(heard)
    }

    /// What the device's application does.
    fn react(&mut self, event: &device::Event) -> Result<(), Failure> {
        match event {
            // In earnest, an HTTP client posts it.
            device::Event::RegistrationWanted(request) => {
                let answer = self
                    .service
                    .command(|service, now| service.register(now, request.body.expose()))?;
                self.device.command(|device, now| {
                    device.registration_answered(now, answer.status, &answer.body)
                })?;
            }
            device::Event::Save(registration) => self.saved = Some(registration.encode()),
            device::Event::Erase => self.saved = None,
            device::Event::Directive(directive) if directive.name == "SetVolume" => {
                let payload = directive.payload.as_ref();
                self.device
                    .command(|device, now| device.send_event(now, "VolumeChanged", payload))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn config_of_device() -> Result<device::Config, Failure> {
    let capabilities = Capabilities::new(Json::new(CAPABILITIES)?)?;
    Ok(device::Config::new(AWS_ACCOUNT_ID, client_id()?, ENDPOINT, capabilities)
        .with_order(sequence::Config::default().with_gap_time(GAP_TIME))
        .with_backoff_base(BACKOFF_BASE))
}

fn client_id() -> Result<ClientId, Failure> {
    Ok(ClientId::new(CLIENT_ID)?)
}

fn payload(volume: u64) -> Result<Json, Failure> {
    Ok(Json::new(&json!({ VOLUME: volume }).to_string())?)
}

fn bytes(random: &mut Rng) -> [u8; 32] {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes
}

/// Of the device, for MQTT and for AIA.
pub const CLIENT_ID: &str = "my-thing-01";
/// How many more directives the old secret protects after `RotateSecret`.
pub const ROTATION_MARGIN: u32 = 2;
/// How long the device waits for a message that is missing; by default 10 s.
pub const GAP_TIME: Duration = Duration::from_millis(250);
/// What the device's waits before another connection are made of; by default 1 s.
pub const BACKOFF_BASE: Duration = Duration::from_millis(50);
const AWS_ACCOUNT_ID: &str = "123456789012";
const ENDPOINT: &str = "example-ats.iot.example";
const TOPIC_ROOT: &str = "$aws/alexa";
const REFRESH_TOKEN: &str = "refresh-token";
const LWA_CLIENT_ID: &str = "amzn1.application-oa2-client.example";
const CAPABILITIES: &str = r#"[{"type":"AisInterface","interface":"Speaker","version":"1.0"},{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
