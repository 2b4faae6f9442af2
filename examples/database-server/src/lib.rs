//! A small database server that embeds symbolon.
//!
//! [`access`] opens the token store, [`server`] authenticates a connection once and checks each of
//! its requests, [`protocol`] defines the wire protocol, and [`data`] has the tables. See
//! `README.md` for a session.
#![forbid(unsafe_code)]

pub mod access;
pub mod data;
mod lines;
pub mod protocol;
pub mod server;
