//! The contract between the engine and whoever keeps its journal: the audit log, and the list of what has ended.
//!
//! The store says what holds; it can be put back as it was earlier. The journal says what was done, lies with the key
//! and is never restored, so that what had ended stays ended. The crate `symbolon-journal` keeps it in files.
//!
//! Before each commit the engine writes down what it intends ([`Event::Intent`]), and afterwards what became of it
//! ([`Event::Outcome`]). An outcome that is missing after a crash is found out when the journal is opened again.

mod changes;
mod keys;
mod memory_journal;
mod recorder;
mod revocations;
mod summary;

use std::error::Error as StdError;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::record::RecordKey;
use crate::time::Timestamp;

pub use changes::is_unused;
pub use keys::{InvalidMac, JournalKeys, Mac};
pub use memory_journal::MemoryJournal;
pub(crate) use recorder::Recorder;
pub(crate) use revocations::{RevocationList, mark};
pub(crate) use summary::JournalSummary;

/// Keeps what was done, in the order in which it was done.
///
/// A journal consists of chains. Each process appends to a chain of its own, and reads those of the others.
pub trait Journal: Debug + Send + Sync + 'static {
    /// Appends these events to the own chain as one, in their order, and returns the number of the first; the
    /// others follow by one. With [`Durability::Synced`] they, and all before them, are on disk when it returns.
    ///
    /// # Errors
    ///
    /// [`JournalError::Failed`]; it may then be there or not. The next call tries anew.
    fn append(
        &self,
        at: Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> Result<u64, JournalError>;

    /// The entries of every chain from its newest [`Event::Opened`] on, that included: chain by chain, each in its
    /// order. Nothing if nothing was ever written.
    ///
    /// # Errors
    ///
    /// [`JournalError::Broken`] if what is read is not as it was written, [`JournalError::Failed`].
    fn recent(&self) -> Result<Vec<Entry>, JournalError>;

    /// Every entry ever written: chain by chain, each in its order.
    ///
    /// # Errors
    ///
    /// As [`Journal::recent`].
    fn read(&self, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError>;
}

/// When an append returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk.
    Synced,
    /// When it is written; a crash of the process loses nothing of it, a power cut may.
    Written,
}

/// An event, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Names the chain within the journal.
    pub chain: u32,
    /// Whether it is the chain that this process appends to.
    pub own: bool,
    /// Grows by one along the chain, from 1 on.
    pub number: u64,
    /// When it was written, by the engine's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A process begins to write, or has written much: what it knows of the store. No intent before it is open.
    Opened {
        /// Names the store, in 32 hexadecimal digits; the same after a backup was restored.
        store: String,
        /// Which life of the store.
        #[serde(with = "hexadecimal")]
        epoch: u64,
        /// The newest commit that it knew.
        head: u64,
    },
    /// Somebody is about to change something.
    Intent(Intent),
    /// What became of an intent.
    Outcome {
        /// The number of the intent's entry, in the same chain.
        of: u64,
        /// What became of it.
        #[serde(rename = "fate")]
        outcome: Outcome,
    },
    /// Somebody was refused a change.
    Denied {
        /// Who asked.
        #[serde(rename = "by")]
        actor: Actor,
        /// For what.
        #[serde(rename = "act")]
        operation: Operation,
        /// About which record, if that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<RecordKey>,
        /// Why not.
        reason: String,
        /// How many refusals before this one were left out, for there were too many.
        #[serde(default, skip_serializing_if = "is_zero")]
        left_out: u64,
    },
    /// The store was found to be an earlier one, put back; what had ended was ended again.
    #[serde(rename = "restored")]
    RolledBack {
        /// The life of the store as it was found.
        #[serde(with = "hexadecimal")]
        found_epoch: u64,
        /// The newest commit as it was found.
        found_head: u64,
        /// The life of the store from then on.
        #[serde(with = "hexadecimal")]
        epoch: u64,
        /// The lives that it had before, as far as the journal followed them.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            with = "hexadecimal::list"
        )]
        superseded: Vec<u64>,
        /// Whether the operator accepted it without a journal that knew the store.
        accepted: bool,
    },
    /// The journal could not be written for a while. Endings of that time follow, as far as they are known.
    Gap {
        /// How many entries could not be written.
        missed: u64,
    },
}

/// A change that is about to be made; all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Who asked.
    #[serde(rename = "by")]
    pub actor: Actor,
    /// For what.
    #[serde(rename = "act")]
    pub operation: Operation,
    /// What is written.
    pub writes: Vec<WrittenRecord>,
    /// What will have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<Revocation>,
}

/// Who asked for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The program that links the engine, or whoever holds its key.
    Root,
    /// The bearer of the token of this authorization.
    Authorization(Id),
    /// This user, signed in.
    User(Id),
    /// Somebody who has not shown who it is.
    #[serde(rename = "nobody")]
    Anonymous,
}

/// A record that is written or forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenRecord {
    /// Which.
    #[serde(rename = "record")]
    pub key: RecordKey,
    /// For the how many-th time it is written, from 1 on; 0 if it is forgotten.
    #[serde(rename = "seq")]
    pub sequence: u64,
}

/// Something that ends for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// What.
    #[serde(rename = "record")]
    pub key: RecordKey,
    /// From when on.
    pub at: Timestamp,
    /// Tells its token again, of an authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mac>,
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was made.
    Done {
        /// The commit.
        revision: u64,
    },
    /// It was found to have been made, after a crash or an error.
    Found,
    /// It was not made.
    Failed,
    /// Nobody knows yet: the store did not answer.
    Unknown,
}

/// What somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each name says what it is")]
pub enum Operation {
    Create,
    Edit,
    Activate,
    Deactivate,
    Revoke,
    Rotate,
    CreateUser,
    EditUser,
    DeactivateUser,
    DeleteUser,
    CreateOrganization,
    EditOrganization,
    DeactivateOrganization,
    DeleteOrganization,
    AddMember,
    RemoveMember,
    RegisterBucket,
    UnregisterBucket,
    SetUp,
    Import,
    /// A token that was imported by its hash was seen, and given a keyed hash.
    Adopt,
    Purge,
    /// What the journal knows as ended was ended again after a restore.
    #[serde(rename = "end_again")]
    ReplayRevocations,
    /// Records were sealed anew under another key.
    Reseal,
    SignIn,
    ExtendSession,
    SignOut,
    /// Listed or read something.
    Read,
    /// Copied the whole store.
    Backup,
}

impl Operation {
    /// Whether it only takes away: such an act is never refused because the journal cannot be written.
    pub fn is_revocation(self) -> bool {
        matches!(
            self,
            Self::Deactivate
                | Self::Revoke
                | Self::DeactivateUser
                | Self::DeleteUser
                | Self::DeactivateOrganization
                | Self::DeleteOrganization
                | Self::RemoveMember
                | Self::UnregisterBucket
                | Self::SignOut
                | Self::ReplayRevocations
        )
    }
}

/// Why a journal did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// What was read is not as it was written: somebody changed it, or it is damaged.
    #[error("the journal is broken at {place}: {reason}")]
    Broken {
        /// Where, as file and line.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// It could not be written or read.
    #[error("the journal failed")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
}

impl JournalError {
    /// Wraps an error of the journal's own.
    pub fn failed(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// 16 digits: as a number it would lose its last ones in programs that compute with floats.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(de::Error::custom)
    }

    pub(super) mod list {
        use serde::{Deserialize, Deserializer, Serializer, de};

        pub(in crate::journal) fn serialize<S: Serializer>(
            numbers: &[u64],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(numbers.iter().map(|number| format!("{number:016x}")))
        }

        pub(in crate::journal) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Vec<u64>, D::Error> {
            let texts = Vec::<String>::deserialize(deserializer)?;
            let number = |text: String| u64::from_str_radix(&text, 16).map_err(de::Error::custom);
            texts.into_iter().map(number).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_round_trip() {
        let key = |text: &str| text.parse::<RecordKey>().unwrap();
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let events = [
            Event::Opened {
                store: "00".repeat(16),
                epoch: u64::MAX,
                head: 3,
            },
            Event::Intent(Intent {
                actor: Actor::Root,
                operation: Operation::Revoke,
                writes: vec![WrittenRecord {
                    key: key("authorization:0000000000000001"),
                    sequence: 2,
                }],
                ends: vec![Revocation {
                    key: key("authorization:0000000000000001"),
                    at,
                    mark: Some(Mac([7; 16])),
                }],
            }),
            Event::Outcome {
                of: 2,
                outcome: Outcome::Done { revision: 9 },
            },
            Event::Denied {
                actor: Actor::User(Id::new(5).unwrap()),
                operation: Operation::Create,
                on: None,
                reason: "write:authorizations is unauthorized".into(),
                left_out: 0,
            },
        ];
        for event in events {
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
            println!("{text}");
        }
    }
}
