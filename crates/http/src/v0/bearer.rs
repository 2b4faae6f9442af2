//! The caller under `/api/v0`: the bearer of a token, never the owner of a session.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use symbolon::{Action, Authorization, Caller, Engine, Error, Id, Origin, Request, ResourceType};
use uuid::Uuid;

use super::failure::refused;
use crate::api::Api;
use crate::failure::Failure;
use crate::names::absent_is_none;
use crate::principal::token;

/// The authorization whose token the request contains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bearer {
    id: Id,
    caller: Caller,
}

/// A bearer that may manage tokens of its organization, within its permissions.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenManager {
    pub(super) caller: Caller,
    pub(super) organization: Id,
}

impl FromRequestParts<Api> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let engine = api.engine()?;
        let token = token(&parts.headers).ok_or_else(Failure::unauthorized)?;
        let grant = engine.verifier().authenticate(token)?;
        Ok(Self {
            id: grant.id(),
            caller: grant.caller(),
        })
    }
}

impl Bearer {
    /// Returns the bearer if it may do `action` to the token with the id `on`, or, without an id,
    /// to all tokens of its organization.
    ///
    /// # Errors
    ///
    /// 403 if it lacks the permission, 401 if its token is no longer valid.
    pub(super) fn token_manager(
        self,
        engine: &Engine,
        action: Action,
        on: Option<Id>,
    ) -> Result<TokenManager, Failure> {
        let own = absent_is_none(engine.admin(Caller::Root).authorizations().get(self.id));
        let own = own.map_err(refused)?.ok_or_else(Failure::unauthorized)?;
        let token_manager = TokenManager {
            caller: self.caller,
            organization: own.organization,
        };
        let wanted = Request::new(action, ResourceType::AUTHORIZATIONS);
        let wanted = wanted.organization(own.organization);
        let wanted = on.map_or(wanted, |id| wanted.id(id));
        // A database token never manages tokens, even if it was imported with such permissions.
        let may = match own.origin {
            Origin::V0 => Err(Error::Forbidden(wanted.to_string())),
            _ => engine.admin(token_manager.caller).authorize(&wanted),
        };
        may.map_err(refused)?;
        Ok(token_manager)
    }
}

impl TokenManager {
    /// Returns the token with this id, or `None` if the bearer's organization has no such token.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read.
    pub(super) fn find(self, engine: &Engine, id: Id) -> Result<Option<Authorization>, Error> {
        let found = absent_is_none(engine.admin(Caller::Root).authorizations().get(id))?;
        Ok(found.filter(|one| one.origin == Origin::V0 && one.organization == self.organization))
    }
}

/// The id in the path; none for a UUID that cannot be an id of this server.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenId(pub(super) Option<Id>);

impl<S: Send + Sync> FromRequestParts<S> for TokenId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let invalid = || Failure::invalid("the token id in the path is not a UUID");
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| invalid())?;
        // Accepts only the hyphenated form of a UUID.
        let uuid = Some(text.as_str()).filter(|text| text.len() == 36);
        let uuid = uuid.and_then(|text| Uuid::try_parse(text).ok());
        uuid.map(|uuid| Self(Id::from_uuid(uuid)))
            .ok_or_else(invalid)
    }
}
