//! The first organization, user and token.

use super::errand::Errand;
use super::transaction::Transaction;
use super::{Caller, IfEnded, ImportItem, Issuer};
use crate::authorization::{Authorization, Face};
use crate::error::{Error, Field};
use crate::id::Id;
use crate::journal::Act;
use crate::owner::{Bucket, Membership, Organization, PasswordHash, Role, User};
use crate::permission::PermissionSet;
use crate::record::{Entity, Kind, SetUp, bucket_key};
use crate::status::Status;
use crate::text::check_label;
use crate::token::{Shape, Token};

/// Who comes first.
#[derive(Debug)]
pub struct FirstUser {
    /// The name of the organization. One with this name that was imported is taken.
    pub organization: String,
    /// The name of the user. One with this name that was imported is taken.
    pub user: String,
    /// The hash of its password, if it shall sign in with one.
    pub password_hash: Option<PasswordHash>,
    /// What its token allows.
    pub permissions: PermissionSet,
    /// The name of a bucket of the organization that is registered, if any. One with this name that was imported is
    /// taken.
    pub bucket: Option<String>,
    /// The token, if it shall not be drawn: a text of one's own choice, as [`Token::parse`] takes it. One of this store's
    /// own form gives its id to the authorization.
    pub token: Option<Token>,
}

/// What a set-up made.
#[derive(Debug)]
pub struct SetUpDone {
    /// The token of the first user. It is returned here and never again.
    pub token: Token,
    /// What it stands for.
    pub authorization: Authorization,
    /// The first organization.
    pub organization: Organization,
    /// The first user.
    pub user: User,
    /// The first bucket, if one was named.
    pub bucket: Option<Bucket>,
}

impl Issuer {
    /// Makes the first organization, the first user as its owner and as operator, and a token of that user. It works
    /// once for each store, also when two try at the same time.
    ///
    /// # Errors
    ///
    /// [`Error::SetUp`] if it was done before, [`Error::Invalid`] or [`Error::Schema`] for what cannot be taken,
    /// [`Error::Exists`] or [`Error::EndedBefore`] for a given token that belongs or belonged to another authorization,
    /// [`Error::Store`].
    pub fn set_up(&self, first: &FirstUser) -> Result<SetUpDone, Error> {
        check_label(Field::OrganizationName, &first.organization)?;
        check_label(Field::UserName, &first.user)?;
        if let Some(bucket) = &first.bucket {
            check_label(Field::BucketName, bucket)?;
        }
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
            let bucket = match &first.bucket {
                Some(name) => Some(self.first_bucket(change, organization.id, name)?),
                None => None,
            };
            let authorization = Authorization {
                id: self.first_id(change, first)?,
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
            let (token, authorization) = match &first.token {
                Some(token) => self.put_given(change, authorization, token.reveal())?,
                None => self.put_new(change, authorization)?,
            };
            Ok(SetUpDone {
                token,
                authorization,
                organization,
                user,
                bucket,
            })
        })
    }

    fn first_bucket(
        &self,
        change: &mut Transaction<'_>,
        organization: Id,
        name: &str,
    ) -> Result<Bucket, Error> {
        let named = self.find_named(Kind::BUCKET, &bucket_key(organization, name))?;
        if let Some(Entity::Bucket(found)) = named {
            return change.bucket(found.id);
        }
        let bucket = Bucket {
            id: change.new_id(Kind::BUCKET),
            organization,
            name: name.to_owned(),
            status: Status::Active,
            created_at: change.now(),
            updated_at: change.now(),
        };
        change.put(Entity::Bucket(bucket.clone()))?;
        Ok(bucket)
    }

    /// The id that a given token carries, or a new one.
    fn first_id(&self, change: &mut Transaction<'_>, first: &FirstUser) -> Result<Id, Error> {
        let Some(token) = &first.token else {
            return Ok(change.new_id(Kind::AUTHORIZATION));
        };
        let shape = Shape::of(self.shared.prefix, token.reveal().as_bytes());
        match shape.map_err(|error| Error::Invalid(Field::Token, format!("is {error}")))? {
            Shape::Other => Ok(change.new_id(Kind::AUTHORIZATION)),
            Shape::Native(id) if change.has_authorization(id)? => Err(Error::Exists(Field::Token)),
            Shape::Native(id) => Ok(id),
        }
    }

    /// A token that was given is taken as one that is imported.
    fn put_given(
        &self,
        change: &mut Transaction<'_>,
        authorization: Authorization,
        text: &str,
    ) -> Result<(Token, Authorization), Error> {
        let parse = || {
            Token::parse(self.shared.prefix, text)
                .map_err(|error| Error::Invalid(Field::Token, format!("is {error}")))
        };
        if self.find_token(text.as_bytes())?.is_some() {
            return Err(Error::Exists(Field::Token));
        }
        let item = ImportItem::Authorization(authorization.clone(), parse()?);
        let entity = self.plan(&item)?;
        self.check_ended(&item, &entity, IfEnded::Refuse)?;
        change.put(entity)?;
        Ok((parse()?, authorization))
    }
}
