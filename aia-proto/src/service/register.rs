//! Registrations: rows 1 and 2 of the table.

use alloc::{string::ToString as _, vec::Vec};

use iot_sansio::MonoTime;

use super::{Client, End, Event, Service, ServiceError};
use crate::registration::{ErrorCode, KeyPair, Refusal, Request, Response};

/// What the HTTP server answers to a registration, with `Content-Type: application/json`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Service {
    /// Registers a device: the body of `POST /v1/ais/registration`, for which the application has an HTTP server. Any token
    /// is taken. A connection that the device has is dropped, and it is told nothing: its old secret does not count any more.
    ///
    /// ```
    /// use aia_proto::{
    ///     ClientId, TopicRoot, registration::{Algorithm, Authentication, IotIdentity, KeyPair, Request, read_answer},
    ///     service::{Config, Service},
    /// };
    /// use iot_sansio::MonoTime;
    ///
    /// let mut service = Service::new(Config::new(TopicRoot::new("$aws/alexa")?, [7; 32]));
    /// let keys = KeyPair::from_random([8; 32]);
    /// let algorithm = Algorithm::Curve25519With32Bytes;
    /// let client_id = ClientId::new("my-thing-01")?;
    /// let iot = IotIdentity::new("123456789012", client_id, "example-ats.iot.us-east-1.example");
    /// let request = Request::new(Authentication::new("token", "client"), algorithm, keys.public_key(), iot);
    ///
    /// let answer = service.register(MonoTime::ORIGIN, request.encode().expose())?;
    /// let response = read_answer(answer.status, &answer.body)?;
    /// let secret = keys.agree(algorithm, &response.public_key)?;
    /// # let _ = secret;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The queue of outputs is full. A request that is refused is answered.
    pub fn register(&mut self, now: MonoTime, body: &[u8]) -> Result<Answer, ServiceError> {
        self.check_queue()?;
        self.pass(now);
        Ok(match self.accept_registration(body) {
            Ok(response) => Answer { status: 200, body: response.encode() },
            Err(refusal) => {
                let code = refusal.code.clone();
                let answer = Answer { status: code.status(), body: refusal.encode() };
                self.tell(Event::NotRegistered { code });
                answer
            }
        })
    }

    fn accept_registration(&mut self, body: &[u8]) -> Result<Response, Refusal> {
        let request = Request::decode(body)
            .map_err(|error| Refusal::new(error.code()).with_description(error.to_string()))?;
        let client_id = request.iot.client_id;
        let is_known = self.devices.contains_key(&client_id);
        if !is_known && self.devices.len() >= self.config.max_devices {
            let refusal = Refusal::new(ErrorCode::InternalServerError);
            return Err(refusal.with_description("too many devices are registered"));
        }
        let keys = KeyPair::from_random(self.generator.next_bytes());
        let secret = keys.agree(request.algorithm, &request.public_key).map_err(|error| {
            Refusal::new(ErrorCode::InvalidEncryptionData).with_description(error.to_string())
        })?;
        self.end(&client_id, End::Registration);
        let mut client = Client::new(request.iot.aws_account_id, secret, &self.config);
        if let Some(known) = self.devices.get_mut(&client_id) {
            client.faults = core::mem::take(&mut known.faults);
        }
        self.devices.insert(client_id.clone(), client);
        self.tell(Event::Registered { client_id });
        Ok(Response::new(keys.public_key(), self.config.topic_root.clone()))
    }
}
