//! Permissions, requests, and the two rules that match them: [`Permission::covers`] and
//! [`Permission::includes`].

use std::fmt;

/// The resources of a type that a permission is for, or that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target<'a> {
    /// All resources of the type in a permission; no particular one in a request.
    Any,
    /// The resource with this id.
    Id(u64),
    /// The resource with this name.
    Name(&'a str),
}

/// A permission of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission<'a> {
    /// `read`, `write`, or an action of the embedding program.
    pub action: &'a str,
    /// Type of the resources, such as `buckets`.
    pub kind: &'a str,
    /// Organization of the resources; `None` for all organizations.
    pub organization: Option<u64>,
    /// Resources within the type.
    pub target: Target<'a>,
}

/// A request of a bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request<'a> {
    /// Requested action.
    pub action: &'a str,
    /// Type of the requested resource.
    pub kind: &'a str,
    /// Organization that the request names.
    pub organization: Option<u64>,
    /// Resource that the request names.
    pub target: Target<'a>,
}

/// A registered bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket<'a> {
    /// Its id.
    pub id: u64,
    /// The organization that it belongs to.
    pub organization: u64,
    /// Its name.
    pub name: &'a str,
}

impl<'a> Permission<'a> {
    /// Creates a permission for every resource of a type in all organizations.
    pub const fn new(action: &'a str, kind: &'a str) -> Self {
        Self { action, kind, organization: None, target: Target::Any }
    }

    /// Restricts the permission to one organization.
    #[must_use]
    pub const fn organization(self, organization: u64) -> Self {
        Self { organization: Some(organization), ..self }
    }

    /// Restricts the permission to the resource with this id.
    #[must_use]
    pub const fn id(self, id: u64) -> Self {
        Self { target: Target::Id(id), ..self }
    }

    /// Restricts the permission to the resource with this name.
    #[must_use]
    pub const fn name(self, name: &'a str) -> Self {
        Self { target: Target::Name(name), ..self }
    }

    /// Returns `true` if the permission allows `request` (R19 and R20 in `docs/influxdb.md`).
    pub fn covers(&self, request: &Request<'_>) -> bool {
        let organization = match (self.organization, request.organization) {
            (None, _) => true,
            (Some(own), Some(asked)) => own == asked,
            // An id is unique in all organizations. A name is not.
            (Some(_), None) => matches!(self.target, Target::Id(_)),
        };
        self.action == request.action
            && self.kind == request.kind
            && organization
            && (self.target == Target::Any || self.target == request.target)
    }

    /// Returns `true` if the permission allows `request` on a record of the store itself.
    ///
    /// As [`Permission::covers`], but users belong to no organization, so a permission on `users`
    /// that names one allows nothing (R24).
    pub fn covers_record(&self, request: &Request<'_>) -> bool {
        self.covers(request) && (self.kind != "users" || self.organization.is_none())
    }

    /// Returns `true` if a holder of the permission may grant `wanted` (R23 and R25).
    ///
    /// A missing organization or resource in `wanted` means *any*. A permission on `buckets` can
    /// be granted as one on `databases`: all buckets as any database, and one of `buckets` as the
    /// database of its name.
    pub fn includes(&self, wanted: &Permission<'_>, buckets: &[Bucket<'_>]) -> bool {
        let target = if self.kind == wanted.kind {
            self.target == Target::Any || self.target == wanted.target
        } else if self.kind == "buckets" && wanted.kind == "databases" {
            let database = |bucket: &Bucket<'_>| {
                self.target == Target::Id(bucket.id)
                    && wanted.target == Target::Name(bucket.name)
                    && wanted.organization == Some(bucket.organization)
            };
            self.target == Target::Any || buckets.iter().any(database)
        } else {
            false
        };
        let organization = self.organization.is_none() || self.organization == wanted.organization;
        self.action == wanted.action && organization && target
    }
}

impl fmt::Display for Permission<'_> {
    /// Writes the text form, as in `read:orgs/<org>/buckets/<id>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.action)?;
        if let Some(organization) = self.organization {
            write!(f, "orgs/{organization:016x}/")?;
        }
        match self.target {
            Target::Any => write!(f, "{}", self.kind),
            Target::Id(id) => write!(f, "{}/{id:016x}", self.kind),
            Target::Name(name) => write!(f, "{}/{name}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Permission<'_> = Permission::new("read", "buckets");

    fn asks(action: &'static str, kind: &'static str) -> [Request<'static>; 6] {
        let (one, two) = (Some(1), Some(2));
        let forms = [(None, None), (one, None), (None, two), (one, two), (two, two), (one, one)];
        forms.map(|(organization, id)| Request {
            action,
            kind,
            organization,
            target: id.map_or(Target::Any, Target::Id),
        })
    }

    #[test]
    fn a_permission_covers_requests_by_action_type_organization_and_id() {
        for (granted, covered) in [
            (READ, [true, true, true, true, true, true]),
            (READ.organization(1), [false, true, false, true, false, true]),
            (READ.id(2), [false, false, true, true, true, false]),
            (READ.organization(1).id(2), [false, false, true, true, false, false]),
        ] {
            let covers = |asked: [Request<'_>; 6]| asked.map(|asked| granted.covers(&asked));
            assert_eq!(covers(asks("read", "buckets")), covered, "{granted}");
            assert_eq!(covers(asks("write", "buckets")), [false; 6]);
            assert_eq!(covers(asks("read", "orgs")), [false; 6]);
        }
    }

    #[test]
    fn a_name_is_covered_only_in_its_organization() {
        let granted = Permission::new("read", "databases").organization(1).name("a");
        for (organization, target, covered) in [
            (Some(1), Target::Name("a"), true),
            (Some(2), Target::Name("a"), false),
            (None, Target::Name("a"), false),
            (Some(1), Target::Name("b"), false),
            (Some(1), Target::Any, false),
        ] {
            let (action, kind) = ("read", "databases");
            let request = Request { action, kind, organization, target };
            assert_eq!(granted.covers(&request), covered, "{request:?}");
        }
    }

    #[test]
    fn a_permission_on_users_of_an_organization_applies_to_no_user() {
        let read = Permission::new("read", "users");
        let [_, _, by_id, in_organization, ..] = asks("read", "users");
        for (granted, covered) in [
            (read, true),
            (read.id(2), true),
            (read.organization(1), false),
            (read.organization(1).id(2), false),
        ] {
            for request in [by_id, in_organization] {
                assert_eq!(granted.covers_record(&request), covered, "{granted}");
            }
        }
        assert!(READ.organization(1).covers_record(&asks("read", "buckets")[1]));
    }

    #[test]
    fn only_held_permissions_are_granted() {
        let forms = [READ, READ.organization(1), READ.id(2), READ.organization(1).id(2)];
        for (held, granted) in [
            (READ, [true, true, true, true]),
            (READ.organization(1), [false, true, false, true]),
            (READ.id(2), [false, false, true, true]),
            (READ.organization(1).id(2), [false, false, false, true]),
            (READ.organization(3), [false, false, false, false]),
            (READ.id(3), [false, false, false, false]),
            (Permission::new("write", "buckets"), [false; 4]),
            (Permission::new("read", "orgs"), [false; 4]),
        ] {
            assert_eq!(forms.map(|wanted| held.includes(&wanted, &[])), granted, "{held}");
        }
    }

    #[test]
    fn a_bucket_is_granted_as_the_database_of_its_name() {
        let buckets = [
            Bucket { id: 5, organization: 1, name: "a" },
            Bucket { id: 6, organization: 2, name: "a" },
        ];
        let read = Permission::new("read", "databases");
        let own = read.organization(1);
        let forms = [own.name("a"), own.name("b"), own, read, read.organization(2).name("a")];
        for (held, granted) in [
            (READ, [true, true, true, true, true]),
            (READ.organization(1), [true, true, true, false, false]),
            (READ.id(5), [true, false, false, false, false]),
            (READ.organization(1).id(5), [true, false, false, false, false]),
            (READ.organization(1).id(6), [false, false, false, false, false]),
            (READ.id(7), [false, false, false, false, false]),
            (Permission::new("write", "buckets"), [false; 5]),
        ] {
            assert_eq!(forms.map(|wanted| held.includes(&wanted, &buckets)), granted, "{held}");
        }
        assert!(!own.includes(&READ.organization(1), &buckets));
    }

    #[test]
    fn the_text_form_names_organization_and_resource() {
        for (permission, text) in [
            (READ, "read:buckets"),
            (READ.organization(1), "read:orgs/0000000000000001/buckets"),
            (READ.id(0xab), "read:buckets/00000000000000ab"),
            (READ.organization(1).name("a b"), "read:orgs/0000000000000001/buckets/a b"),
        ] {
            assert_eq!(permission.to_string(), text);
        }
    }
}
