//! What AMQP stacks do with an idle timeout.

/// How an AMQP stack writes the idle timeout that it is configured with, and how often it sends heartbeats
/// (specification, section 6.5).
///
/// AMQP advises to name half of the timeout that is kept. So a stack may put half on the wire of what it is told, which
/// is how 30 s become 15 s that the platform does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stack {
    /// Its name.
    pub name: &'static str,
    /// Whether `open` carries half of what it is configured with.
    pub halves: bool,
    /// A heartbeat is sent after this share of the peer's idle timeout, in percent: 100 leaves no margin. None where it
    /// is not known.
    pub heartbeat_percent: Option<u8>,
}

impl Stack {
    /// Java: proton-j, which is what qpid-jms runs on.
    pub const PROTON_J: Self = Self::new("proton-j", true, Some(50));
    /// C and its bindings, Python among them: qpid-proton.
    pub const QPID_PROTON: Self = Self::new("qpid-proton", true, Some(50));
    /// .NET: AMQP.Net Lite.
    pub const AMQP_NET_LITE: Self = Self::new("AMQP.Net Lite", true, None);
    /// Go: Azure/go-amqp. Its default of 60 s is exactly the least that is allowed.
    pub const GO_AMQP: Self = Self::new("Azure/go-amqp", true, Some(50));
    /// Go: vcabbage/amqp, which the vendor's sample uses.
    pub const VCABBAGE_AMQP: Self = Self::new("vcabbage/amqp", false, Some(50));
    /// JavaScript: rhea.
    pub const RHEA: Self = Self::new("rhea", false, Some(50));
    /// Rust: fe2o3-amqp.
    pub const FE2O3_AMQP: Self = Self::new("fe2o3-amqp", true, Some(100));
    /// Rust: lulf/dove.
    pub const DOVE: Self = Self::new("lulf/dove", false, Some(100));
    /// Rust: ntex-amqp.
    pub const NTEX_AMQP: Self = Self::new("ntex-amqp", false, Some(75));

    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::PROTON_J,
        Self::QPID_PROTON,
        Self::AMQP_NET_LITE,
        Self::GO_AMQP,
        Self::VCABBAGE_AMQP,
        Self::RHEA,
        Self::FE2O3_AMQP,
        Self::DOVE,
        Self::NTEX_AMQP,
    ];

    const fn new(name: &'static str, halves: bool, heartbeat_percent: Option<u8>) -> Self {
        Self { name, halves, heartbeat_percent }
    }
}
