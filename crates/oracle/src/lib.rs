//! An independent reference for the decisions of symbolon, for tests only.
//!
//! This crate implements the rules of `docs/influxdb.md` a second time, as simply as possible. It
//! does not depend on `symbolon`, so a mistake in the product cannot hide in its own test. Tests
//! convert their values to the types of this crate and compare the answers.
//!
//! | module | contents |
//! |---|---|
//! | [`permission`] | requests that a permission covers, and permissions that it may grant |
//! | [`decision`] | the decision on a request, with the first reason to refuse it |
//! | [`roles`] | permission sets of operators, owners, members and users |
//! | [`world`] | generated organizations, users, authorizations and requests |
//! | [`random`] | random numbers with a seed |
#![forbid(unsafe_code)]

pub mod decision;
pub mod permission;
pub mod random;
pub mod roles;
pub mod world;

pub use decision::{Authorization, Denied, Owner, OwnerState, Presented, Status, decide};
pub use permission::{Bucket, Permission, Request, Target};
pub use roles::Role;
pub use world::World;
