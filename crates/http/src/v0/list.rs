//! `GET /api/v0/tokens`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use symbolon::{
    Action, Authorization, AuthorizationFilter, Engine, List, ListOptions, RevokedInList,
};
use utoipa::IntoParams;

use super::bearer::Bearer;
use super::failure::{Failures, refused};
use super::json::TokenForm;
use crate::api::Api;
use crate::body::{QueryParams, given};
use crate::failure::Failure;
use crate::schemas::FlagOrEmpty;
use crate::stream::{self, PagedResponse};
use crate::tags;

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Include revoked tokens.
    #[serde(rename = "includeRevoked")]
    #[param(value_type = Option<FlagOrEmpty>)]
    include_revoked: Option<String>,
}

/// List database tokens
///
/// The list contains the tokens of the caller's organization, in the order of their creation.
#[utoipa::path(
    get, path = "/api/v0/tokens", operation_id = "GetDatabaseTokens", tag = tags::DATABASE_TOKENS,
    params(ListQuery),
    responses((status = 200, description = "The tokens", body = Vec<TokenForm>), Failures),
    security(("token" = []))
)]
pub(super) async fn list(
    State(api): State<Api>,
    bearer: Bearer,
    QueryParams(wanted): QueryParams<ListQuery>,
) -> Result<Response, Failure> {
    let revoked = match given(wanted.include_revoked.as_deref()) {
        None | Some("false") => RevokedInList::LeftOut,
        Some("true") => RevokedInList::Included,
        Some(_) => return Err(Failure::invalid("includeRevoked must be true or false")),
    };
    let first = api.run(move |engine| {
        let tokens = bearer.database_tokens(engine, Action::READ, None)?;
        let filter = AuthorizationFilter { revoked, ..AuthorizationFilter::default() };
        let list = Reading {
            list: tokens.authorizations().list(&filter, ListOptions::default()),
            written: vec![b'['],
            any: false,
            is_finished: false,
        };
        list.write_next_page(engine)
    });
    Ok(stream::json(api.clone(), first.await?))
}

/// A list that is being read and written.
struct Reading {
    list: List<Authorization>,
    written: Vec<u8>,
    any: bool,
    is_finished: bool,
}

impl PagedResponse for Reading {
    fn write_next_page(mut self, _: &Engine) -> Result<Self, Failure> {
        let page = self.list.next_page().map_err(refused)?;
        self.is_finished = page.is_none();
        for one in page.unwrap_or_default() {
            if std::mem::replace(&mut self.any, true) {
                self.written.push(b',');
            }
            // Writing to memory does not fail, and all keys are strings.
            let _ = serde_json::to_writer(&mut self.written, &TokenForm::from(one));
        }
        if self.is_finished {
            self.written.push(b']');
        }
        Ok(self)
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    fn is_finished(&self) -> bool {
        self.is_finished
    }
}
