//! Operations that work the same for users, organizations and buckets.

use axum::Json;
use axum::http::StatusCode;
use symbolon::{Admin, AdminError, Bucket, Field, Id, Organization, User};

use super::links::OwnLink;
use crate::api::Api;
use crate::body::{given, id_if_given};
use crate::failure::{Code, Failure, absent_is_none};
use crate::principal::Principal;

/// A kind of record that has an id, a name and a path.
pub(super) trait Resource: Sized + Send + 'static {
    /// Path of the list.
    const PATH: &'static str;
    const FIELD: Field;

    fn id(&self) -> Id;
    fn name(&self) -> &str;
    fn get(admin: &Admin, id: Id) -> Result<Self, AdminError>;
    fn delete(admin: &Admin, id: Id) -> Result<Self, AdminError>;

    /// Returns the path of the record with this id.
    fn path(id: Id) -> String {
        format!("{}/{id}", Self::PATH)
    }
}

macro_rules! resource {
    ($record:ident, $records:ident, $path:literal) => {
        impl Resource for $record {
            const PATH: &'static str = $path;
            const FIELD: Field = Field::$record;

            fn id(&self) -> Id {
                self.id
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn get(admin: &Admin, id: Id) -> Result<Self, AdminError> {
                admin.$records().get(id)
            }

            fn delete(admin: &Admin, id: Id) -> Result<Self, AdminError> {
                admin.$records().delete(id)
            }
        }
    };
}

resource!(User, users, "/api/v2/users");
resource!(Organization, organizations, "/api/v2/orgs");
resource!(Bucket, buckets, "/api/v2/buckets");

/// Filters of a list by id and name.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) id: Option<Id>,
    pub(super) name: Option<String>,
}

impl Filter {
    /// Parses the parameters of a query. Empty ones do not filter.
    ///
    /// # Errors
    ///
    /// 400 for an invalid id.
    pub(super) fn parse(id: Option<&str>, name: Option<&str>) -> Result<Self, Failure> {
        Ok(Self { id: id_if_given(id)?, name: given(name).map(str::to_owned) })
    }

    pub(super) fn matches(&self, record: &impl Resource) -> bool {
        self.id.is_none_or(|id| record.id() == id)
            && self.name.as_ref().is_none_or(|name| record.name() == name)
    }

    /// Returns the list with the only record that can match, which was looked up by id or name.
    ///
    /// # Errors
    ///
    /// 404 if the record does not exist or does not match.
    pub(super) fn list_of_one<R: Resource>(
        &self,
        found: Result<R, AdminError>,
    ) -> Result<Vec<R>, Failure> {
        let found = absent_is_none(found)?.filter(|record| self.matches(record));
        self.not_empty(Vec::from_iter(found))
    }

    /// Returns the list of the matching records.
    ///
    /// # Errors
    ///
    /// 404 if it is empty.
    pub(super) fn not_empty<R: Resource>(&self, found: Vec<R>) -> Result<Vec<R>, Failure> {
        match (found.is_empty(), &self.name) {
            (false, _) => Ok(found),
            (true, Some(name)) => Err(unknown_name(R::FIELD, name)),
            (true, None) => Err(Failure::not_found(R::FIELD)),
        }
    }
}

/// Returns the path of the list, and the forms of the records that `read` returns.
pub(super) async fn list<R: Resource, F: From<R>>(
    api: &Api,
    principal: Principal,
    read: impl FnOnce(&Admin) -> Result<Vec<R>, Failure> + Send + 'static,
) -> Result<(OwnLink, Vec<F>), Failure> {
    let found = api.run(move |engine| read(&engine.admin(principal.caller)));
    Ok((OwnLink::to(R::PATH), found.await?.into_iter().map(F::from).collect()))
}

/// Returns the form of the record with this id.
pub(super) async fn get<R: Resource, F: From<R>>(
    api: &Api,
    principal: Principal,
    id: Id,
) -> Result<Json<F>, Failure> {
    let found = api.run(move |engine| R::get(&engine.admin(principal.caller), id));
    Ok(Json(found.await?.into()))
}

/// Creates or changes a record by calling `write` with its new name, which is empty if the name
/// does not change.
pub(super) async fn write<R: Resource, F: From<R>>(
    api: &Api,
    principal: Principal,
    name: Option<String>,
    write: impl FnOnce(&Admin, &str) -> Result<R, AdminError> + Send + 'static,
) -> Result<Json<F>, Failure> {
    let name = name.unwrap_or_default();
    let written = api.run(move |engine| {
        let written = write(&engine.admin(principal.caller), &name);
        written.map_err(|error| name_conflict(error, &name))
    });
    Ok(Json(written.await?.into()))
}

/// Deletes the record with this id.
pub(super) async fn delete<R: Resource>(
    api: &Api,
    principal: Principal,
    id: Id,
) -> Result<StatusCode, Failure> {
    let deleted = api.run(move |engine| R::delete(&engine.admin(principal.caller), id));
    deleted.await.map(|_| StatusCode::NO_CONTENT)
}

/// Converts an error, with InfluxDB's text for a name that already exists.
fn name_conflict(error: AdminError, name: &str) -> Failure {
    let kind = match error {
        AdminError::Exists(Field::UserName) => "user",
        AdminError::Exists(Field::OrganizationName) => "organization",
        AdminError::Exists(Field::BucketName) => "bucket",
        error => return error.into(),
    };
    Failure::new(Code::Conflict, format!("{kind} with name {name} already exists"))
}

/// Creates the failure with InfluxDB's text for an unknown name.
pub(super) fn unknown_name(field: Field, name: &str) -> Failure {
    let message = match field {
        Field::Organization => format!("organization name \"{name}\" not found"),
        Field::Bucket => format!("bucket \"{name}\" not found"),
        field => return Failure::not_found(field),
    };
    Failure::new(Code::NotFound, message)
}
