//! Set-up: the first organization, user and token.

use super::{IfRevoked, ImportItem, Maintenance};
use crate::admin_error::AdminError;
use crate::authorization::{Authorization, Origin};
use crate::caller::{BearerProof, Caller, TokenBearer};
use crate::change::{AuditContext, SetupStatus, Transaction};
use crate::field::Field;
use crate::id::Id;
use crate::invalid_value::InvalidValue;
use crate::journal::Operation;
use crate::owner::{Bucket, Membership, Organization, PasswordHash, Role, User};
use crate::permission::PermissionSet;
use crate::record::{Entity, Kind, SetUp, bucket_key};
use crate::status::Status;
use crate::text_limits::check_label;
use crate::token::{Token, TokenShape};

/// The first user of a store and its organization, bucket and token.
#[derive(Debug)]
pub struct SetUpRequest {
    /// Name of the organization.
    pub organization: String,
    /// Name of the user.
    pub user: String,
    /// Hash of the user's password; without one the user cannot sign in with a password.
    pub password_hash: Option<PasswordHash>,
    /// Permissions of the user's token.
    pub permissions: PermissionSet,
    /// Name of a bucket to register in the organization.
    pub bucket: Option<String>,
    /// Token of the user, in a format that [`Token::parse`] accepts; random by default. A token in
    /// the store's own format determines the id of the authorization.
    pub token: Option<Token>,
    /// Action if the store has an organization, user or bucket of one of these names.
    pub if_name_exists: IfNameExists,
}

/// Action of [`Maintenance::set_up`] if an organization, user or bucket exists already, for example
/// after an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfNameExists {
    /// Refuse with [`AdminError::Exists`].
    #[default]
    Refuse,
    /// Use it. The user becomes an operator, and its password is replaced if one is given.
    Adopt,
}

/// Result of a set-up.
#[derive(Debug)]
pub struct SetUpResult {
    /// Token of the first user. It is returned here and never again.
    pub token: Token,
    /// The authorization of the token.
    pub authorization: Authorization,
    /// The first organization.
    pub organization: Organization,
    /// The first user.
    pub user: User,
    /// The first bucket, if one was named.
    pub bucket: Option<Bucket>,
    caller: Caller,
}

impl SetUpResult {
    /// Returns the bearer of the new token as a caller.
    pub fn caller(&self) -> Caller {
        self.caller
    }
}

impl SetUpRequest {
    fn adopt(&self, name: Field) -> Result<(), AdminError> {
        match self.if_name_exists {
            IfNameExists::Adopt => Ok(()),
            IfNameExists::Refuse => Err(AdminError::Exists(name)),
        }
    }
}

impl Maintenance {
    /// Creates the first organization, the first user as its owner and as operator, and a token of
    /// that user. It succeeds only once per store, even if two callers try at the same time.
    ///
    /// This is for the holder of the key, and is also possible on a store that is in use. Use
    /// [`Engine::set_up_unused`](crate::Engine::set_up_unused) for other callers.
    ///
    /// # Errors
    ///
    /// [`AdminError::AlreadySetUp`] if the store was set up before, [`AdminError::Invalid`] or
    /// [`AdminError::Schema`] for values that are not accepted, [`AdminError::Exists`] for a name
    /// that is taken (see [`SetUpRequest::if_name_exists`]), [`AdminError::Exists`] or
    /// [`AdminError::PreviouslyRevoked`] for a given token that belongs or belonged to another
    /// authorization, [`AdminError::Store`], [`AdminError::Journal`].
    pub fn set_up(&self, first: &SetUpRequest) -> Result<SetUpResult, AdminError> {
        self.set_up_if(first, |status| match status {
            SetupStatus::Open | SetupStatus::KeyHolder => Ok(()),
            SetupStatus::Done => Err(AdminError::AlreadySetUp),
        })
    }

    /// Does the same for a caller that does not hold the key. It fails if the store was ever
    /// written to.
    ///
    /// # Errors
    ///
    /// Those of [`Maintenance::set_up`]; [`AdminError::SetUpClosed`] if the store is in use.
    pub(crate) fn set_up_unused(&self, first: &SetUpRequest) -> Result<SetUpResult, AdminError> {
        self.set_up_if(first, |status| match status {
            SetupStatus::Open => Ok(()),
            SetupStatus::KeyHolder => Err(AdminError::SetUpClosed),
            SetupStatus::Done => Err(AdminError::AlreadySetUp),
        })
    }

    fn set_up_if(
        &self,
        first: &SetUpRequest,
        may: impl Fn(SetupStatus) -> Result<(), AdminError>,
    ) -> Result<SetUpResult, AdminError> {
        check_label(Field::OrganizationName, &first.organization)?;
        check_label(Field::UserName, &first.user)?;
        if let Some(bucket) = &first.bucket {
            check_label(Field::BucketName, bucket)?;
        }
        self.changes.shared.schema.check(Origin::V2, &first.permissions)?;
        self.changes.change(AuditContext::new(&Caller::Root, Operation::SetUp), |change| {
            // Names before the status: if a concurrent set-up took a name, the status is done.
            let named =
                self.changes.find_named(Kind::ORGANIZATION, first.organization.as_bytes())?;
            let user_named = self.changes.find_named(Kind::USER, first.user.as_bytes())?;
            may(change.setup_status()?)?;
            let now = change.now();
            let organization = match named {
                Some(Entity::Organization(found)) => {
                    first.adopt(Field::OrganizationName)?;
                    change.organization(found.id)?
                }
                _ => Organization {
                    id: change.new_id(Kind::ORGANIZATION),
                    name: first.organization.clone(),
                    description: String::new(),
                    status: Status::Active,
                    created_at: now,
                    updated_at: now,
                },
            };
            let mut user = match user_named {
                Some(Entity::User(found)) => {
                    first.adopt(Field::UserName)?;
                    change.user(found.id)?
                }
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
            for (field, status) in
                [(Field::Organization, organization.status), (Field::User, user.status)]
            {
                if status != Status::Active {
                    return Err(AdminError::Invalid(field, InvalidValue::Inactive));
                }
            }
            user.operator = true;
            user.updated_at = now;
            user.memberships.retain(|one| one.organization != organization.id);
            user.memberships.push(Membership { organization: organization.id, role: Role::Owner });
            if first.password_hash.is_some() {
                user.password_hash.clone_from(&first.password_hash);
            }
            let bucket = match &first.bucket {
                Some(name) => Some(self.first_bucket(change, organization.id, name, first)?),
                None => None,
            };
            let authorization = Authorization {
                id: self.first_id(change, first)?,
                organization: organization.id,
                user: Some(user.id),
                created_by: None,
                origin: Origin::V2,
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
                Some(token) => self.write_given_token(change, authorization, token.reveal())?,
                None => self.changes.write_new_authorization(change, authorization)?,
            };
            let secret = &self.changes.shared.sealer.key().current().hash;
            let proof = BearerProof::Token(secret.short_digest(token.reveal().as_bytes()));
            let caller = Caller::Authorization(TokenBearer::new(authorization.id, proof));
            Ok(SetUpResult { token, authorization, organization, user, bucket, caller })
        })
    }

    fn first_bucket(
        &self,
        change: &mut Transaction<'_>,
        organization: Id,
        name: &str,
        first: &SetUpRequest,
    ) -> Result<Bucket, AdminError> {
        let named = self.changes.find_named(Kind::BUCKET, &bucket_key(organization, name))?;
        if let Some(Entity::Bucket(found)) = named {
            first.adopt(Field::BucketName)?;
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

    /// Returns the id in the given token, or a new one.
    fn first_id(
        &self,
        change: &mut Transaction<'_>,
        first: &SetUpRequest,
    ) -> Result<Id, AdminError> {
        let Some(token) = &first.token else {
            return Ok(change.new_id(Kind::AUTHORIZATION));
        };
        let shape = TokenShape::of(self.changes.shared.checks.prefix, token.reveal().as_bytes());
        match shape
            .map_err(|error| AdminError::Invalid(Field::Token, InvalidValue::Malformed(error)))?
        {
            TokenShape::Other => Ok(change.new_id(Kind::AUTHORIZATION)),
            TokenShape::Native(id) if change.has_authorization(id)? => {
                Err(AdminError::Exists(Field::Token))
            }
            TokenShape::Native(id) => Ok(id),
        }
    }

    /// Writes an authorization with a given token, in the same way as an import.
    fn write_given_token(
        &self,
        change: &mut Transaction<'_>,
        authorization: Authorization,
        text: &str,
    ) -> Result<(Token, Authorization), AdminError> {
        let parse = || {
            Token::parse(self.changes.shared.checks.prefix, text)
                .map_err(|error| AdminError::Invalid(Field::Token, InvalidValue::Malformed(error)))
        };
        if self.changes.find_token(text.as_bytes())?.is_some() {
            return Err(AdminError::Exists(Field::Token));
        }
        let item = ImportItem::Authorization(authorization.clone(), parse()?);
        let entity = self.plan(&item)?;
        self.check_ended(&item, &entity, IfRevoked::Refuse)?;
        change.put(entity)?;
        Ok((parse()?, authorization))
    }
}
