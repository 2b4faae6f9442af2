//! Operations that work the same for users and organizations.

use symbolon::{
    Admin, AdminError, Field, Id, ListOptions, Organization, OrganizationEdit, Status, User,
    UserEdit,
};

use crate::error::Failure;

/// A kind of record that has an id and a unique name.
pub(crate) trait Resource: Sized {
    const FIELD: Field;
    type Edit;

    fn id(&self) -> Id;
    fn name(&self) -> &str;
    fn status(&self) -> Status;
    fn get(root: &Admin, id: Id) -> Result<Self, AdminError>;
    fn find(root: &Admin, name: &str) -> Result<Self, AdminError>;
    fn list(root: &Admin) -> Result<Vec<Self>, AdminError>;
    fn edit(root: &Admin, id: Id, edit: Self::Edit) -> Result<Self, AdminError>;
    fn new_name(edit: &Self::Edit) -> Option<&str>;
}

macro_rules! resource {
    ($record:ident, $records:ident, $edit:ident) => {
        impl Resource for $record {
            const FIELD: Field = Field::$record;
            type Edit = $edit;

            fn id(&self) -> Id {
                self.id
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn status(&self) -> Status {
                self.status
            }

            fn get(root: &Admin, id: Id) -> Result<Self, AdminError> {
                root.$records().get(id)
            }

            fn find(root: &Admin, name: &str) -> Result<Self, AdminError> {
                root.$records().find(name)
            }

            fn list(root: &Admin) -> Result<Vec<Self>, AdminError> {
                root.$records().list(ListOptions::default()).all()
            }

            fn edit(root: &Admin, id: Id, edit: $edit) -> Result<Self, AdminError> {
                root.$records().edit(id, edit)
            }

            fn new_name(edit: &$edit) -> Option<&str> {
                edit.name.as_deref()
            }
        }
    };
}

resource!(User, users, UserEdit);
resource!(Organization, organizations, OrganizationEdit);

/// Returns the record with this id or name, unless it is deleted. An id takes precedence.
pub(crate) fn find<R: Resource>(root: &Admin, text: &str) -> Result<R, Failure> {
    match text.parse().map(|id| R::get(root, id)) {
        Ok(Ok(found)) if found.status() != Status::Revoked => Ok(found),
        Ok(Ok(_) | Err(AdminError::NotFound(_))) | Err(_) => find_named(root, text),
        Ok(Err(error)) => Err(error.into()),
    }
}

/// Returns the record with this name, unless it is deleted.
pub(crate) fn find_named<R: Resource>(root: &Admin, name: &str) -> Result<R, Failure> {
    R::find(root, name).map_err(|error| unknown(error, R::FIELD, name))
}

/// Returns the record that a command line names by the option `--id`, or by an id or name.
pub(crate) fn find_selected<R: Resource>(
    root: &Admin,
    id: Option<Id>,
    text: Option<&str>,
) -> Result<R, Failure> {
    match (id, text) {
        (Some(id), _) => find(root, &id.to_string()),
        (None, Some(text)) => find(root, text),
        (None, None) => Err(Failure::Argument("id", "is missing".into())),
    }
}

/// Returns all records, or those with this id and name. Fails if no record has this id, or this
/// name if no id is given.
pub(crate) fn list<R: Resource>(
    root: &Admin,
    id: Option<Id>,
    name: Option<&str>,
) -> Result<Vec<R>, Failure> {
    let mut found = match (id, name) {
        (None, None) => R::list(root)?,
        (Some(id), _) => vec![find(root, &id.to_string())?],
        (None, Some(name)) => vec![find_named(root, name)?],
    };
    found.retain(|record| name.is_none_or(|name| record.name() == name));
    Ok(found)
}

/// Changes a record.
pub(crate) fn edit<R: Resource>(root: &Admin, record: &R, edit: R::Edit) -> Result<R, Failure> {
    let name = R::new_name(&edit).unwrap_or_default().to_owned();
    R::edit(root, record.id(), edit).map_err(|error| name_conflict(error, &name))
}

/// Converts an error, adding `name` if `field` is what was not found.
pub(crate) fn unknown(error: AdminError, field: Field, name: &str) -> Failure {
    let list = match (error, field) {
        (AdminError::NotFound(found), _) if found != field => {
            return AdminError::NotFound(found).into();
        }
        (AdminError::NotFound(_), Field::Authorization) => "auth",
        (AdminError::NotFound(_), Field::User) => "user",
        (AdminError::NotFound(_), Field::Organization) => "org",
        (error, _) => return error.into(),
    };
    Failure::NotListed { what: field, name: name.to_owned(), list }
}

/// Converts an error, adding `name` if that name is already in use.
pub(crate) fn name_conflict(error: AdminError, name: &str) -> Failure {
    let what = match error {
        AdminError::Exists(Field::UserName) => "user",
        AdminError::Exists(Field::OrganizationName) => "organization",
        error => return error.into(),
    };
    let name = name.to_owned();
    Failure::Taken { what, name }
}
