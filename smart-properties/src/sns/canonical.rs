//! The text that is signed (specification section 5.2).

use alloc::string::String;

use super::envelope::Envelope;

impl Envelope<'_> {
    /// The text that the signature is over: the name and the value of each signed member, each with a line feed behind
    /// it, in the byte order of the names. Values are as they were decoded; not even a date is written anew.
    ///
    /// Nothing in this text is escaped. It says the same of one message only because no envelope holds a control
    /// character in a signed value, but for the message itself, which comes first.
    ///
    /// ```
    /// use smart_properties::{TopicArn, sns::Envelope};
    ///
    /// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
    /// let id = "aaaaaaaa-0001-5000-8000-000000000001";
    /// let envelope = Envelope::notification(&topic, id, "2024-05-01T10:00:03.120Z", "hello")?;
    /// assert_eq!(
    ///     envelope.string_to_sign(),
    ///     "Message\nhello\n\
    ///     MessageId\naaaaaaaa-0001-5000-8000-000000000001\n\
    ///     Timestamp\n2024-05-01T10:00:03.120Z\n\
    ///     TopicArn\narn:aws:sns:us-east-1:123456789012:asp-events\n\
    ///     Type\nNotification\n",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        let lines = [
            ("Message", Some(self.message())),
            ("MessageId", Some(self.message_id())),
            ("Subject", self.subject()),
            ("SubscribeURL", self.subscribe_url()),
            ("Timestamp", Some(self.timestamp())),
            ("Token", self.token()),
            ("TopicArn", Some(self.topic_arn())),
            ("Type", Some(self.message_type().as_str())),
        ];
        let signed = || lines.iter().filter_map(|&(name, value)| Some((name, value?)));
        let bytes = signed().map(|(name, value)| name.len() + value.len() + 2).sum();
        let mut text = String::with_capacity(bytes);
        for (name, value) in signed() {
            for line in [name, value] {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}
