//! `/api/v2/buckets`: the registered names of the database's buckets.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon::{Admin, Bucket, Id, NewBucket, Organization, Timestamp};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::links::OwnLink;
use super::organizations::id_by_name;
use super::resource::{self, Filter, Resource};
use crate::api::{Api, Operations};
use crate::body::{Body, PathId, QueryParams, given, id_if_given};
use crate::failure::Failure;
use crate::paging::{Paging, PagingForm};
use crate::principal::Principal;
use crate::responses::Failures;
use crate::schemas::{HexId, HexIdOrEmpty, Label, Time};
use crate::tags;

pub(super) fn routes() -> Vec<Operations> {
    vec![routes!(list, create), routes!(one, delete)]
}

/// The registered name of a bucket. The database has all other properties of buckets in InfluxDB.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bucket)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BucketForm {
    #[schema(value_type = HexId)]
    id: Id,
    #[serde(rename = "orgID")]
    #[schema(value_type = HexId)]
    organization: Id,
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    /// Always empty: the database has the rules.
    #[schema(value_type = Vec<Object>)]
    retention_rules: [(); 0],
    links: Links,
    #[schema(value_type = Time)]
    created_at: Timestamp,
    #[schema(value_type = Time)]
    updated_at: Timestamp,
}

/// Paths of the bucket and its organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BucketLinks)]
struct Links {
    #[serde(rename = "self")]
    own: String,
    org: String,
}

impl From<Bucket> for BucketForm {
    fn from(one: Bucket) -> Self {
        Self {
            id: one.id,
            organization: one.organization,
            kind: "user",
            name: one.name,
            retention_rules: [],
            links: Links { own: Bucket::path(one.id), org: Organization::path(one.organization) },
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Id of the bucket.
    #[param(value_type = Option<HexIdOrEmpty>)]
    id: Option<String>,
    /// Name of the bucket.
    name: Option<String>,
    /// Name of the organization.
    org: Option<String>,
    /// Id of the organization.
    #[serde(rename = "orgID")]
    #[param(value_type = Option<HexIdOrEmpty>)]
    organization: Option<String>,
}

/// A list of buckets in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buckets)]
pub(crate) struct ListForm {
    links: OwnLink,
    buckets: Vec<BucketForm>,
}

/// List buckets
///
/// The list contains only buckets that the caller may read.
#[utoipa::path(
    get, path = "/api/v2/buckets", operation_id = "GetBuckets", tag = tags::BUCKETS,
    params(ListQuery, PagingForm),
    responses((status = 200, description = "The buckets", body = ListForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn list(
    State(api): State<Api>,
    principal: Principal,
    QueryParams(wanted): QueryParams<ListQuery>,
    paging: Paging,
) -> Result<Json<ListForm>, Failure> {
    let filter = Filter::parse(wanted.id.as_deref(), wanted.name.as_deref())?;
    let organization = id_if_given(wanted.organization.as_deref())?;
    let read = move |admin: &Admin| {
        let organization = match (organization, given(wanted.org.as_deref())) {
            (Some(id), _) => Some(id),
            (None, Some(name)) => Some(id_by_name(admin, name)?),
            (None, None) => None,
        };
        let list = |options| admin.buckets().list(organization, options);
        if filter.id.is_none() && filter.name.is_none() {
            return Ok(paging.of(list, Bucket::id)?);
        }
        filter.not_empty(paging.of_wanted(list, |one| filter.matches(one), Bucket::id)?)
    };
    let (links, buckets) = resource::list(&api, principal, read).await?;
    Ok(Json(ListForm { links, buckets }))
}

/// The name of a bucket of the database. Unknown keys, such as retention rules, are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewBucket)]
struct NewForm {
    #[serde(rename = "orgID")]
    #[schema(value_type = HexId)]
    organization: Id,
    #[schema(value_type = Label)]
    name: String,
}

/// Register the name of a bucket
#[utoipa::path(
    post, path = "/api/v2/buckets", operation_id = "PostBuckets", tag = tags::BUCKETS,
    request_body = NewForm,
    responses((status = 201, description = "Registered", body = BucketForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn create(
    State(api): State<Api>,
    principal: Principal,
    Body(form): Body<NewForm>,
) -> Result<(StatusCode, Json<BucketForm>), Failure> {
    let organization = form.organization;
    let create = move |admin: &Admin, name: &str| {
        admin.buckets().create(NewBucket { organization, name: name.into() })
    };
    let created = resource::write(&api, principal, Some(form.name), create).await?;
    Ok((StatusCode::CREATED, created))
}

/// Retrieve a bucket
#[utoipa::path(
    get, path = "/api/v2/buckets/{bucketID}", operation_id = "GetBucketsID", tag = tags::BUCKETS,
    params(("bucketID" = HexId, Path, description = "Id of the bucket")),
    responses((status = 200, description = "The bucket", body = BucketForm), Failures),
    security(("token" = []), ("session" = []))
)]
async fn one(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<Json<BucketForm>, Failure> {
    resource::get::<Bucket, _>(&api, principal, id).await
}

/// Unregister the name of a bucket
#[utoipa::path(
    delete, path = "/api/v2/buckets/{bucketID}", operation_id = "DeleteBucketsID",
    tag = tags::BUCKETS,
    params(("bucketID" = HexId, Path, description = "Id of the bucket")),
    responses((status = 204, description = "Unregistered"), Failures),
    security(("token" = []), ("session" = []))
)]
async fn delete(
    State(api): State<Api>,
    principal: Principal,
    PathId(id): PathId,
) -> Result<StatusCode, Failure> {
    resource::delete::<Bucket>(&api, principal, id).await
}
