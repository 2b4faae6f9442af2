//! `/api/v2/authorizations`: tokens as in InfluxDB v2.

mod change;
mod create;
mod json;
mod list;

use symbolon::{Authorization, Caller, Engine, Error, Field, Id, Origin, Status};
use utoipa_axum::routes;

use crate::names::Names;
use crate::routes::Operations;

pub(super) use create::status;
pub(super) use json::{AuthorizationForm, StatusForm};

const TAG: &str = "authorizations";

pub(crate) fn routes() -> Vec<Operations> {
    vec![
        routes!(list::list, create::create),
        routes!(change::one, change::update, change::delete),
        routes!(change::rotate),
    ]
}

/// Fails unless the authorization exists in this API: it was created through it, is not revoked,
/// and its user and organization are not deleted.
///
/// # Errors
///
/// [`Error::NotFound`], the same as for an id that was never assigned.
fn must_be_here(engine: &Engine, id: Id) -> Result<(), Error> {
    let found = engine.admin(Caller::Root).authorizations().get(id)?;
    match is_here(&found, &mut Names::new(engine))? {
        true => Ok(()),
        false => Err(Error::NotFound(Field::Authorization)),
    }
}

fn is_here(one: &Authorization, names: &mut Names<'_>) -> Result<bool, Error> {
    let owned = match one.user {
        Some(user) => names.user(user)?.is_some(),
        None => true,
    };
    let here = one.origin == Origin::V2 && one.status != Status::Revoked;
    Ok(here && owned && names.organization(one.organization)?.is_some())
}
