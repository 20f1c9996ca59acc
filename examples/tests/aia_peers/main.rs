//! AIA against software that nobody here wrote: key agreements and protected messages with the crypto of another
//! language, by a program that was written from the description of the protocol alone, and the conversation through a
//! broker.

mod key_agreement;
mod mosquitto;
mod node;
mod protected_messages;
