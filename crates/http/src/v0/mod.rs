//! InfluxDB Clustered's `/api/v0/tokens`: tokens for databases by name.
//!
//! A token belongs to the organization of its creator, and to no user. A caller sees and changes
//! only the tokens of its own organization.

mod bearer;
mod create;
mod failure;
mod json;
mod list;
mod token;

use utoipa_axum::routes;

use crate::api::Operations;

pub(crate) use failure::{in_form, is_path};
pub(crate) use json::RefusedForm;

/// Returns the operations of every path.
pub(crate) fn routes() -> Vec<Operations> {
    vec![routes!(list::list, create::create), routes!(token::one, token::update, token::delete)]
}
