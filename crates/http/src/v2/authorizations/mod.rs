//! `/api/v2/authorizations`: tokens as in InfluxDB v2.

mod by_id;
mod create;
mod json;
mod list;

use utoipa_axum::routes;

use crate::api::Operations;

pub(super) use json::AuthorizationForm;

pub(crate) fn routes() -> Vec<Operations> {
    vec![
        routes!(list::list, create::create),
        routes!(by_id::one, by_id::update, by_id::delete),
        routes!(by_id::rotate),
    ]
}
