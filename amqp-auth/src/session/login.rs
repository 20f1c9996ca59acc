//! How an attempt to connect comes to its login.

use alloc::boxed::Box;
use core::time::Duration;

use iot_sansio::{MonoTime, UnixMillis, amqp::Dial};

use super::{
    Cause, CommandError, CredentialReason, CredentialWanted, Event, LoginWarning, RetryAt, Session,
    state::State,
};
use crate::{BuildError, Credential, Login, Signer, UserName};

impl Session {
    /// Gives the credential that was asked for. One that comes unasked is kept for the next attempt.
    ///
    /// One whose token expires within 60 s is asked for again, and counts as none after that.
    ///
    /// # Errors
    /// The session is stopped; the credential cannot be signed with; too much waits to be drained.
    pub fn provide(&mut self, now: MonoTime, credential: Credential) -> Result<(), CommandError> {
        self.check_started()?;
        let login = self.sign(now, &credential)?;
        self.begin_command(now)?;
        if !matches!(self.state, State::CredentialWanted { .. }) {
            // The answer to a question for the next one, most likely: not to be asked again at once.
            let (now, expiry) = (self.clock.at(self.now), credential.expires_at());
            self.expires_at = expiry;
            self.refresh_at = expiry.map(|expiry| expiry.before(REFRESH_BEFORE));
            if self.refresh_at.is_some_and(|refresh_at| refresh_at <= now) {
                self.ask_again_later();
            }
            self.ready = Some(credential);
        } else if self.is_expiring(&credential) {
            self.refuse_answer(CredentialReason::Expiring);
        } else {
            self.dial(login, credential.expires_at());
        }
        Ok(())
    }

    /// Gives a login that another signer made for the attempt that a credential was asked for.
    ///
    /// It is signed with a timestamp from the moment of the question to now; another one is asked for again, and counts
    /// as none after that. A login that comes unasked is dropped: it would be too old for the next attempt.
    ///
    /// # Errors
    /// The session is stopped; the login is of another consumer; too much waits to be drained.
    pub fn provide_login(&mut self, now: MonoTime, login: Login) -> Result<(), CommandError> {
        self.check_started()?;
        if !self.is_own(&login) {
            return Err(CommandError::OtherConsumer);
        }
        self.begin_command(now)?;
        if let State::CredentialWanted { at, .. } = self.state {
            let latest = self.clock.at(self.now).after(CLOCK_TOLERANCE);
            if (at..=latest).contains(&login.timestamp()) {
                self.dial(login, None);
            } else {
                self.refuse_answer(CredentialReason::OutOfTime);
            }
        }
        Ok(())
    }

    /// Says that there is no credential now: it is asked for again after a while, also one for the next attempt.
    ///
    /// # Errors
    /// The session is stopped; too much waits to be drained.
    pub fn credential_failed(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.check_started()?;
        self.begin_command(now)?;
        if matches!(self.state, State::CredentialWanted { .. }) {
            self.failed(Cause::NoCredential);
        } else if self.refresh_at.is_none() {
            self.ask_again_later();
        }
        Ok(())
    }

    pub(super) fn want_credential(&mut self) {
        if let Err(until) = self.attempts.take(self.now) {
            self.state = State::Waiting { until };
            return self.tell(Event::RetryAt(RetryAt { at: until }));
        }
        let ready = self.ready.take().filter(|credential| !self.is_expiring(credential));
        if let Some(credential) = ready {
            if let Ok(login) = self.sign(self.now, &credential) {
                return self.dial(login, credential.expires_at());
            }
        }
        let reason = match self.rejected {
            true => CredentialReason::Rejected,
            false => CredentialReason::Attempt,
        };
        self.ask(reason, false);
    }

    fn ask(&mut self, reason: CredentialReason, again: bool) {
        let at = self.clock.at(self.now);
        self.state = State::CredentialWanted { at, again };
        self.tell(Event::CredentialWanted(CredentialWanted { reason, at }));
    }

    /// Asks again for what could not be used, once: then a wrong clock is likely, and haste would not help.
    fn refuse_answer(&mut self, reason: CredentialReason) {
        match self.state {
            State::CredentialWanted { again: false, .. } => self.ask(reason, true),
            _ => self.failed(Cause::NoCredential),
        }
    }

    /// Asks for the next credential after a while, if there is time left for it.
    fn ask_again_later(&mut self) {
        let later = self.clock.at(self.now).after(REFRESH_AGAIN_AFTER);
        let last = self.expires_at.map(|expiry| expiry.before(MIN_LIFETIME));
        self.refresh_at = last.filter(|last| later <= *last).map(|_| later);
    }

    /// Whether a login names the consumer of this session in all that no signature covers.
    fn is_own(&self, login: &Login) -> bool {
        let consumer = &self.config.consumer;
        UserName::parse(login.user_name().as_bytes()).is_ok_and(|name| {
            name.client_id() == consumer.client_id()
                && name.instance_id() == consumer.instance_id()
                && name.consumer_group_id() == consumer.consumer_group_id()
                && name.extensions().eq(consumer.extensions())
        })
    }

    fn sign(&self, now: MonoTime, credential: &Credential) -> Result<Login, BuildError> {
        let signer = Signer::new(&self.config.consumer, credential, self.config.method)?;
        signer.login(self.clock.at(self.now.max(now)))
    }

    fn dial(&mut self, login: Login, expires_at: Option<UnixMillis>) {
        for warning in login.report().warnings {
            self.tell(Event::LoginWarning(LoginWarning { warning }));
        }
        self.expires_at = expires_at;
        // Where that is past already, it is asked for as soon as the connection runs.
        self.refresh_at = expires_at.map(|expiry| expiry.before(REFRESH_BEFORE));
        let connection = self.next_connection;
        self.next_connection = connection.next();
        let until = self.now.after(DIAL_TIMEOUT);
        self.state = State::Dialing { connection, until, login: Box::new(login.into_secrets()) };
        let endpoint = &self.config.endpoint;
        self.act(Dial::new(connection, endpoint.host(), endpoint.port()));
    }

    /// Within 60 s there may be no time left to connect.
    fn is_expiring(&self, credential: &Credential) -> bool {
        let soon = self.clock.at(self.now).after(MIN_LIFETIME);
        credential.expires_at().is_some_and(|expiry| expiry < soon)
    }
}

/// A token that has less is not used for an attempt (specification, section 6.7).
const MIN_LIFETIME: Duration = Duration::from_secs(60);
/// A new token is asked for so long before the old one expires (specification, section 6.7).
const REFRESH_BEFORE: Duration = Duration::from_secs(300);
/// And so long after there was none to be had, or one that would be asked for again at once.
const REFRESH_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How far another signer's clock may be ahead.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// Not in the specification: a peer that never answers must not hold the session for ever.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);
