//! A machine whose publishes are written down.

use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{Action, Mqtt},
};

pub(crate) struct Tap<M> {
    pub(crate) inner: M,
    /// Topics and payloads, in order.
    pub(crate) published: Vec<(String, Vec<u8>)>,
}

impl<M> Tap<M> {
    pub(crate) const fn new(inner: M) -> Self {
        Self { inner, published: Vec::new() }
    }
}

impl<M: Machine<Vocabulary = Mqtt>> Machine for Tap<M> {
    type Vocabulary = Mqtt;
    type Event = M::Event;
    type Error = M::Error;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), M::Error> {
        self.inner.handle_input(now, input)
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.inner.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Output<Action, M::Event> {
        let output = self.inner.poll_output();
        if let Output::Action(Action::Publish(publish)) = &output {
            self.published.push((publish.topic.clone(), publish.payload.clone()));
        }
        output
    }

    fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}
