//! Registration: rows 1 to 5 and 48 of section 11.3.

use alloc::boxed::Box;

use iot_sansio::{MonoTime, Secret};

use super::{
    CommandError, Device, Event, HttpRequest,
    backoff::backoff,
    state::{Registering, State},
};
use crate::{
    ApiVersion,
    registration::{
        Advice, Authentication, ErrorCode, IotIdentity, KeyPair, Refusal, Registration,
        RegistrationError, Request, read_answer,
    },
};

impl Device {
    /// Registers the device, with this version in the URL and the topics: asks for an HTTP exchange in
    /// [`Event::RegistrationWanted`].
    ///
    /// # Errors
    /// The device is registered, or about to be; too much waits to be drained.
    pub fn register(
        &mut self,
        now: MonoTime,
        authentication: Authentication,
        version: ApiVersion,
    ) -> Result<(), CommandError> {
        self.command(now, |device| {
            if device.registration.is_some() || matches!(device.state, State::Registering(_)) {
                return Err(CommandError::Registered);
            }
            device.ask(Registering {
                authentication,
                version,
                random: Secret::from([0; 32].as_slice()),
                until: None,
                failures: 0,
                is_key_refused: false,
            });
            Ok(())
        })
    }

    /// Tells what the HTTP request was answered with.
    ///
    /// # Errors
    /// No registration waits for an answer; too much waits to be drained.
    pub fn registration_answered(
        &mut self,
        now: MonoTime,
        status: u16,
        body: &[u8],
    ) -> Result<(), CommandError> {
        self.command(now, |device| {
            let registering = device.registering()?;
            let agreed = read_answer(status, body).and_then(|response| {
                let (algorithm, keys) = (device.config.algorithm, key_pair(&registering));
                // A key that makes no secret is the service's refusal of ours (specification, Q43).
                let refusal = Refusal::new(ErrorCode::InvalidEncryptionData);
                let secret = keys.agree(algorithm, &response.public_key);
                let secret = secret.map_err(|_| RegistrationError::Refused { status, refusal });
                Ok((response.topic_root, secret?))
            });
            match agreed {
                Ok((topic_root, secret)) => {
                    let registration = Registration::new(
                        topic_root,
                        device.config.aws_account_id.as_str(),
                        device.config.client_id.clone(),
                        registering.version,
                        device.config.algorithm,
                        secret,
                    );
                    device.tell(Event::Registered);
                    device.adopt(registration);
                }
                Err(error) => device.registration_refused(registering, error),
            }
            Ok(())
        })
    }

    /// Tells that the HTTP request had no answer.
    ///
    /// # Errors
    /// No registration waits for an answer; too much waits to be drained.
    pub fn registration_failed(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.command(now, |device| {
            let registering = device.registering()?;
            device.ask_later(registering);
            Ok(())
        })
    }

    fn registering(&self) -> Result<Registering, CommandError> {
        match &self.state {
            State::Registering(registering) if registering.until.is_none() => {
                Ok(registering.clone())
            }
            _ => Err(CommandError::NotRegistering),
        }
    }

    fn registration_refused(&mut self, registering: Registering, error: RegistrationError) {
        match error.advice() {
            Advice::RenewKeyPair if !registering.is_key_refused => {
                return self.ask(Registering { is_key_refused: true, ..registering });
            }
            Advice::RetryLater => return self.ask_later(registering),
            _ => {}
        }
        self.state = State::Unregistered;
        self.tell(Event::RegistrationRejected(error));
    }

    fn ask_later(&mut self, registering: Registering) {
        let failures = registering.failures.saturating_add(1);
        let delay = backoff(self.config.backoff_base, failures, self.random.next_u64());
        let until = self.now.after(delay);
        self.state =
            State::Registering(Registering { failures, until: Some(until), ..registering });
    }

    /// Asks for the exchange, with a new key pair.
    pub(super) fn ask(&mut self, registering: Registering) {
        let random: [u8; 32] = self.random.next_bytes();
        let random = Secret::from(random.as_slice());
        let registering = Registering { random, until: None, ..registering };
        let iot = IotIdentity::new(
            self.config.aws_account_id.as_str(),
            self.config.client_id.clone(),
            self.config.endpoint.as_str(),
        );
        let public_key = key_pair(&registering).public_key();
        let authentication = registering.authentication.clone();
        let request = Request::new(authentication, self.config.algorithm, public_key, iot);
        let url = Request::url(registering.version);
        self.state = State::Registering(registering);
        let request = HttpRequest { url, body: request.encode() };
        self.tell(Event::RegistrationWanted(Box::new(request)));
    }
}

fn key_pair(registering: &Registering) -> KeyPair {
    let mut random = [0; 32];
    let bytes = registering.random.expose();
    random.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    KeyPair::from_random(random)
}
