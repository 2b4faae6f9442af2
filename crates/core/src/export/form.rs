//! The rows of an export: the fields of InfluxDB's replies and additional ones.

use serde::Serialize;

use super::ExportSecrets;
use crate::authorization::{Authorization, Origin};
use crate::id::Id;
use crate::import::{CreatorForm, MembershipForm};
use crate::owner::{Bucket, Organization, PasswordHash, User};
use crate::permission::PermissionSet;
use crate::status::Status;
use crate::time::Timestamp;
use crate::token::{Credential, StoredDigest};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganizationForm<'e> {
    id: Id,
    name: &'e str,
    description: &'e str,
    status: Status,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserForm<'e> {
    id: Id,
    name: &'e str,
    status: Status,
    #[serde(skip_serializing_if = "is_false")]
    operator: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    memberships: Vec<MembershipForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<&'e str>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BucketForm<'e> {
    id: Id,
    #[serde(rename = "orgID")]
    organization: Id,
    name: &'e str,
    /// Not present for buckets of InfluxDB.
    #[serde(skip_serializing_if = "is_active")]
    status: Status,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthorizationForm<'e> {
    id: Id,
    status: Status,
    description: &'e str,
    #[serde(rename = "orgID")]
    organization: Id,
    #[serde(rename = "userID", skip_serializing_if = "Option::is_none")]
    user: Option<Id>,
    permissions: &'e PermissionSet,
    #[serde(rename = "face")]
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<CreatorForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_from: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashed_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyed_hash: Option<String>,
}

impl<'e> From<&'e Organization> for OrganizationForm<'e> {
    fn from(one: &'e Organization) -> Self {
        Self {
            id: one.id,
            name: &one.name,
            description: &one.description,
            status: one.status,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

impl<'e> UserForm<'e> {
    pub(super) fn new(one: &'e User, secrets: ExportSecrets) -> Self {
        let password = one.password_hash.as_ref().map(PasswordHash::as_phc);
        Self {
            id: one.id,
            name: &one.name,
            status: one.status,
            operator: one.operator,
            memberships: one.memberships.iter().map(MembershipForm::from).collect(),
            password_hash: password.filter(|_| secrets == ExportSecrets::Hashes),
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

impl<'e> From<&'e Bucket> for BucketForm<'e> {
    fn from(one: &'e Bucket) -> Self {
        Self {
            id: one.id,
            organization: one.organization,
            name: &one.name,
            status: one.status,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

impl<'e> AuthorizationForm<'e> {
    pub(super) fn new(
        one: &'e Authorization,
        credential: &Credential,
        secrets: ExportSecrets,
    ) -> Self {
        let known = Some(credential).filter(|_| secrets == ExportSecrets::Hashes);
        let keyed = known.and_then(Credential::keyed);
        let native = matches!(credential, Credential::Native(..));
        let keyed = keyed.map(|(key, hash)| StoredDigest { key, hash, native }.to_string());
        let foreign_hash = known.and_then(Credential::foreign_hash);
        Self {
            id: one.id,
            status: one.status,
            description: &one.description,
            organization: one.organization,
            user: one.user,
            permissions: &one.permissions,
            origin: one.origin,
            created_by: one.created_by.map(CreatorForm::from),
            rotated_from: one.rotated_from,
            expires_at: one.expires_at,
            revoked_at: one.revoked_at,
            created_at: one.created_at,
            updated_at: one.updated_at,
            hashed_token: foreign_hash.map(crate::token::ForeignHash::to_text),
            keyed_hash: keyed,
        }
    }
}

fn is_active(status: &Status) -> bool {
    *status == Status::Active
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
