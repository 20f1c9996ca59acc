//! PostgreSQL: one upsert an event.
//!
//! Row count 0 means that the event was stale or repeated. A statement with several rows must hold one row a client,
//! its newest, in an order common to all writers: PostgreSQL refuses to touch a row twice, and two writers with
//! different orders deadlock. Its texts cannot hold U+0000, so that an event whose session does is an error here.
//!
//! ```
//! use iot_lifecycle::{Head, HeadKind, Order, SessionId, store::postgres};
//! use iot_sansio::UnixMillis;
//!
//! let head = Head {
//!     kind: HeadKind::Disconnect,
//!     version: 4,
//!     session: SessionId::new("00000000-0000-0000-0000-00000000000A"),
//!     timestamp: UnixMillis::new(1_573_002_230_757),
//! };
//! let p = postgres::parameters("device-1", &head, Order::default().theta());
//! assert_eq!(p.s, "0000000000000000000000000000000a");
//! assert_eq!((p.v, p.t, p.k), (4, 1_573_002_230_757, 1));
//! // client.execute(postgres::UPSERT, &[&p.client_id, &p.v, &p.t, &p.k, &p.s, &p.hi, &p.lo])
//! ```

use alloc::string::String;
use core::time::Duration;

use super::Write;
use crate::Head;

/// The table that [`UPSERT`] writes to.
pub const CREATE_TABLE: &str = "\
CREATE TABLE IF NOT EXISTS presence (
    client_id text     PRIMARY KEY,
    v         bigint   NOT NULL,
    t         bigint   NOT NULL,
    k         smallint NOT NULL,
    s         text     NOT NULL
)";

/// Writes the head `$1` to `$5` if it is newer; `$6` and `$7` are its bounds. Sessions compare by their bytes, whatever
/// the collation of the table.
pub const UPSERT: &str = "\
INSERT INTO presence (client_id, v, t, k, s)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (client_id) DO UPDATE
SET v = excluded.v, t = excluded.t, k = excluded.k, s = excluded.s
WHERE presence.v < excluded.v AND presence.t <= $6
   OR presence.v > excluded.v AND presence.t < $7
   OR presence.v = excluded.v AND (
        presence.s = excluded.s AND presence.s <> '' AND presence.k < excluded.k
     OR presence.s <> excluded.s AND presence.s <> '' AND excluded.s <> '' AND (
          presence.t < excluded.t
       OR presence.t = excluded.t AND presence.k > excluded.k
       OR presence.t = excluded.t AND presence.k = excluded.k AND presence.s < excluded.s COLLATE \"C\")
     OR (presence.s = '' OR excluded.s = '') AND (
          presence.t < $7
       OR presence.t <= $6 AND presence.k < excluded.k))";

/// The parameters of [`UPSERT`], `$1` to `$7` from top to bottom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Parameters<'a> {
    /// `$1`, `text`.
    pub client_id: &'a str,
    /// `$2`, `bigint`: version.
    pub v: i64,
    /// `$3`, `bigint`: timestamp in milliseconds since the Unix epoch.
    pub t: i64,
    /// `$4`, `smallint`: 0 connect, 1 disconnect.
    pub k: i16,
    /// `$5`, `text`: session, empty when unknown.
    pub s: String,
    /// `$6`, `bigint`: timestamp plus Θ.
    pub hi: i64,
    /// `$7`, `bigint`: timestamp minus Θ.
    pub lo: i64,
}

/// The parameters of [`UPSERT`] for one head.
#[must_use]
pub fn parameters<'a>(client_id: &'a str, head: &Head<'_>, theta: Duration) -> Parameters<'a> {
    let write = Write::new(head, theta);
    Parameters {
        client_id,
        v: write.version,
        t: write.timestamp,
        k: write.kind,
        s: write.session,
        hi: write.hi,
        lo: write.lo,
    }
}
