//! InfluxDB Clustered's `/api/v0/tokens`: tokens for databases by name.
//!
//! A token belongs to the organization of whoever made it, and to no user. An authorization sees and changes those of its own
//! organization alone.

mod answer;
mod bearer;
mod create;
mod forms;
mod list;
mod token;

use utoipa_axum::routes;

use crate::routes::Operations;

pub(crate) use answer::{in_form, is_path};
pub(crate) use forms::RefusedForm;

const TAG: &str = "database tokens";

/// Every path.
pub(crate) fn routes() -> Vec<Operations> {
    vec![
        routes!(list::list, create::create),
        routes!(token::one, token::update, token::delete),
    ]
}
