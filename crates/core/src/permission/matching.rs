//! Permission matching: coverage of a request, and granting of a permission.

use super::{Permission, Request, ResourceType, Target, mismatch};
use crate::id::Id;

/// Names of registered buckets. A permission on a bucket can be granted as one on the database of
/// that name.
pub trait BucketNames {
    /// Returns organization and name of the bucket with this id, if it is registered.
    fn bucket(&self, id: Id) -> Option<(Id, Box<str>)>;
}

/// A lookup without any registered bucket.
impl BucketNames for () {
    fn bucket(&self, _: Id) -> Option<(Id, Box<str>)> {
        None
    }
}

impl Permission {
    /// Returns `true` if this permission allows `request`.
    ///
    /// Action and type must be equal. A permission for one resource covers requests for that
    /// resource, within the same organization if both name one. A permission for a whole
    /// organization only covers requests that name this organization.
    pub fn covers(&self, request: &Request<'_>) -> bool {
        mismatch::covers(self, request)
    }

    /// Returns `true` if a holder of this permission may grant `wanted`. A missing organization or
    /// id in `wanted` means *any*, so the holder must also have it for any.
    ///
    /// A permission on `buckets` can also be granted as one on `databases`: without an id as any
    /// database of its organization, with the id of a registered bucket as the database of that
    /// name.
    pub fn includes(&self, wanted: &Self, buckets: &dyn BucketNames) -> bool {
        if self.action != wanted.action {
            return false;
        }
        let held = &self.resource;
        let scoped = |organization: Option<Id>| {
            held.organization.is_none() || held.organization == organization
        };
        let (organization, target) = (wanted.resource.organization, &wanted.resource.target);
        if held.kind == wanted.resource.kind {
            return scoped(organization) && (held.target == Target::Any || held.target == *target);
        }
        if (held.kind, wanted.resource.kind) != (ResourceType::BUCKETS, ResourceType::DATABASES) {
            return false;
        }
        match (&held.target, target) {
            (Target::Any, _) => scoped(organization),
            (Target::Id(id), Target::Name(name)) => {
                let named = buckets.bucket(*id);
                let same =
                    |(owner, known): (Id, Box<str>)| Some(owner) == organization && known == *name;
                scoped(organization) && named.is_some_and(same)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::{Action, Mismatch, PermissionSet, RequestTarget, Resource};
    use proptest::prelude::*;
    use symbolon_oracle as oracle;

    fn id(number: u64) -> Id {
        Id::new(number).unwrap()
    }

    /// The registered buckets.
    const BUCKETS: [oracle::Bucket<'_>; 2] = [
        oracle::Bucket { id: 1, organization: 1, name: "a" },
        oracle::Bucket { id: 2, organization: 2, name: "b" },
    ];

    struct Buckets;

    impl BucketNames for Buckets {
        fn bucket(&self, bucket: Id) -> Option<(Id, Box<str>)> {
            let found = BUCKETS.iter().find(|one| one.id == bucket.number())?;
            Some((id(found.organization), found.name.into()))
        }
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![Just(Action::READ), Just(Action::WRITE)]
    }

    fn kind() -> impl Strategy<Value = ResourceType> {
        prop_oneof![
            Just(ResourceType::BUCKETS),
            Just(ResourceType::USERS),
            Just(ResourceType::DATABASES)
        ]
    }

    fn some_id() -> impl Strategy<Value = Id> {
        (1..4_u64).prop_map(id)
    }

    fn name() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just("a"), Just("b")]
    }

    prop_compose! {
        fn permission()(
            action in action(),
            kind in kind(),
            organization in proptest::option::of(some_id()),
            target in prop_oneof![
                Just(Target::Any),
                some_id().prop_map(Target::Id),
                name().prop_map(|name| Target::Name(name.into())),
            ],
        ) -> Permission {
            Permission { action, resource: Resource { kind, organization, target } }
        }
    }

    prop_compose! {
        fn request()(
            action in action(),
            kind in kind(),
            organization in proptest::option::of(some_id()),
            wanted in prop_oneof![
                Just(RequestTarget::Any),
                some_id().prop_map(RequestTarget::Id),
                name().prop_map(RequestTarget::Name),
            ],
        ) -> Request<'static> {
            Request { action, kind, organization, wanted }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn covers_equals_the_oracle(granted in permission(), request in request()) {
            let expected = oracle::Permission::from(&granted).covers(&(&request).into());
            prop_assert_eq!(granted.covers(&request), expected);
        }

        #[test]
        fn includes_equals_the_oracle(held in permission(), wanted in permission()) {
            let expected = oracle::Permission::from(&held).includes(&(&wanted).into(), &BUCKETS);
            prop_assert_eq!(held.includes(&wanted, &Buckets), expected);
        }

        /// A covered request has no mismatches, every other request has at least one, and
        /// correcting a mismatch removes it.
        #[test]
        fn mismatches_exist_exactly_when_nothing_covers(
            granted in permission(), request in request()
        ) {
            prop_assert_eq!(granted.mismatches(&request).is_none(), granted.covers(&request));
            let Some(why) = granted.mismatches(&request) else { return Ok(()) };
            for reason in why.iter().copied() {
                let mended = mend(&granted, &request, reason);
                let left = granted.mismatches(&mended);
                let left = left.as_deref().unwrap_or_default();
                prop_assert!(!left.contains(&reason), "{} remains for {}", reason.as_str(), mended);
            }
        }

        #[test]
        fn the_nearest_permissions_have_the_fewest_mismatches(
            held in proptest::collection::vec(permission(), 0..5),
            request in request(),
        ) {
            let held = PermissionSet::from(held);
            let nearest = held.nearest(&request);
            if held.covering(&request).is_some() {
                prop_assert!(nearest.is_empty());
                return Ok(());
            }
            prop_assert_eq!(nearest.is_empty(), held.is_empty());
            let count = |one: &Permission| one.mismatches(&request).map_or(0, |why| why.len());
            for (one, why) in &nearest {
                let all = one.mismatches(&request);
                prop_assert_eq!(all.as_ref(), Some(why));
                let same_kind = one.resource.kind == request.kind;
                let nearer = held.iter().find(|other| {
                    let other_same = other.resource.kind == request.kind;
                    (other_same && !same_kind)
                        || (other_same == same_kind && count(other) < why.len())
                });
                prop_assert_eq!(nearer, None);
            }
        }

        /// A granted permission allows nothing that the granter could not do. A request by id
        /// without an organization is compared within the organization of the grant, because ids
        /// are unique across organizations.
        #[test]
        fn no_grant_exceeds_what_the_granter_holds(
            held in proptest::collection::vec(permission(), 0..4),
            wanted in permission(),
            request in request(),
        ) {
            let held = PermissionSet::from(held);
            if held.includes(&wanted, &Buckets) && wanted.covers(&request) {
                let mut request = request;
                request.organization = request.organization.or(wanted.resource.organization);
                let mut could = held.covering(&request).is_some();
                if request.kind == ResourceType::DATABASES {
                    could |= could_on_buckets(&held, &request);
                }
                prop_assert!(could, "{:?} granted {} and so {}", held, wanted, request);
            }
        }

        #[test]
        fn granting_is_reflexive_and_transitive(
            a in permission(), b in permission(), c in permission()
        ) {
            prop_assert!(a.includes(&a, &Buckets));
            if a.includes(&b, &Buckets) && b.includes(&c, &Buckets) {
                prop_assert!(a.includes(&c, &Buckets), "{} {} {}", a, b, c);
            }
        }
    }

    /// Returns the request with one mismatch corrected.
    fn mend<'a>(granted: &'a Permission, request: &Request<'a>, reason: Mismatch) -> Request<'a> {
        let mut mended = *request;
        match reason {
            Mismatch::Action => mended.action = granted.action,
            Mismatch::Type => mended.kind = granted.resource.kind,
            Mismatch::Organization | Mismatch::NoOrganization => {
                mended.organization = granted.resource.organization;
            }
            Mismatch::Resource | Mismatch::NoResource => {
                mended.wanted = match &granted.resource.target {
                    Target::Any => RequestTarget::Any,
                    Target::Id(id) => RequestTarget::Id(*id),
                    Target::Name(name) => RequestTarget::Name(name),
                };
            }
        }
        mended
    }

    /// Returns `true` if the request would be covered on the bucket that corresponds to the
    /// database.
    fn could_on_buckets(held: &PermissionSet, request: &Request<'_>) -> bool {
        let any = Request { kind: ResourceType::BUCKETS, wanted: RequestTarget::Any, ..*request };
        let one = match request.wanted {
            RequestTarget::Name("a") if request.organization == Some(id(1)) => any.id(id(1)),
            RequestTarget::Name("b") if request.organization == Some(id(2)) => any.id(id(2)),
            _ => any,
        };
        held.covering(&any).or(held.covering(&one)).is_some()
    }

    #[test]
    fn a_missing_organization_or_id_means_any_when_granting() {
        let held: Permission =
            "read:orgs/0000000000000001/buckets/0000000000000001".parse().unwrap();
        for more in
            ["read:buckets/0000000000000001", "read:orgs/0000000000000001/buckets", "read:buckets"]
        {
            assert!(!held.includes(&more.parse().unwrap(), &()), "{more}");
        }
    }
}
