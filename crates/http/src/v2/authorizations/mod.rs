//! `/api/v2/authorizations`: tokens as in InfluxDB v2.

mod change;
mod create;
mod json;
mod list;

use utoipa_axum::routes;

use crate::routes::Operations;

pub(super) use json::AuthorizationForm;

const TAG: &str = "authorizations";

pub(crate) fn routes() -> Vec<Operations> {
    vec![
        routes!(list::list, create::create),
        routes!(change::one, change::update, change::delete),
        routes!(change::rotate),
    ]
}
