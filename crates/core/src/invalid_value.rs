//! Reasons why a value is not accepted.

use std::fmt;

use crate::id::Id;
use crate::key::KeyId;
use crate::permission::Permission;
use crate::token::MalformedToken;

/// The reason why the value of a [`Field`](crate::Field) is not accepted. Its text follows the name
/// of the field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidValue {
    /// It is empty.
    Empty,
    /// It is missing.
    Missing,
    /// It has more bytes than allowed.
    TooLong {
        /// Length in bytes.
        length: usize,
        /// Maximum length in bytes.
        maximum: usize,
    },
    /// Its length in bytes is not within these bounds.
    LengthNotWithin {
        /// Minimum length in bytes.
        minimum: usize,
        /// Maximum length in bytes.
        maximum: usize,
    },
    /// It contains this control character.
    ControlCharacter(char),
    /// The time of expiry of a new authorization is not in the future.
    InThePast,
    /// The authorization to rotate has expired.
    Expired,
    /// A permission names another organization than that of its authorization.
    OtherOrganization {
        /// The permission.
        permission: Box<Permission>,
        /// Organization of the authorization.
        organization: Id,
    },
    /// The user or organization of this name is inactive.
    Inactive,
    /// The text is not a token.
    Malformed(MalformedToken),
    /// The token contains the id of this authorization.
    OfAuthorization(Id),
    /// The token was hashed under a key that the store does not have.
    UnknownKey {
        /// Key of the hash.
        needed: KeyId,
        /// Keys of the store.
        held: Vec<KeyId>,
    },
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::Missing => f.write_str("is missing"),
            Self::TooLong { length, maximum } => {
                write!(f, "has {length} bytes; the maximum is {maximum}")
            }
            Self::LengthNotWithin { minimum, maximum } => {
                write!(f, "must have {minimum} to {maximum} bytes")
            }
            Self::ControlCharacter(c) => {
                write!(f, "contains the control character U+{:04X}; remove it", u32::from(*c))
            }
            Self::InThePast => f.write_str("lies in the past; give a future time, or none"),
            Self::Expired => f.write_str("has passed; create a new authorization instead"),
            Self::OtherOrganization { permission, organization } => {
                write!(
                    f,
                    "include `{permission}`, which is not for organization {organization}; name \
                     that organization, or none"
                )
            }
            Self::Inactive => f.write_str("of this name is inactive; choose another name"),
            Self::Malformed(error) => write!(f, "is {error}"),
            Self::OfAuthorization(id) => {
                write!(f, "belongs to authorization {id}; use that id")
            }
            Self::UnknownKey { needed, held } => {
                let held: Vec<_> = held.iter().map(KeyId::to_string).collect();
                write!(
                    f,
                    "was hashed under key {needed}, and the key file holds {}; use the key file \
                     of the exported store",
                    held.join(", ")
                )
            }
        }
    }
}
