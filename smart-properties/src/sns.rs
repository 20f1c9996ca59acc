//! Amazon SNS, which delivers the events: envelopes, signatures, and the answers that SNS understands (specification
//! sections 4 to 6).
