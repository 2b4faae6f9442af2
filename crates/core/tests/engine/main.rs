//! The engine through its public interface.
#![expect(clippy::unwrap_used, reason = "a test that fails panics")]

mod backups;
mod callers;
mod copies;
mod ending;
mod faults;
mod following;
mod imports;
mod journal;
mod lifecycle;
mod lists;
mod lives;
mod no_cost;
mod passwords;
mod planted;
mod restored;
mod returning;
mod rotation;
mod sessions;
mod setup;
mod users;
mod world;
