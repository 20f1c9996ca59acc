//! What a platform can be told to do wrong.

use iot_sansio::{
    MonoTime,
    amqp::{Connection, SaslCode},
};

use super::{Disconnect, Platform, PlatformError, client::Client, is_due};

/// The faults that are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// How many of the next logins to refuse, and with which code.
    refuse: (u32, SaslCode),
    /// How many of the next settlements to lose.
    lose: u32,
    pub(super) stalled: bool,
}

impl Faults {
    pub(super) const fn none() -> Self {
        Self { refuse: (0, SaslCode::OK), lose: 0, stalled: false }
    }

    /// The code to refuse this login with, if it is one to refuse.
    pub(super) fn take_refusal(&mut self) -> Option<SaslCode> {
        let (left, code) = self.refuse;
        self.refuse.0 = left.checked_sub(1)?;
        Some(code)
    }

    /// Whether this settlement is one to lose.
    pub(super) fn take_loss(&mut self) -> bool {
        let loses = self.lose > 0;
        self.lose = self.lose.saturating_sub(1);
        loses
    }
}

/// Faults on command.
impl Platform {
    /// Refuses so many of the next logins with this code, good or not; [`SaslCode::OK`] refuses none.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn refuse_logins(
        &mut self,
        now: MonoTime,
        logins: u32,
        code: SaslCode,
    ) -> Result<(), PlatformError> {
        self.check_queue()?;
        self.pass(now);
        self.faults.refuse = (if code == SaslCode::OK { 0 } else { logins }, code);
        Ok(())
    }

    /// Loses so many of the next settlements: their messages are sent again after the ack timeout.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn lose_settlements(
        &mut self,
        now: MonoTime,
        settlements: u32,
    ) -> Result<(), PlatformError> {
        self.check_queue()?;
        self.pass(now);
        self.faults.lose = settlements;
        Ok(())
    }

    /// Answers nothing from now on, or answers again.
    ///
    /// What a client says to a stalled platform is never answered, nothing is sent to it, and no deadline closes its
    /// connection; what it settles and how much credit it gives counts. Plain TCP is dropped all the same.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn stall(&mut self, now: MonoTime, stalled: bool) -> Result<(), PlatformError> {
        self.check_queue()?;
        self.pass(now);
        self.faults.stalled = stalled;
        self.pass(now);
        Ok(())
    }

    /// Drops the transport of a connection without a word.
    ///
    /// # Errors
    /// There is no such connection, or the queue of outputs is full.
    pub fn abort(&mut self, now: MonoTime, connection: Connection) -> Result<(), PlatformError> {
        self.check_connection(now, connection)?;
        self.pass(now);
        self.drop_client(connection, Disconnect::Aborted);
        self.pass(now);
        Ok(())
    }

    /// Drops the transports of all connections without a word.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn abort_all(&mut self, now: MonoTime) -> Result<(), PlatformError> {
        self.check_queue()?;
        self.pass(now);
        for connection in self.connections() {
            self.drop_client(connection, Disconnect::Aborted);
        }
        Ok(())
    }

    /// Closes a connection with this condition, such as `amqp:connection:forced`.
    ///
    /// # Errors
    /// There is no such connection, or the queue of outputs is full.
    pub fn close(
        &mut self,
        now: MonoTime,
        connection: Connection,
        condition: &str,
        description: &str,
    ) -> Result<(), PlatformError> {
        self.check_connection(now, connection)?;
        self.pass(now);
        self.close_client(connection, condition, description, Disconnect::Closed);
        self.pass(now);
        Ok(())
    }

    /// Closes all connections with this condition.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn close_all(
        &mut self,
        now: MonoTime,
        condition: &str,
        description: &str,
    ) -> Result<(), PlatformError> {
        self.check_queue()?;
        self.pass(now);
        for connection in self.connections() {
            self.close_client(connection, condition, description, Disconnect::Closed);
        }
        Ok(())
    }

    fn check_connection(&self, now: MonoTime, connection: Connection) -> Result<(), PlatformError> {
        self.check_queue()?;
        let now = self.now.max(now);
        let stays = |client: &Client| self.faults.stalled || !is_due(client.deadline(), now);
        match self.clients.get(&connection) {
            Some(client) if stays(client) => Ok(()),
            _ => Err(PlatformError::UnknownConnection { connection }),
        }
    }
}
