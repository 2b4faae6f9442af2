//! Permissions: JSON, text form, and the two matching rules.

use symbolon::{BucketNames, Id, Permission, PermissionSet, Request, ResourceType, Target};

/// Maximum number of permissions compared in pairs, each on every request.
const COMPARED: usize = 6;

/// Permissions are parsed again to the same value after writing, and no grant exceeds the held
/// permissions.
pub fn permission_json(data: &[u8]) -> bool {
    let mut permissions = Vec::new();
    if let Ok(read) = serde_json::from_slice::<Vec<Permission>>(data) {
        permissions = read;
    } else if let Ok(text) = std::str::from_utf8(data) {
        permissions.extend(text.lines().filter_map(|line| line.parse().ok()));
        permissions.extend(text.lines().filter_map(|line| serde_json::from_str(line).ok()));
    }
    permissions.iter().for_each(written);
    permissions.truncate(COMPARED);
    matching(&permissions);
    !permissions.is_empty()
}

fn written(permission: &Permission) {
    let json = serde_json::to_string(permission).unwrap();
    assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), *permission, "{json}");
    let text = permission.to_string();
    let is_text = match &permission.resource.target {
        Target::Any | Target::Id(_) => true,
        // Types other than databases have names only in a custom schema, which the text form does
        // not support.
        Target::Name(name) => {
            permission.resource.kind == ResourceType::DATABASES && !name.is_empty()
        }
    };
    if is_text {
        assert_eq!(text.parse::<Permission>().unwrap(), *permission, "{text}");
    }
}

fn matching(permissions: &[Permission]) {
    let requests: Vec<_> = permissions.iter().flat_map(requests).collect();
    for held in permissions {
        assert!(held.includes(held, &()), "{held}");
        for request in &requests {
            assert_eq!(
                held.covers(request),
                PermissionSet::from(vec![held.clone()]).covering(request).is_some()
            );
        }
        assert!(held.covers(&exact(held)), "{held}");
        for wanted in permissions {
            let buckets = Buckets(wanted);
            for request in requests.iter().filter(|request| wanted.covers(request)) {
                if held.includes(wanted, &()) {
                    assert!(
                        could(held, wanted, request),
                        "{held} grants {wanted} and so {request}"
                    );
                }
                if held.includes(wanted, &buckets) && !held.includes(wanted, &()) {
                    // Only for the database that belongs to a bucket.
                    assert_eq!(held.resource.kind, ResourceType::BUCKETS);
                    assert_eq!(wanted.resource.kind, ResourceType::DATABASES);
                    assert!(matches!(
                        held.resource.target,
                        Target::Id(id) if buckets.bucket(id).is_some()
                    ));
                }
            }
        }
    }
}

/// Returns `true` if the holder is allowed the request too. A request by id without an organization
/// counts for the granted one, since ids are unique across organizations. A database counts as the
/// bucket of its name.
fn could(held: &Permission, wanted: &Permission, request: &Request<'_>) -> bool {
    let organization = wanted.resource.organization;
    let named = organization.map_or(*request, |id| request.organization(id));
    let is_database = wanted.resource.kind == ResourceType::DATABASES
        && held.resource.kind == ResourceType::BUCKETS;
    if is_database {
        let buckets = Request::new(held.action, ResourceType::BUCKETS);
        return held.covers(&organization.map_or(buckets, |id| buckets.organization(id)));
    }
    held.covers(request) || held.covers(&named)
}

/// Returns the most specific request that the permission covers, and less specific ones.
fn requests(permission: &Permission) -> [Request<'_>; 4] {
    let bare = Request::new(permission.action, permission.resource.kind);
    let Some(organization) = permission.resource.organization else {
        let elsewhere = exact(permission).organization(Id::MIN);
        return [bare, exact(permission), elsewhere, bare.organization(Id::MAX)];
    };
    let nowhere = target(bare, &permission.resource.target);
    [bare, nowhere, exact(permission), bare.organization(organization)]
}

fn exact(permission: &Permission) -> Request<'_> {
    let bare = Request::new(permission.action, permission.resource.kind);
    let request = target(bare, &permission.resource.target);
    permission.resource.organization.map_or(request, |id| request.organization(id))
}

fn target<'a>(request: Request<'a>, target: &'a Target) -> Request<'a> {
    match target {
        Target::Any => request,
        Target::Id(id) => request.id(*id),
        Target::Name(name) => request.name(name),
    }
}

/// Maps every even id to a bucket with the name of the wanted database.
struct Buckets<'p>(&'p Permission);

impl BucketNames for Buckets<'_> {
    fn bucket(&self, id: Id) -> Option<(Id, Box<str>)> {
        let resource = &self.0.resource;
        match &resource.target {
            Target::Name(name) if id.number().is_multiple_of(2) => {
                Some((resource.organization?, name.clone()))
            }
            _ => None,
        }
    }
}
