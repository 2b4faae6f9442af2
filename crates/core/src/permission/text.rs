//! Text form of a permission: `read:orgs/<org>/buckets/<id>`.

use std::fmt;
use std::str::FromStr;

use super::{Action, Permission, Resource, ResourceType, Target};
use crate::id::Id;

/// The error for a text that is not a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a permission is written as `read:buckets`, `read:buckets/ID`, `read:orgs/ORG/buckets` or \
     `read:orgs/ORG/buckets/ID`"
)]
pub struct InvalidPermission;

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Resource { kind, organization, target } = &self.resource;
        write!(f, "{}:", self.action)?;
        if let Some(organization) = organization {
            write!(f, "orgs/{organization}/")?;
        }
        match target {
            Target::Any => write!(f, "{kind}"),
            Target::Id(id) => write!(f, "{kind}/{id}"),
            Target::Name(name) => write!(f, "{kind}/{name}"),
        }
    }
}

impl FromStr for Permission {
    type Err = InvalidPermission;

    /// Parses the output of `Display` and that of the `influx` command, which writes a `/` before a
    /// type without organization. After `databases/` follows a name or `*` for any, after other
    /// types an id.
    fn from_str(text: &str) -> Result<Self, InvalidPermission> {
        let (action, rest) = text.split_once(':').ok_or(InvalidPermission)?;
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let (organization, rest) = match scope(rest) {
            Some((organization, rest)) => (Some(parse_id(organization)?), rest),
            None => (None, rest),
        };
        let (kind, target) = match rest.split_once('/') {
            Some((kind, target)) => (kind, Some(target)),
            None => (rest, None),
        };
        let kind: ResourceType = kind.parse().map_err(|_| InvalidPermission)?;
        let target = match target {
            None => Target::Any,
            Some(name) if kind == ResourceType::DATABASES && !name.is_empty() => {
                Target::named(name)
            }
            Some(id) => Target::Id(parse_id(id)?),
        };
        let action: Action = action.parse().map_err(|_| InvalidPermission)?;
        let resource = Resource { kind, organization, target };
        Ok(Self { action, resource })
    }
}

/// Splits `orgs/ORG/REST`. `orgs/ID` alone is a permission on an organization.
fn scope(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("orgs/")?.split_once('/')
}

fn parse_id(text: &str) -> Result<Id, InvalidPermission> {
    text.parse().map_err(|_| InvalidPermission)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<String, InvalidPermission> {
        text.parse::<Permission>().map(|read| read.to_string())
    }

    #[test]
    fn permissions_have_these_text_forms() {
        for text in [
            "read:buckets",
            "write:orgs/0000000000000001",
            "write:orgs/0000000000000001/orgs/0000000000000001",
            "read:orgs/0000000000000001/buckets/0000000000000002",
            "read:orgs/0000000000000001/databases/a/b c",
        ] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        assert_eq!(
            parse("read:/buckets/00000000000000AB").as_deref(),
            Ok("read:buckets/00000000000000ab")
        );
        assert_eq!(parse("read:databases/*").as_deref(), Ok("read:databases"));
        for bad in [
            "",
            "read",
            "read:",
            ":buckets",
            "read:buckets/",
            "read:buckets/x",
            "read:orgs/x/buckets",
            "read:buckets/0000000000000001/x",
            "re ad:buckets",
            "read:databases/",
        ] {
            assert_eq!(parse(bad), Err(InvalidPermission), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
