//! Content and paging of lists.

use symbolon::{
    AdminError, Authorization, AuthorizationFilter, Caller, ForeignHash, Id, ImportItem,
    ListOptions, NewAuthorization, NewBucket, NewOrganization, NewUser, OrganizationEdit, Origin,
    RevokedInList, Status, Transition, UserEdit,
};

use crate::fixture::{World, permission};
use crate::imports::authorization;

const ROOT: Caller = Caller::Root;

/// Reads a list in pages of two, each starting after the last item of the page before.
fn in_parts<T>(read: impl Fn(ListOptions) -> Vec<T>, id: impl Fn(&T) -> Id) -> Vec<Id> {
    let mut all = Vec::new();
    let mut options = ListOptions { limit: Some(2), ..ListOptions::default() };
    loop {
        let part = read(options);
        assert!(part.len() <= 2);
        let Some(last) = part.last() else {
            return all;
        };
        options.after = Some(id(last));
        all.extend(part.iter().map(&id));
    }
}

#[test]
fn lists_are_paged() {
    let world = World::new();
    let root = world.root();
    let other = world.organization("other");
    for number in 0..5 {
        let name = format!("{number}");
        root.users().create(NewUser::named(&name)).unwrap();
        root.organizations().create(NewOrganization::named(&name)).unwrap();
        root.buckets()
            .create(NewBucket { organization: world.org.id, name: (&name).into() })
            .unwrap();
        root.buckets().create(NewBucket { organization: other, name: (&name).into() }).unwrap();
    }
    let whole = ListOptions::default();
    let users: Vec<_> = root.users().list(whole).all().unwrap();
    let users: Vec<_> = users.iter().map(|one| one.id).collect();
    assert_eq!(users.len(), 5);
    let read = |options: ListOptions| root.users().list(options).all().unwrap();
    assert_eq!(in_parts(read, |one| one.id), users);
    let read = |options: ListOptions| root.organizations().list(options).all().unwrap();
    assert_eq!(in_parts(read, |one| one.id).len(), 7);
    for (of, count) in [(None, 10), (Some(other), 5), (Some(world.org.id), 5)] {
        let whole = root.buckets().list(of, whole).all().unwrap();
        assert!(whole.iter().all(|one| of.is_none_or(|of| one.organization == of)));
        let read = |options: ListOptions| root.buckets().list(of, options).all().unwrap();
        let parts = in_parts(read, |one| one.id);
        assert_eq!(parts, whole.iter().map(|one| one.id).collect::<Vec<_>>());
        assert_eq!(parts.len(), count);
    }
}

#[test]
fn token_lookup_tries_every_hash_and_requires_read_access() {
    let world = World::new();
    let root = world.root();
    let engine = &world.engine;
    let (native, made) = world.create(&["read:buckets"]);
    let raw = "x".repeat(40);
    let token = symbolon::Token::parse(symbolon::Prefix::default(), &raw).unwrap();
    let hashed = ["y".repeat(40), "z".repeat(40)];
    let imported = [
        ImportItem::Authorization(authorization(&world, 1), token),
        ImportItem::Hashed(authorization(&world, 2), ForeignHash::sha256(hashed[0].as_bytes())),
        ImportItem::Hashed(authorization(&world, 3), ForeignHash::sha512(hashed[1].as_bytes())),
    ];
    engine.maintenance().import(&imported).unwrap();
    let numbered = |number| Id::new(number).unwrap();
    let find = |caller: &Caller, text: &str| {
        let found =
            engine.admin(*caller).with_tombstones().authorizations().find_by_token(text.as_bytes());
        found.map(|one| one.id)
    };
    let org = world.org.id;
    let reader = world.caller(&[&format!("read:orgs/{org}/authorizations")]);
    let blind = world.caller(&["read:buckets"]);
    let other = world.organization("other");
    let new = NewAuthorization::new(
        other,
        [permission("read:buckets"), permission("read:authorizations").organization(other)],
    );
    let foreign = world.bearer(&root.authorizations().create(new).unwrap().0);
    for (text, id) in [
        (native.reveal(), made.id),
        (&raw, numbered(1)),
        (&hashed[0], numbered(2)),
        (&hashed[1], numbered(3)),
    ] {
        assert_eq!(find(&ROOT, text).unwrap(), id);
        assert_eq!(find(&reader, text).unwrap(), id);
        for caller in [&blind, &foreign] {
            assert!(matches!(find(caller, text), Err(AdminError::NotFound(_))));
        }
        let mut longer = text.to_owned();
        longer.push('x');
        let shorter = text.get(1..).unwrap();
        for wrong in [&longer, shorter, "", "short"] {
            assert!(matches!(find(&ROOT, wrong), Err(AdminError::NotFound(_))));
        }
    }
    // An imported record gets a second hash when its token is used; lookups still find it.
    let verifier = world.engine.verifier();
    verifier.authenticate(&hashed[0]).unwrap();
    root.authorizations().revoke(made.id).unwrap();
    assert_eq!(find(&reader, native.reveal()).unwrap(), made.id);
    assert_eq!(find(&reader, &hashed[0]).unwrap(), numbered(2));
}

#[test]
fn records_of_deleted_owners_are_hidden_but_revoked_ones_are_not() {
    let world = World::new();
    let root = world.root();
    let user = world.user("user");
    let doomed = world.organization("doomed");
    let create = |organization: Id, user: Option<Id>| {
        let new = NewAuthorization {
            user,
            origin: Origin::V0,
            ..NewAuthorization::new(organization, [permission("read:databases")])
        };
        root.authorizations().create(new).unwrap()
    };
    let (token, of_user) = create(world.org.id, Some(user));
    let (_, of_doomed) = create(doomed, None);
    let (_, revoked) = create(world.org.id, None);
    let (_, kept) = create(world.org.id, None);
    root.authorizations().revoke(revoked.id).unwrap();
    let list = |status: Option<Status>| {
        let filter = AuthorizationFilter { status, ..AuthorizationFilter::default() };
        let found = root.authorizations().list(&filter, ListOptions::default()).all().unwrap();
        found.iter().map(|one: &Authorization| one.id).collect::<Vec<_>>()
    };
    let all = [of_user.id, of_doomed.id, kept.id];
    assert_eq!(list(None), all);
    let with_revoked =
        AuthorizationFilter { revoked: RevokedInList::Included, ..AuthorizationFilter::default() };
    let found = root.authorizations().list(&with_revoked, ListOptions::default()).all().unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(found[2].id, revoked.id);
    // Records of a deactivated owner are listed.
    let off = |transition| UserEdit { transition: Some(transition), ..UserEdit::default() };
    root.users().edit(user, off(Transition::Deactivate)).unwrap();
    assert_eq!(list(None), all);
    root.users().edit(user, off(Transition::Revoke)).unwrap();
    assert_eq!(list(None), [of_doomed.id, kept.id]);
    let ending =
        OrganizationEdit { transition: Some(Transition::Revoke), ..OrganizationEdit::default() };
    root.organizations().edit(doomed, ending).unwrap();
    for status in [None, Some(Status::Active)] {
        assert_eq!(list(status), [kept.id]);
    }
    assert_eq!(list(Some(Status::Revoked)), [revoked.id]);
    assert!(root.authorizations().get(revoked.id).is_ok());
    for gone in [of_user.id, of_doomed.id] {
        let found = root.authorizations().get(gone);
        assert!(matches!(found, Err(AdminError::NotFound(_))));
    }
    let found = root.authorizations().find_by_token(token.reveal().as_bytes());
    assert!(matches!(found, Err(AdminError::NotFound(_))));
}
