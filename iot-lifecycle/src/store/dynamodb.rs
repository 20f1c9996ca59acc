//! Amazon DynamoDB: one `UpdateItem` an event. The table's key is yours.
//!
//! ```
//! use iot_lifecycle::{Head, HeadKind, Order, store::dynamodb::{self, AttributeValue}};
//! use iot_sansio::UnixMillis;
//!
//! let head = Head {
//!     kind: HeadKind::Connect, version: 4, session: None, timestamp: UnixMillis::new(1_573_002_230_757),
//! };
//! let values = dynamodb::values(&head, Order::default().theta());
//! assert_eq!(values[0], (":v", AttributeValue::N(4)));
//! assert_eq!(values[3], (":s", AttributeValue::S(String::new())));
//! // A `ConditionalCheckFailedException` says that the event was stale or repeated: that is success.
//! assert!(dynamodb::CONDITION.starts_with("attribute_not_exists(#v) OR"));
//! ```

use alloc::string::String;
use core::time::Duration;

use super::Write;
use crate::Head;

/// `UpdateExpression`. Append your own attributes: `", #payload = :payload"`.
pub const UPDATE: &str = "SET #v = :v, #t = :t, #k = :k, #s = :s";

/// `ConditionExpression`. `AND` binds tighter than `OR`; the service refuses redundant parentheses.
pub const CONDITION: &str = "attribute_not_exists(#v) \
    OR #v < :v AND #t <= :hi \
    OR #v > :v AND #t < :lo \
    OR #v = :v AND #s = :s AND #s <> :unknown AND #k < :k \
    OR #v = :v AND #s <> :s AND #s <> :unknown AND :s <> :unknown \
        AND (#t < :t OR #t = :t AND #k > :k OR #t = :t AND #k = :k AND #s < :s) \
    OR #v = :v AND (#s = :unknown OR :s = :unknown) AND (#t < :lo OR #t <= :hi AND #k < :k)";

/// `ExpressionAttributeNames`: placeholder and attribute. The attributes may be renamed.
pub const NAMES: [(&str, &str); 4] = [("#v", "v"), ("#t", "t"), ("#k", "k"), ("#s", "s")];

/// A value with its DynamoDB type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the expressions use these two types")]
pub enum AttributeValue {
    /// `N`, a number; on the wire its decimal text.
    N(i64),
    /// `S`, a string; compared by its UTF-8 bytes.
    S(String),
}

/// `ExpressionAttributeValues`: every placeholder of [`UPDATE`] and [`CONDITION`] with its value.
#[must_use]
pub fn values(head: &Head<'_>, theta: Duration) -> [(&'static str, AttributeValue); 7] {
    let write = Write::new(head, theta);
    [
        (":v", AttributeValue::N(write.version)),
        (":t", AttributeValue::N(write.timestamp)),
        (":k", AttributeValue::N(write.kind.into())),
        (":s", AttributeValue::S(write.session)),
        (":hi", AttributeValue::N(write.hi)),
        (":lo", AttributeValue::N(write.lo)),
        (":unknown", AttributeValue::S(String::new())),
    ]
}
