//! The caller under `/api/v0`: the bearer of a token, never the owner of a session.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use symbolon::{
    Action, Admin, AdminError, Authorizations, Caller, Engine, Id, Origin, Request, ResourceType,
};
use uuid::Uuid;

use super::failure::refused;
use crate::api::Api;
use crate::failure::Failure;
use crate::principal::token;

/// The authorization whose token the request contains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bearer(Caller);

/// The database tokens of an organization, as far as a bearer may read and change them.
#[derive(Debug, Clone)]
pub(super) struct DatabaseTokens {
    admin: Admin,
    pub(super) organization: Id,
}

impl DatabaseTokens {
    /// Returns the tokens, revoked or not.
    pub(super) fn authorizations(&self) -> Authorizations<'_> {
        let all = self.admin.authorizations();
        all.of_origin(Origin::V0).in_organization(self.organization)
    }
}

impl FromRequestParts<Api> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let engine = api.engine()?;
        let token = token(&parts.headers).ok_or_else(Failure::unauthorized)?;
        let grant = engine.verifier().authenticate(token)?;
        Ok(Self(grant.caller()))
    }
}

impl Bearer {
    /// Returns the database tokens of the bearer's organization, if the bearer may do `action` to
    /// the token with the id `on`, or, without an id, to all of them.
    ///
    /// # Errors
    ///
    /// 403 if it lacks the permission, 401 if its token is no longer valid.
    pub(super) fn database_tokens(
        self,
        engine: &Engine,
        action: Action,
        on: Option<Id>,
    ) -> Result<DatabaseTokens, Failure> {
        let admin = engine.admin(self.0).with_tombstones();
        let own = admin.own_authorization().map_err(refused)?;
        let own = own.ok_or_else(Failure::unauthorized)?;
        let wanted = Request::new(action, ResourceType::AUTHORIZATIONS);
        let wanted = wanted.organization(own.organization);
        let wanted = on.map_or(wanted, |id| wanted.id(id));
        // A database token never manages tokens, even if it was imported with such permissions.
        let may = match own.origin {
            Origin::V0 => Err(AdminError::Forbidden(wanted.permission())),
            _ => admin.authorize(&wanted),
        };
        may.map_err(refused)?;
        Ok(DatabaseTokens { admin, organization: own.organization })
    }
}

/// The id in the path; none for a UUID that cannot be an id of this server.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenId(pub(super) Option<Id>);

impl<S: Send + Sync> FromRequestParts<S> for TokenId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let invalid = || Failure::invalid("the token id in the path is not a UUID");
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        // Accepts only the hyphenated form of a UUID.
        let uuid = Some(text.as_str()).filter(|text| text.len() == 36);
        let uuid = uuid.and_then(|text| Uuid::try_parse(text).ok());
        uuid.map(|uuid| Self(Id::from_uuid(uuid))).ok_or_else(invalid)
    }
}
