//! Contract between the engine and a journal: the audit log and the list of revocations.
//!
//! The store holds the current state, and can be rolled back. The journal is an append-only record
//! of all changes. It is kept with the key and never restored, so an old backup cannot reactivate
//! what was revoked. The crate `symbolon-journal` implements it in files.
//!
//! The engine appends an [`Event::Intent`] before each commit and an [`Event::Outcome`] after it.
//! An outcome that is missing after a crash is derived from the store when the journal is opened
//! the next time.

mod changes;
mod error;
mod keys;
mod memory_journal;
mod recorder;
mod revocations;
mod summary;

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::record::RecordKey;
use crate::time::Timestamp;

pub use changes::is_unused;
pub use error::JournalError;
pub use keys::{InvalidMac, JournalKeys, Mac};
pub use memory_journal::MemoryJournal;
pub(crate) use recorder::Recorder;
pub(crate) use revocations::{RevocationList, mark};
pub(crate) use summary::JournalSummary;

/// An append-only journal of changes.
///
/// A journal consists of chains. Each process appends to its own chain and reads all of them.
pub trait Journal: Debug + Send + Sync + 'static {
    /// Appends `events` to the own chain, in this order and as one write. Returns the number of the
    /// first entry; the others follow by one. With [`Durability::Synced`], the new entries and all
    /// before them are on disk when this returns.
    ///
    /// # Errors
    ///
    /// [`JournalError::Failed`]: unknown whether the entries were written. The next call tries to
    /// write again.
    fn append(
        &self,
        at: Timestamp,
        events: &[Event],
        durability: Durability,
    ) -> Result<u64, JournalError>;

    /// Returns the entries of each chain from its newest [`Event::Opened`] on, inclusive. The
    /// chains follow one another, each in order. Empty if nothing was ever written.
    ///
    /// # Errors
    ///
    /// [`JournalError::Broken`] if an entry fails verification, [`JournalError::Failed`] if the
    /// journal cannot be read.
    fn recent(&self) -> Result<Vec<Entry>, JournalError>;

    /// Calls `visit` with every entry ever written. The chains follow one another, each in order.
    ///
    /// # Errors
    ///
    /// Those of [`Journal::recent`].
    fn read(&self, visit: &mut dyn FnMut(Entry)) -> Result<(), JournalError>;
}

/// Guarantee with which an append returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The entries are on disk.
    Synced,
    /// The entries are written. A crash of the process cannot lose them, a power failure can.
    Written,
}

/// An event and its position in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the chain within the journal.
    pub chain: u32,
    /// True if this process appends to the chain.
    pub own: bool,
    /// Position in the chain, starting at 1.
    pub number: u64,
    /// Time of the append, by the engine's clock.
    pub at: Timestamp,
    /// The event itself.
    pub event: Event,
}

/// An event of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// State of the store as this process knows it. Written before the first intent, and again
    /// after many entries while no intent is open.
    Opened {
        /// Id of the store, 32 hexadecimal digits; restoring a backup does not change it.
        store: String,
        /// Epoch of the store.
        #[serde(with = "hexadecimal")]
        epoch: u64,
        /// Newest commit that the process knew.
        head: u64,
    },
    /// A change is about to be committed.
    Intent(Intent),
    /// The outcome of an intent.
    Outcome {
        /// Number of the intent's entry, in the same chain.
        of: u64,
        /// The outcome.
        #[serde(rename = "fate")]
        outcome: Outcome,
    },
    /// A caller was denied an operation.
    Denied {
        /// The caller.
        #[serde(rename = "by")]
        actor: Actor,
        /// The denied operation.
        #[serde(rename = "act")]
        operation: Operation,
        /// The record, if the caller named one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<RecordKey>,
        /// Reason of the denial.
        reason: String,
        /// Number of denials before this one that were not recorded, because there were too many.
        #[serde(default, skip_serializing_if = "is_zero")]
        left_out: u64,
    },
    /// The store was found to be rolled back, and revocations were replayed.
    #[serde(rename = "restored")]
    RolledBack {
        /// Epoch of the store as it was found.
        #[serde(with = "hexadecimal")]
        found_epoch: u64,
        /// Newest commit of the store as it was found.
        found_head: u64,
        /// Epoch of the store from then on.
        #[serde(with = "hexadecimal")]
        epoch: u64,
        /// Earlier epochs of the store that the journal followed.
        #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hexadecimal::list")]
        superseded: Vec<u64>,
        /// True if the operator accepted the store although the journal did not know it.
        accepted: bool,
    },
    /// The journal could not be written for a while. Entries follow for the revocations of that
    /// time that the process kept.
    Gap {
        /// Number of entries that could not be written.
        missed: u64,
    },
}

/// A change that is about to be committed, as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The caller.
    #[serde(rename = "by")]
    pub actor: Actor,
    /// The operation.
    #[serde(rename = "act")]
    pub operation: Operation,
    /// The records that are written or purged.
    pub writes: Vec<WrittenRecord>,
    /// The records that are revoked or deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<Revocation>,
}

/// The caller of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The program that embeds the engine, or a holder of the key.
    Root,
    /// The bearer of the token of this authorization.
    Authorization(Id),
    /// This user, with a session.
    User(Id),
    /// A caller that is not authenticated.
    #[serde(rename = "nobody")]
    Anonymous,
}

/// A record that is written or purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenRecord {
    /// Key of the record.
    #[serde(rename = "record")]
    pub key: RecordKey,
    /// Sequence of the record, starting at 1; 0 if it is purged.
    #[serde(rename = "seq")]
    pub sequence: u64,
}

/// A final revocation of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Key of the record.
    #[serde(rename = "record")]
    pub key: RecordKey,
    /// Time from which it is revoked.
    pub at: Timestamp,
    /// Mark of the token, if the record is an authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mac>,
}

/// The outcome of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was committed.
    Done {
        /// Revision of the commit.
        revision: u64,
    },
    /// It was found in the store, after a crash or an error.
    Found,
    /// It was not committed.
    Failed,
    /// The outcome is unknown: the store did not answer.
    Unknown,
}

/// The operation that a caller asked for.
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
    /// Added a keyed hash to an authorization that was imported with a hash of its token.
    Adopt,
    Purge,
    /// Revoked again what the journal lists as revoked, after the store was rolled back.
    #[serde(rename = "end_again")]
    ReplayRevocations,
    /// Sealed records under another key.
    Reseal,
    SignIn,
    ExtendSession,
    SignOut,
    /// Read or listed records.
    Read,
    /// Made a backup of the store.
    Backup,
}

impl Operation {
    /// Returns true if the operation only takes access away. It is then carried out even if the
    /// journal cannot be written.
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Epochs in JSON: 16 hexadecimal digits, because programs that compute with floats would round a
/// number.
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
            Event::Opened { store: "00".repeat(16), epoch: u64::MAX, head: 3 },
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
            Event::Outcome { of: 2, outcome: Outcome::Done { revision: 9 } },
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
