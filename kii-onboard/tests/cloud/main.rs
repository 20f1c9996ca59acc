//! The cloud: its rules one by one, its faults, a conversation byte by byte, and the contract of machines.

mod bench;
mod commands;
mod connections;
mod conversation;
mod faults;
mod onboarding;
mod requests;
mod routes;
