//! A small database server that links symbolon: what an embedder writes, and no more.
//!
//! [`access`] opens the store of tokens, [`server`] authenticates a connection once and checks each of its requests,
//! [`protocol`] is what goes over the wire, [`data`] what it is all about. `README.md` shows it at work.
#![forbid(unsafe_code)]

pub mod access;
pub mod data;
mod lines;
pub mod protocol;
pub mod server;
