//! JSON form of a permission, the same as in the API of InfluxDB v2:
//! `{"action":"read","resource":{"type":"buckets","id":"…","orgID":"…"}}`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Action, Permission, Resource, ResourceType, Target};
use crate::id::Id;
use crate::json_object::object;

#[derive(Serialize, Deserialize)]
struct PermissionForm {
    action: Action,
    #[serde(deserialize_with = "object")]
    resource: ResourceForm,
}

/// Unknown keys are ignored, for example the display names that InfluxDB adds.
#[derive(Serialize, Deserialize)]
struct ResourceForm {
    #[serde(rename = "type")]
    kind: ResourceType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    /// Name of the resource, for types that are identified by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    named: Option<Box<str>>,
    /// A display name in InfluxDB, where it has no effect. For databases it is read as the name.
    #[serde(default, skip_serializing)]
    name: Option<Box<str>>,
    #[serde(rename = "orgID", default, skip_serializing_if = "Option::is_none")]
    organization: Option<Id>,
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (id, named) = match &self.resource.target {
            Target::Any => (None, None),
            Target::Id(id) => (Some(*id), None),
            Target::Name(name) => (None, Some(name.clone())),
        };
        let resource = ResourceForm {
            kind: self.resource.kind,
            id,
            named,
            name: None,
            organization: self.resource.organization,
        };
        let action = self.action;
        PermissionForm { action, resource }.serialize(serializer)
    }
}

/// Message for a resource with an id and a name.
pub(crate) const ID_AND_NAME: &str = "a resource has an `id` or is `named`, not both";

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PermissionForm { action, resource } = object(deserializer)?;
        let shown = resource.name;
        let shown = shown.filter(|_| resource.kind == ResourceType::DATABASES);
        let target = match (resource.id, resource.named.or(shown)) {
            (None, None) => Target::Any,
            (Some(id), None) => Target::Id(id),
            (None, Some(name)) => Target::named(&name),
            (Some(_), Some(_)) => {
                return Err(serde::de::Error::custom(ID_AND_NAME));
            }
        };
        let resource =
            Resource { kind: resource.kind, organization: resource.organization, target };
        Ok(Self { action, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_have_the_json_form_of_influxdb() {
        let json = concat!(
            r#"{"action":"read","resource":{"type":"buckets","id":"0000000000000002","#,
            r#""orgID":"0000000000000001","name":"b","org":"o"}}"#
        );
        let read: Permission = serde_json::from_str(json).unwrap();
        assert_eq!(read.to_string(), "read:orgs/0000000000000001/buckets/0000000000000002");
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Permission>(&written).unwrap(), read);
        assert_eq!(
            written,
            concat!(
                r#"{"action":"read","resource":{"type":"buckets","id":"0000000000000002","#,
                r#""orgID":"0000000000000001"}}"#
            )
        );
        for bad in [
            "{}",
            r#"{"action":"read","resource":{"type":""}}"#,
            r#"{"action":"read","resource":{"type":"buckets","id":"x"}}"#,
            concat!(
                r#"{"action":"read","resource":{"type":"buckets","#,
                r#""id":"0000000000000002","named":"a"}}"#
            ),
            r#"["read",{"type":"buckets"}]"#,
            r#"{"action":"read","resource":["buckets"]}"#,
            r#"{"action":"read","resource":["buckets",null,null,null,null]}"#,
        ] {
            assert!(serde_json::from_str::<Permission>(bad).is_err(), "{bad}");
        }
    }
}
