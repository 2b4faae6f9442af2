//! `GET /api/v0/tokens`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use symbolon::{Action, Caller, Engine, Face, Filter, Revoked};
use utoipa::IntoParams;

use super::answer::{Failures, refused};
use super::bearer::Bearer;
use super::forms::TokenForm;
use crate::api::Api;
use crate::body::{Ask, given};
use crate::failure::Failure;
use crate::schemas::FlagOrEmpty;
use crate::stream::{self, PAGE, Pages};

/// Which tokens are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Those too that were revoked.
    #[serde(rename = "includeRevoked")]
    #[param(value_type = Option<FlagOrEmpty>)]
    include_revoked: Option<String>,
}

/// List database tokens
///
/// Those of the caller's organization, in the order of their making.
#[utoipa::path(
    get, path = "/api/v0/tokens", operation_id = "GetDatabaseTokens", tag = super::TAG,
    params(Wanted),
    responses((status = 200, description = "The tokens", body = Vec<TokenForm>), Failures),
    security(("token" = []))
)]
pub(super) async fn list(
    State(api): State<Api>,
    bearer: Bearer,
    Ask(wanted): Ask<Wanted>,
) -> Result<Response, Failure> {
    let revoked = match given(wanted.include_revoked.as_deref()) {
        None | Some("false") => Revoked::LeftOut,
        Some("true") => Revoked::Included,
        Some(_) => return Err(Failure::invalid("includeRevoked must be true or false")),
    };
    let first = api.run(move |engine| {
        let keeper = bearer.keeper(engine, Action::READ, None)?;
        let list = List {
            caller: keeper.caller,
            filter: Filter {
                face: Some(Face::V0),
                organization: Some(keeper.organization),
                limit: Some(PAGE),
                revoked,
                ..Filter::default()
            },
            written: vec![b'['],
            any: false,
            is_over: false,
        };
        list.go_on(engine)
    });
    Ok(stream::json(api.clone(), first.await?))
}

struct List {
    caller: Caller,
    filter: Filter,
    written: Vec<u8>,
    any: bool,
    is_over: bool,
}

impl Pages for List {
    fn go_on(mut self, engine: &Engine) -> Result<Self, Failure> {
        let page = engine.issuer().authorizations(&self.caller, &self.filter);
        let page = page.map_err(refused)?;
        self.is_over = page.len() < PAGE;
        for one in page {
            self.filter.after = Some(one.id);
            if std::mem::replace(&mut self.any, true) {
                self.written.push(b',');
            }
            // Writing to memory does not fail, and the form has no map with keys that are no text.
            let _ = serde_json::to_writer(&mut self.written, &TokenForm::from(one));
        }
        if self.is_over {
            self.written.push(b']');
        }
        Ok(self)
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}
