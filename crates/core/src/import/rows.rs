//! Parsed rows, in a compact form because a file may have a million of them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::OwnerName;
use super::fields::{Fields, form, name, noted_time, parsed, status, text};
use super::forms::{CreatorForm, MembershipForm};
use super::packed_sets::{PackedSet, Sets};
use super::permissions::permissions;
use super::tokens::Secret;
use crate::authorization::{Authorization, Creator, Origin};
use crate::id::Id;
use crate::json_object::JsonObject;
use crate::owner::{Bucket, Membership, Organization, PasswordHash, User};
use crate::status::Status;
use crate::time::Timestamp;

/// A row of `orgs` or `users`.
#[derive(Debug)]
pub(super) struct OwnerRow {
    pub(super) index: usize,
    pub(super) id: Id,
    name: String,
    description: String,
    status: Status,
    times: Times,
    operator: bool,
    memberships: Vec<Membership>,
    password_hash: Option<PasswordHash>,
}

/// A row of `buckets`.
#[derive(Debug)]
pub(super) struct BucketRow {
    pub(super) index: usize,
    pub(super) id: Id,
    pub(super) organization: Option<OwnerName>,
    name: String,
    status: Status,
    times: Times,
}

/// A row of `authorizations`.
#[derive(Debug)]
pub(super) struct AuthorizationRow {
    pub(super) index: usize,
    pub(super) id: Id,
    pub(super) organization: Option<OwnerName>,
    pub(super) user: Option<OwnerName>,
    /// Boxed, so that growing and filtering the list moves few bytes.
    pub(super) details: Box<AuthorizationDetails>,
}

/// The fields of an authorization other than id and owners.
#[derive(Debug)]
pub(super) struct AuthorizationDetails {
    pub(super) secret: Secret,
    description: Box<str>,
    permissions: PackedSet,
    status: Status,
    expires_at: Option<Timestamp>,
    times: Times,
    /// Only present in some rows of exports of symbolon.
    symbolon_fields: Option<Box<SymbolonFields>>,
}

/// Fields of an authorization that InfluxDB does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SymbolonFields {
    origin: Origin,
    created_by: Option<Creator>,
    rotated_from: Option<Id>,
    revoked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// A reference to an owner by id, name, or both.
#[derive(Debug, Default)]
pub(super) struct Named<'r> {
    pub(super) id: Option<Id>,
    pub(super) name: Option<Cow<'r, str>>,
}

impl OwnerRow {
    pub(super) fn read(index: usize, row: &Fields<'_>, id: Id) -> Result<Self, String> {
        let memberships: Vec<JsonObject<MembershipForm>> =
            form("memberships", row.memberships, MEMBERSHIPS)?;
        let password = name("passwordHash", row.password_hash)?;
        Ok(Self {
            index,
            id,
            name: name("name", row.name)?.ok_or("`name` is missing")?.into(),
            description: text("description", row.description)?.unwrap_or_default().into(),
            status: status(row.status)?,
            times: Times::read(row)?,
            operator: form("operator", row.operator, "`true` or `false`")?,
            memberships: memberships.into_iter().map(|JsonObject(one)| one.into()).collect(),
            password_hash: password.map(PasswordHash::from_phc),
        })
    }

    /// Returns the name, or `None` for a deleted owner, which has released it.
    pub(super) fn name(&self) -> Option<&str> {
        (self.status != Status::Revoked).then_some(&self.name)
    }

    pub(super) fn organization(&self, now: Timestamp) -> Organization {
        let (created_at, updated_at) = self.times.or(now);
        Organization {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            status: self.status,
            created_at,
            updated_at,
        }
    }

    pub(super) fn user(&self, now: Timestamp) -> User {
        let (created_at, updated_at) = self.times.or(now);
        User {
            id: self.id,
            name: self.name.clone(),
            status: self.status,
            operator: self.operator,
            memberships: self.memberships.clone(),
            password_hash: self.password_hash.clone(),
            created_at,
            updated_at,
        }
    }
}

impl BucketRow {
    pub(super) fn read(
        index: usize,
        row: &Fields<'_>,
        id: Id,
        organization: &Named<'_>,
    ) -> Result<Self, String> {
        Ok(Self {
            index,
            id,
            organization: organization.reference(),
            name: name("name", row.name)?.ok_or("`name` is missing")?.into(),
            status: status(row.status)?,
            times: Times::read(row)?,
        })
    }

    /// Returns `true` if the bucket has its name, and `false` if it is deleted and has released it.
    pub(super) fn is_named(&self) -> bool {
        self.status != Status::Revoked
    }

    pub(super) fn bucket(&self, organization: Id, now: Timestamp) -> Bucket {
        let (created_at, updated_at) = self.times.or(now);
        Bucket {
            id: self.id,
            organization,
            name: self.name.clone(),
            status: self.status,
            created_at,
            updated_at,
        }
    }
}

impl AuthorizationRow {
    pub(super) fn read(
        index: usize,
        row: &Fields<'_>,
        id: Id,
        owners: [&Named<'_>; 2],
        sets: &mut Sets,
    ) -> Result<Self, String> {
        let [organization, user] = owners;
        let description = text("description", row.description)?;
        let details = AuthorizationDetails {
            secret: Secret::read(row)?,
            description: description.unwrap_or_default().into(),
            status: status(row.status)?,
            expires_at: parsed("expiresAt", row.expires_at)?,
            times: Times::read(row)?,
            permissions: sets.pack(&permissions(row.permissions)?),
            symbolon_fields: SymbolonFields::read(row)?,
        };
        let ended = details.symbolon_fields.as_ref().and_then(|one| one.revoked_at);
        if ended.is_some() && details.status != Status::Revoked {
            return Err("it has `revokedAt`, but its `status` is not `revoked`".into());
        }
        Ok(Self {
            index,
            id,
            organization: organization.reference(),
            user: user.reference(),
            details: Box::new(details),
        })
    }
}

impl AuthorizationDetails {
    pub(super) fn authorization(
        &self,
        id: Id,
        organization: Id,
        user: Option<Id>,
        sets: &Sets,
        now: Timestamp,
    ) -> Authorization {
        let (created_at, updated_at) = self.times.or(now);
        let SymbolonFields { origin, created_by, rotated_from, revoked_at } =
            self.symbolon_fields.as_deref().cloned().unwrap_or(SymbolonFields::UNKNOWN);
        let ended = || (self.status == Status::Revoked).then_some(updated_at);
        Authorization {
            id,
            organization,
            user,
            created_by,
            origin,
            rotated_from,
            description: self.description.clone().into(),
            permissions: sets.unpack(&self.permissions),
            status: self.status,
            expires_at: self.expires_at,
            created_at,
            updated_at,
            revoked_at: revoked_at.or_else(ended),
            last_used: None,
        }
    }
}

const MEMBERSHIPS: &str = "a list of `{\"orgID\":…,\"role\":\"owner\"}`, with `owner` or `member`";
const CREATOR: &str = "`{\"authorizationID\":…}` or `{\"userID\":…}`";
const ORIGIN: &str = "`v2`, `v0` or `embedder`";

impl SymbolonFields {
    const UNKNOWN: Self =
        Self { origin: Origin::V2, created_by: None, rotated_from: None, revoked_at: None };

    fn read(row: &Fields<'_>) -> Result<Option<Box<Self>>, String> {
        let origin: Option<Origin> = form("face", row.origin, ORIGIN)?;
        let creator: Option<JsonObject<CreatorForm>> = form("createdBy", row.created_by, CREATOR)?;
        let created_by = creator.map(|JsonObject(form)| {
            let creator = form.creator();
            creator.ok_or_else(|| format!("`createdBy` is not {CREATOR}"))
        });
        let symbolon_fields = Self {
            origin: origin.unwrap_or(Origin::V2),
            created_by: created_by.transpose()?,
            rotated_from: parsed("rotatedFrom", row.rotated_from)?,
            revoked_at: parsed("revokedAt", row.revoked_at)?,
        };
        Ok((symbolon_fields != Self::UNKNOWN).then(|| Box::new(symbolon_fields)))
    }
}

impl Times {
    fn read(row: &Fields<'_>) -> Result<Self, String> {
        Ok(Self {
            created_at: noted_time("createdAt", row.created_at)?,
            updated_at: noted_time("updatedAt", row.updated_at)?,
        })
    }

    /// Returns the times of creation and last change. A missing time of creation is `now`, a
    /// missing time of change that of creation.
    fn or(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let created_at = self.created_at.unwrap_or(now);
        (created_at, self.updated_at.unwrap_or(created_at))
    }
}

impl<'r> Named<'r> {
    pub(super) fn organization(row: &Fields<'r>) -> Result<Self, String> {
        Self::read(("orgID", row.org_id), ("org", row.org))
    }

    pub(super) fn user(row: &Fields<'r>) -> Result<Self, String> {
        let named = match row.user {
            Some(_) => ("user", row.user),
            None => ("userName", row.user_name),
        };
        Self::read(("userID", row.user_id), named)
    }

    fn read(
        (id_key, id): (&str, Option<&'r RawValue>),
        (name_key, named): (&str, Option<&'r RawValue>),
    ) -> Result<Self, String> {
        Ok(Self { id: parsed(id_key, id)?, name: name(name_key, named)? })
    }

    /// Prefers the id, because the name may have changed since.
    fn reference(&self) -> Option<OwnerName> {
        let named = || self.name.as_deref().map(|name| OwnerName::Name(name.into()));
        self.id.map(OwnerName::Id).or_else(named)
    }
}
