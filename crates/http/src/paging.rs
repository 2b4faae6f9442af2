//! The parameters `limit`, `offset`, `after` and `descending` of InfluxDB's lists.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;
use symbolon::{AdminError, Id, List, ListOptions};
use utoipa::IntoParams;

use crate::body::{QueryParams, given, id_if_given};
use crate::failure::Failure;
use crate::schemas::{FlagOrEmpty, HexIdOrEmpty, LimitOrEmpty, OffsetOrEmpty};

/// Parameters that select a part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PagingForm {
    /// Maximum number of results, 20 by default.
    #[param(value_type = Option<LimitOrEmpty>)]
    limit: Option<String>,
    /// Number of results to skip.
    #[param(value_type = Option<OffsetOrEmpty>)]
    offset: Option<String>,
    /// Only results after this id.
    #[param(value_type = Option<HexIdOrEmpty>)]
    after: Option<String>,
    /// Newest results first.
    #[param(value_type = Option<FlagOrEmpty>)]
    descending: Option<String>,
}

/// A part of a list, as requested.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    limit: usize,
    offset: usize,
    after: Option<Id>,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    OldestFirst,
    NewestFirst,
}

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let QueryParams(form) = QueryParams::<PagingForm>::from_request_parts(parts, state).await?;
        let limit = number("limit", form.limit.as_deref())?.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Failure::invalid("limit must be between 1 and 100"));
        }
        let order = match given(form.descending.as_deref()) {
            None | Some("false") => Order::OldestFirst,
            Some("true") => Order::NewestFirst,
            Some(_) => return Err(Failure::invalid("descending must be true or false")),
        };
        Ok(Self {
            limit,
            offset: number("offset", form.offset.as_deref())?.unwrap_or(0),
            after: id_if_given(form.after.as_deref())?,
            order,
        })
    }
}

fn number(name: &str, text: Option<&str>) -> Result<Option<usize>, Failure> {
    let read = given(text).map(|text| text.parse::<u32>().map(|number| number as usize));
    let wrong = |_| Failure::invalid(format!("{name} must be a non-negative number"));
    read.transpose().map_err(wrong)
}

impl Paging {
    /// Returns this part of the results of `list` that are `wanted`. Limit and offset count only
    /// these.
    pub(crate) fn of_wanted<T>(
        self,
        list: impl Fn(ListOptions) -> List<T>,
        wanted: impl Fn(&T) -> bool,
        id: impl Fn(&T) -> Id,
    ) -> Result<Vec<T>, AdminError> {
        let read = |options: ListOptions| {
            let mut all = list(ListOptions { limit: None, ..options }).all()?;
            all.retain(&wanted);
            Ok(all)
        };
        self.part(read, id)
    }

    /// Returns this part of the results of `list`, which returns them in ascending order of their
    /// ids.
    pub(crate) fn of<T>(
        self,
        list: impl Fn(ListOptions) -> List<T>,
        id: impl Fn(&T) -> Id,
    ) -> Result<Vec<T>, AdminError> {
        self.part(|options| list(options).all(), id)
    }

    fn part<T>(
        self,
        read: impl Fn(ListOptions) -> Result<Vec<T>, AdminError>,
        id: impl Fn(&T) -> Id,
    ) -> Result<Vec<T>, AdminError> {
        let all = match self.order {
            Order::OldestFirst => {
                let wanted = self.offset.saturating_add(self.limit);
                let limit = Some(wanted);
                read(ListOptions { after: self.after, limit })?
            }
            Order::NewestFirst => {
                let mut all = read(ListOptions::default())?;
                all.retain(|one| self.after.is_none_or(|after| id(one) < after));
                all.reverse();
                all
            }
        };
        Ok(all.into_iter().skip(self.offset).take(self.limit).collect())
    }
}
