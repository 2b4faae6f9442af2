//! `GET /api/v2/authorizations`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon::{
    Admin, AdminError, Authorization, AuthorizationFilter, Caller, Engine, Id, List, ListOptions,
    Names, Origin,
};
use utoipa::{IntoParams, ToSchema};

use super::super::links::query_value;
use super::super::organizations::id_by_name;
use super::json::AuthorizationForm;
use crate::api::Api;
use crate::body::{QueryParams, given, id_if_given};
use crate::failure::{Failure, absent_is_none};
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::HexIdOrEmpty;
use crate::settings::Settings;
use crate::stream::{self, PagedResponse};
use crate::tags;

/// Filters of the list. Missing and empty parameters do not filter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Id of a single authorization; all other filters are then ignored.
    #[param(value_type = Option<HexIdOrEmpty>)]
    id: Option<String>,
    /// Id of the user.
    #[serde(rename = "userID")]
    #[param(value_type = Option<HexIdOrEmpty>)]
    user_id: Option<String>,
    /// Name of the user.
    user: Option<String>,
    /// Id of the organization.
    #[serde(rename = "orgID")]
    #[param(value_type = Option<HexIdOrEmpty>)]
    organization_id: Option<String>,
    /// Name of the organization.
    org: Option<String>,
    /// Token of the authorization.
    token: Option<String>,
    /// Maximum number of results; unlimited by default.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 4_294_967_295_u32)]
    limit: Option<u32>,
    /// Only results after this id, in the order of ids.
    #[param(value_type = Option<HexIdOrEmpty>)]
    after: Option<String>,
}

impl ListQuery {
    /// Returns the query of a page with the same users and organizations.
    fn page(&self, limit: u32) -> String {
        let filters = [
            ("userID", &self.user_id),
            ("user", &self.user),
            ("orgID", &self.organization_id),
            ("org", &self.org),
        ];
        let mut query = format!("limit={limit}");
        for (name, value) in filters {
            if let Some(value) = given(value.as_deref()) {
                query.push_str(&format!("&{name}={}", query_value(value)));
            }
        }
        query
    }
}

/// A list of authorizations in the order of their ids.
#[derive(Serialize, ToSchema)]
#[schema(as = Authorizations)]
pub(crate) struct ListForm {
    authorizations: Vec<AuthorizationForm>,
    links: ListLinks,
}

/// Paths of this list and of its next page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListLinks)]
struct ListLinks {
    #[serde(rename = "self")]
    own: String,
    /// Path of the next page, if a limit was given and reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List authorizations
///
/// The list contains only authorizations that the caller may read.
#[utoipa::path(
    get, path = "/api/v2/authorizations", operation_id = "GetAuthorizations",
    tag = tags::AUTHORIZATIONS,
    params(ListQuery),
    responses((status = 200, description = "The authorizations", body = ListForm), Failures),
    security(("token" = []), ("session" = []))
)]
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    QueryParams(wanted): QueryParams<ListQuery>,
) -> Result<Response, Failure> {
    if wanted.limit == Some(0) {
        return Err(Failure::invalid("limit must be at least 1"));
    }
    let settings = api.settings().clone();
    let first = api.run(move |engine| Reading::start(engine, principal.caller, &wanted, settings));
    Ok(stream::json(api.clone(), first.await?))
}

/// A list that is being read and written.
struct Reading {
    caller: Caller,
    filter: AuthorizationFilter,
    settings: Settings,
    /// Number of results that remain until the limit.
    left: usize,
    options: ListOptions,
    /// None for a single authorization.
    list: Option<List<Authorization>>,
    /// Query of the next page without `after`; none if there is only one page.
    next: Option<String>,
    last: Option<Id>,
    any: bool,
    /// Bytes that are sent next.
    written: Vec<u8>,
    is_finished: bool,
}

impl Reading {
    fn start(
        engine: &Engine,
        caller: Caller,
        wanted: &ListQuery,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let mut reading = Self {
            caller,
            filter: AuthorizationFilter {
                origin: Some(Origin::V2),
                ..AuthorizationFilter::default()
            },
            options: ListOptions {
                after: id_if_given(wanted.after.as_deref())?,
                limit: wanted.limit.map(|limit| limit as usize),
            },
            settings,
            list: None,
            left: wanted.limit.map_or(usize::MAX, |limit| limit as usize),
            next: wanted.limit.map(|limit| wanted.page(limit)),
            last: None,
            any: false,
            written: br#"{"authorizations":["#.to_vec(),
            is_finished: false,
        };
        let by_id = Ids::of(wanted)?;
        if let Some(id) = by_id.authorization {
            let one = engine.admin(caller).authorizations().of_origin(Origin::V2).get(id)?;
            reading.next = None;
            reading.write(engine, vec![one])?;
            reading.end();
            return Ok(reading);
        }
        // An id takes precedence over a name.
        let user = given(wanted.user.as_deref()).filter(|_| by_id.user.is_none());
        let org = given(wanted.org.as_deref()).filter(|_| by_id.organization.is_none());
        reading.filter.user = by_id.user;
        reading.filter.organization = by_id.organization;
        reading.filter.user_name = user.map(str::to_owned);
        reading.filter.organization_name = org.map(str::to_owned);
        match given(wanted.token.as_deref()) {
            Some(token) => reading.with_token(engine, token)?,
            None => {
                let list =
                    engine.admin(caller).authorizations().list(&reading.filter, reading.options);
                reading.list = Some(list);
                reading = reading.write_next_page(engine)?;
            }
        }
        if reading.is_finished && !reading.any {
            check_names(&engine.admin(caller), user, org)?;
        }
        Ok(reading)
    }

    fn with_token(&mut self, engine: &Engine, token: &str) -> Result<(), Failure> {
        let admin = engine.admin(self.caller);
        let authorizations = admin.authorizations().of_origin(Origin::V2);
        let found = absent_is_none(authorizations.find_by_token(token.as_bytes()))?;
        let mut names = admin.names();
        let found = match found {
            Some(one) if self.is_wanted(&one, &mut names)? => Some(one),
            _ => None,
        };
        self.next = None;
        self.write(engine, found.into_iter().collect())?;
        self.end();
        Ok(())
    }

    fn is_wanted(&self, one: &Authorization, names: &mut Names) -> Result<bool, AdminError> {
        let filter = &self.filter;
        if let Some(name) = &filter.user_name {
            let user = one.user.map(|user| names.user(user)).transpose()?.flatten();
            if user != Some(name) {
                return Ok(false);
            }
        }
        if let Some(name) = &filter.organization_name
            && names.organization(one.organization)? != Some(name)
        {
            return Ok(false);
        }
        Ok(filter.user.is_none_or(|user| one.user == Some(user))
            && filter.organization.is_none_or(|organization| one.organization == organization)
            && self.options.after.is_none_or(|after| one.id > after))
    }

    fn write(&mut self, engine: &Engine, page: Vec<Authorization>) -> Result<(), AdminError> {
        let mut names = engine.admin(self.caller).names();
        for one in page {
            let id = one.id;
            let form = AuthorizationForm::new(one, &mut names, &self.settings)?;
            if std::mem::replace(&mut self.any, true) {
                self.written.push(b',');
            }
            // Writing to memory does not fail, and all keys are strings.
            let _ = serde_json::to_writer(&mut self.written, &form);
            self.left = self.left.saturating_sub(1);
            self.last = Some(id);
        }
        Ok(())
    }

    fn end(&mut self) {
        let own = "/api/v2/authorizations".to_owned();
        let next = match (&self.next, self.last) {
            (Some(page), Some(last)) if self.left == 0 => {
                Some(format!("{own}?{page}&after={last}"))
            }
            _ => None,
        };
        let links = json!(ListLinks { own, next });
        self.written.extend_from_slice(format!(r#"],"links":{links}}}"#).as_bytes());
        self.is_finished = true;
    }
}

impl PagedResponse for Reading {
    fn write_next_page(mut self, engine: &Engine) -> Result<Self, Failure> {
        let page = self.list.as_mut().map(List::next_page).transpose()?.flatten();
        match page {
            Some(page) => self.write(engine, page)?,
            None => self.end(),
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

/// The ids in the filters. All of them are parsed before any lookup.
struct Ids {
    authorization: Option<Id>,
    user: Option<Id>,
    organization: Option<Id>,
}

impl Ids {
    fn of(wanted: &ListQuery) -> Result<Self, Failure> {
        Ok(Self {
            authorization: id_if_given(wanted.id.as_deref())?,
            user: id_if_given(wanted.user_id.as_deref())?,
            organization: id_if_given(wanted.organization_id.as_deref())?,
        })
    }
}

/// Fails if the list is empty because the caller may not know that a user or organization of this
/// name exists.
fn check_names(admin: &Admin, user: Option<&str>, org: Option<&str>) -> Result<(), Failure> {
    if let Some(name) = user {
        admin.users().find(name)?;
    }
    if let Some(name) = org {
        id_by_name(admin, name)?;
    }
    Ok(())
}
