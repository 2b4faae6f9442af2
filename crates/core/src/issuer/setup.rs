//! The first organization, user and token.

use super::errand::Errand;
use super::{Caller, Issuer};
use crate::authorization::{Authorization, Face};
use crate::error::{Error, Field};
use crate::journal::Act;
use crate::owner::{Membership, Organization, PasswordHash, Role, User};
use crate::permission::PermissionSet;
use crate::record::{Entity, Kind, SetUp};
use crate::status::Status;
use crate::text::check_label;
use crate::token::Token;

/// Who comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstUser {
    /// The name of the organization. One with this name that was imported is taken.
    pub organization: String,
    /// The name of the user. One with this name that was imported is taken.
    pub user: String,
    /// The hash of its password, if it shall sign in with one.
    pub password_hash: Option<PasswordHash>,
    /// What its token allows.
    pub permissions: PermissionSet,
}

impl Issuer {
    /// Makes the first organization, the first user as its owner and as operator, and a token of that user. It works
    /// once for each store, also when two try at the same time.
    ///
    /// # Errors
    ///
    /// [`Error::SetUp`] if it was done before, [`Error::Invalid`] or [`Error::Schema`] for what cannot be taken,
    /// [`Error::Store`].
    pub fn set_up(
        &self,
        first: &FirstUser,
    ) -> Result<(Token, Authorization, Organization, User), Error> {
        check_label(Field::OrganizationName, &first.organization)?;
        check_label(Field::UserName, &first.user)?;
        self.shared.schema.check(Face::V2, &first.permissions)?;
        self.change(Errand::new(&Caller::Root, Act::SetUp), |change| {
            if change.is_set_up()? {
                return Err(Error::SetUp);
            }
            let now = change.now();
            let named = self.find_named(Kind::ORGANIZATION, first.organization.as_bytes())?;
            let organization = match named {
                Some(Entity::Organization(found)) => change.organization(found.id)?,
                _ => Organization {
                    id: change.new_id(Kind::ORGANIZATION),
                    name: first.organization.clone(),
                    description: String::new(),
                    status: Status::Active,
                    created_at: now,
                    updated_at: now,
                },
            };
            let mut user = match self.find_named(Kind::USER, first.user.as_bytes())? {
                Some(Entity::User(found)) => change.user(found.id)?,
                _ => User {
                    id: change.new_id(Kind::USER),
                    name: first.user.clone(),
                    status: Status::Active,
                    operator: true,
                    memberships: Vec::new(),
                    password_hash: None,
                    created_at: now,
                    updated_at: now,
                },
            };
            for (field, status) in [
                (Field::Organization, organization.status),
                (Field::User, user.status),
            ] {
                if status != Status::Active {
                    let reason = "of this name is switched off; choose another name".into();
                    return Err(Error::Invalid(field, reason));
                }
            }
            user.operator = true;
            user.updated_at = now;
            user.memberships
                .retain(|one| one.organization != organization.id);
            user.memberships.push(Membership {
                organization: organization.id,
                role: Role::Owner,
            });
            if first.password_hash.is_some() {
                user.password_hash.clone_from(&first.password_hash);
            }
            let authorization = Authorization {
                id: change.new_id(Kind::AUTHORIZATION),
                organization: organization.id,
                user: Some(user.id),
                created_by: None,
                face: Face::V2,
                rotated_from: None,
                description: format!("{}'s Token", user.name),
                permissions: first.permissions.clone(),
                status: Status::Active,
                expires_at: None,
                created_at: now,
                updated_at: now,
                revoked_at: None,
                last_used: None,
            };
            change.put(Entity::SetUp(SetUp {
                organization: organization.id,
                user: user.id,
                at: now,
            }))?;
            change.put(Entity::Organization(organization.clone()))?;
            change.put(Entity::User(user.clone()))?;
            let (token, authorization) = self.put_new(change, authorization)?;
            Ok((token, authorization, organization, user))
        })
    }
}
