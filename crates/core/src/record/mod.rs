//! Records: the entries of a store. Each has versioned bytes that end with a MAC, and a few columns
//! for searching.
//!
//! `docs/format.md` describes them byte by byte. Every version that was ever written remains
//! readable.

mod body;
mod bytes;
mod columns;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod integrity_error;
mod mac;
mod permission_set_cache;
mod seal;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::authorization::Authorization;
use crate::field::Field;
use crate::id::Id;
use crate::key::KeyId;
use crate::owner::{Bucket, Organization, User};
use crate::session::{Session, SessionDigest, SessionOwner};
use crate::status::Status;
use crate::time::Timestamp;
use crate::token::{Credential, Prefix};

pub use columns::Columns;
pub use integrity_error::IntegrityError;
pub(crate) use mac::VerifiedRecord;
pub(crate) use permission_set_cache::KnownSets;
pub(crate) use seal::{Sealer, open, seal};

/// Maximum size of a record in bytes, unique key included. Every store accepts this size.
pub const MAX_RECORD: usize = 16_000;

/// Maximum length of a unique key in bytes.
pub const MAX_UNIQUE: usize = 300;

/// The kind of a record. A store keeps kinds that this version does not know; the index ignores
/// them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(pub u8);

impl Kind {
    /// An authorization; its unique key is the hash of its token.
    pub const AUTHORIZATION: Self = Self(1);
    /// A user; its unique key is the name.
    pub const USER: Self = Self(2);
    /// An organization; its unique key is the name.
    pub const ORGANIZATION: Self = Self(3);
    /// The registered name of a bucket; its unique key is organization and name.
    pub const BUCKET: Self = Self(4);
    /// Data about the store itself.
    pub const SETTING: Self = Self(5);
    /// A session; its unique key is the hash of its token.
    pub const SESSION: Self = Self(6);

    /// Returns the field of an error about a record of this kind.
    pub(crate) fn field(self) -> Field {
        match self {
            Self::USER => Field::User,
            Self::ORGANIZATION => Field::Organization,
            Self::BUCKET => Field::Bucket,
            Self::SESSION => Field::Session,
            _ => Field::Authorization,
        }
    }

    /// Returns the field of the unique key of a record of this kind.
    pub(crate) fn unique_field(self) -> Field {
        match self {
            Self::USER => Field::UserName,
            Self::ORGANIZATION => Field::OrganizationName,
            Self::BUCKET => Field::BucketName,
            _ => Field::Token,
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KINDS.iter().find(|(kind, _)| kind == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "kind {}", self.0),
        }
    }
}

/// The error for a text that is not a record key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record key is a kind and an id, as in `authorization:0b38a8a5d1ee5000`")]
pub struct InvalidRecordKey;

const KINDS: [(Kind, &str); 6] = [
    (Kind::AUTHORIZATION, "authorization"),
    (Kind::USER, "user"),
    (Kind::ORGANIZATION, "organization"),
    (Kind::BUCKET, "bucket"),
    (Kind::SETTING, "setting"),
    (Kind::SESSION, "session"),
];

/// The key of a record, unique in its store. Its text form is `authorization:0b38a8a5d1ee5000`, or
/// `7:…` for a kind without a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// Kind of the record.
    pub kind: Kind,
    /// Id of the record.
    pub id: Id,
}

impl RecordKey {
    /// Creates the key of the record with this kind and id.
    pub const fn new(kind: Kind, id: Id) -> Self {
        Self { kind, id }
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.id)
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KINDS.iter().find(|(kind, _)| *kind == self.kind) {
            Some((_, name)) => write!(f, "{name}:{}", self.id),
            None => write!(f, "{}:{}", self.kind.0, self.id),
        }
    }
}

impl FromStr for RecordKey {
    type Err = InvalidRecordKey;

    fn from_str(text: &str) -> Result<Self, InvalidRecordKey> {
        let (kind, id) = text.split_once(':').ok_or(InvalidRecordKey)?;
        let kind = match KINDS.iter().find(|(_, name)| *name == kind) {
            Some((kind, _)) => *kind,
            None => Kind(kind.parse().map_err(|_| InvalidRecordKey)?),
        };
        let id = id.parse().map_err(|_| InvalidRecordKey)?;
        Ok(Self { kind, id })
    }
}

impl Serialize for RecordKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An entry of a store. The store does not interpret it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Key of the record.
    pub key: RecordKey,
    /// At most [`MAX_UNIQUE`] bytes that are unique among the records of one kind. Empty bytes and
    /// `None` are different.
    pub unique: Option<Box<[u8]>>,
    /// Columns to search by.
    pub columns: Columns,
    /// Opaque contents, including the MAC.
    pub bytes: Box<[u8]>,
}

impl Record {
    /// Returns the size in bytes that counts towards [`MAX_RECORD`].
    pub fn size(&self) -> usize {
        self.bytes.len() + self.unique.as_ref().map_or(0, |unique| unique.len())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({} bytes)", self.key, self.bytes.len())
    }
}

/// The decoded contents of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entity {
    Authorization(Authorization, Credential),
    User(User),
    Organization(Organization),
    Bucket(Bucket),
    Settings(Settings),
    SetUp(SetUp),
    Session(Session, SessionDigest),
}

/// The settings of a store. They are written when the store is created, when its key is rotated,
/// and with its first change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Random id. It is part of every MAC, so that a record copied from another store is detected.
    pub(crate) store: StoreId,
    pub(crate) prefix: Prefix,
    /// Ids of all keys that records and hashes of this store were created under, the current one
    /// last.
    pub(crate) keys: Vec<KeyId>,
    pub(crate) created_at: Timestamp,
    pub(crate) setup: SetupState,
}

/// Progress of a store towards its set-up. It only increases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SetupState {
    /// The settings have version 1, which does not record the state; records and journal decide.
    Unrecorded,
    /// Nothing was written yet.
    Open,
    /// The store was changed but not set up.
    Closed,
    /// The store was set up.
    Done,
}

/// Marks that the first organization and user were created, so that set-up cannot run twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetUp {
    pub(crate) organization: Id,
    pub(crate) user: Id,
    pub(crate) at: Timestamp,
}

/// Random bytes that identify a store. A restored backup keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct StoreId(pub(crate) [u8; 16]);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Key of the settings. Its id is a small number, which the id generator never draws.
pub(crate) const SETTINGS: RecordKey = RecordKey::new(Kind::SETTING, setting_id(1));
pub(crate) const SET_UP: RecordKey = RecordKey::new(Kind::SETTING, setting_id(2));

const fn setting_id(number: u64) -> Id {
    match Id::new(number) {
        Some(id) => id,
        None => Id::MIN,
    }
}

impl Entity {
    pub(crate) fn key(&self) -> RecordKey {
        match self {
            Self::Authorization(authorization, _) => {
                RecordKey::new(Kind::AUTHORIZATION, authorization.id)
            }
            Self::User(user) => RecordKey::new(Kind::USER, user.id),
            Self::Organization(organization) => RecordKey::new(Kind::ORGANIZATION, organization.id),
            Self::Bucket(bucket) => RecordKey::new(Kind::BUCKET, bucket.id),
            Self::Settings(_) => SETTINGS,
            Self::SetUp(_) => SET_UP,
            Self::Session(session, _) => RecordKey::new(Kind::SESSION, session.id),
        }
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.columns().status
    }

    /// Returns the version of the record format that this entity is written in.
    fn version(&self) -> u8 {
        match self {
            Self::Settings(settings) if settings.setup != SetupState::Unrecorded => 2,
            _ => 1,
        }
    }

    /// Returns the unique key. A deleted user, organization or bucket has none, which releases its
    /// name.
    fn unique(&self) -> Option<Box<[u8]>> {
        match self {
            Self::Authorization(_, credential) => Some(credential.unique_key().into()),
            Self::User(user) => name_key(user.status, &user.name),
            Self::Organization(organization) => name_key(organization.status, &organization.name),
            Self::Bucket(bucket) => name_key(bucket.status, &bucket.name)
                .map(|_| bucket_key(bucket.organization, &bucket.name)),
            Self::Session(_, SessionDigest { key, hash }) => {
                Some(Credential::Keyed(*key, *hash).unique_key().into())
            }
            Self::Settings(_) | Self::SetUp(_) => None,
        }
    }

    fn columns(&self) -> Columns {
        let none = Columns::default();
        match self {
            Self::Authorization(authorization, _) => Columns {
                organization: Some(authorization.organization),
                user: authorization.user,
                status: Some(authorization.status),
                origin: Some(authorization.origin),
            },
            Self::User(user) => Columns { status: Some(user.status), ..none },
            Self::Organization(organization) => {
                Columns { status: Some(organization.status), ..none }
            }
            Self::Bucket(bucket) => Columns {
                organization: Some(bucket.organization),
                status: Some(bucket.status),
                ..none
            },
            Self::Session(session, _) => Columns {
                user: match session.owner {
                    SessionOwner::User(id) => Some(id),
                    SessionOwner::Authorization(_) => None,
                },
                status: Some(match session.ended_at {
                    Some(_) => Status::Revoked,
                    None => Status::Active,
                }),
                ..none
            },
            Self::Settings(_) | Self::SetUp(_) => none,
        }
    }
}

/// Returns the unique key of a user or organization; `None` once it is deleted.
pub(crate) fn name_key(status: Status, name: &str) -> Option<Box<[u8]>> {
    (status != Status::Revoked).then(|| name.as_bytes().into())
}

/// Returns the unique key of a bucket: its organization as 8 bytes, big-endian, followed by its
/// name.
pub(crate) fn bucket_key(organization: Id, name: &str) -> Box<[u8]> {
    let mut key = organization.number().to_be_bytes().to_vec();
    key.extend_from_slice(name.as_bytes());
    key.into()
}
