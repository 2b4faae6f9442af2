//! Every way to check a token decides as the oracle does, in a generated world.

use std::collections::BTreeSet;

use symbolon::{
    Allowed, Authorization, Denied, Id, ImportItem, Organization, Prefix, Request, Status,
    Timestamp, Token, User,
};
use symbolon_oracle as oracle;
use symbolon_oracle::Presented;
use symbolon_oracle::random::{Rng, percent, pick};
use symbolon_oracle::world::{NOW, unknown_id};

use crate::fixture::World;

const AUTHORIZATIONS: u32 = 2_000;
const REQUESTS: usize = 20_000;

fn id(number: u64) -> Id {
    Id::new(number).unwrap()
}

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(u64::try_from(seconds).unwrap() * 1_000_000_000).unwrap()
}

fn status_of(owner: oracle::Owner) -> Status {
    match owner.state {
        oracle::OwnerState::Active => Status::Active,
        _ => Status::Inactive,
    }
}

fn request_of(request: &oracle::Request<'static>) -> Request<'static> {
    let action = request.action.parse().unwrap();
    let mut made = Request::new(action, request.kind.parse().unwrap());
    if let Some(organization) = request.organization {
        made = made.organization(id(organization));
    }
    match request.target {
        oracle::Target::Any => made,
        oracle::Target::Id(one) => made.id(id(one)),
        oracle::Target::Name(name) => made.name(name),
    }
}

/// Returns the token of an authorization: of the store's own form, or of another one.
fn token_of(one: &oracle::Authorization<'_>, is_native: bool) -> Token {
    match is_native {
        true => Token::generate(Prefix::SYMBOLON, id(one.id)).unwrap(),
        false => {
            Token::parse(Prefix::SYMBOLON, &format!("a-token-of-another-{:020}", one.id)).unwrap()
        }
    }
}

fn authorization(one: &oracle::Authorization<'_>, template: &Authorization) -> Authorization {
    let is_revoked = one.status == oracle::Status::Revoked;
    let permissions = one.permissions.iter().map(|one| one.to_string().parse().unwrap());
    Authorization {
        id: id(one.id),
        organization: id(one.organization.id),
        user: one.user.map(|user| id(user.id)),
        permissions: permissions.collect(),
        status: match one.status {
            oracle::Status::Active => Status::Active,
            oracle::Status::Inactive => Status::Inactive,
            oracle::Status::Revoked => Status::Revoked,
        },
        expires_at: one.expires.map(time),
        revoked_at: is_revoked.then_some(template.created_at),
        ..template.clone()
    }
}

/// Imports the generated world, and returns the tokens of its authorizations.
fn import(world: &World, rng: &mut Rng, generated: &oracle::World) -> Vec<String> {
    let at = world.org.created_at;
    let (_, template) = world.create(&["read:buckets"]);
    let organizations = generated.organizations.iter().map(|one| {
        ImportItem::Organization(Organization {
            id: id(one.owner.id),
            name: one.name.clone(),
            status: status_of(one.owner),
            ..world.org.clone()
        })
    });
    let users = generated.users.iter().map(|one| {
        ImportItem::User(User {
            id: id(one.owner.id),
            name: one.name.clone(),
            status: status_of(one.owner),
            operator: false,
            memberships: Vec::new(),
            password_hash: None,
            created_at: at,
            updated_at: at,
        })
    });
    let mut items: Vec<_> = organizations.chain(users).collect();
    let mut texts = Vec::new();
    for one in &generated.authorizations {
        let token = token_of(one, percent(rng, 50));
        texts.push(token.reveal().to_owned());
        items.push(ImportItem::Authorization(authorization(one, &template), token));
    }
    assert_eq!(world.engine.maintenance().import(&items).unwrap().new, items.len());
    texts
}

/// Draws the text that a bearer presents; most are tokens of the authorization.
fn presented<'o>(
    rng: &mut Rng,
    one: &'o oracle::Authorization<'static>,
    text: &str,
) -> (String, Presented<'o, 'static>) {
    match rng.u8(..10) {
        0 => ("no token".to_owned(), Presented::Malformed),
        1 => {
            let unknown = Token::generate(Prefix::SYMBOLON, id(unknown_id(rng))).unwrap();
            (unknown.reveal().to_owned(), Presented::Unknown)
        }
        _ => (text.to_owned(), Presented::TokenOf(one)),
    }
}

/// Returns the refusal of an authorization for this reason.
fn refusal(denied: oracle::Denied, one: Id) -> Denied {
    match denied {
        oracle::Denied::Malformed => Denied::Malformed,
        oracle::Denied::Unknown => Denied::Unknown,
        oracle::Denied::Revoked => Denied::Revoked(one),
        oracle::Denied::Inactive => Denied::Inactive(one),
        oracle::Denied::Expired => Denied::Expired(one),
        oracle::Denied::OwnerInactive => Denied::OwnerInactive(one),
        oracle::Denied::Forbidden => Denied::Forbidden(one),
    }
}

#[test]
fn every_way_to_check_decides_as_the_oracle() {
    let rng = &mut Rng::with_seed(1);
    let (world, generated) = (World::new(), oracle::World::new(rng, AUTHORIZATIONS));
    let texts = import(&world, rng, &generated);
    let verifier = world.engine.verifier();
    let issued: Vec<_> = generated.authorizations.iter().zip(&texts).collect();
    let (mut checks, mut expected, mut reasons) = (Vec::new(), Vec::new(), BTreeSet::new());
    for _ in 0..REQUESTS {
        let (one, text) = *pick(rng, &issued);
        let (text, presented) = presented(rng, one, text);
        let asked = generated.request(rng, one);
        let request = request_of(&asked);
        let decision = oracle::decide(presented, &asked, NOW);
        reasons.insert(decision.err());
        let wanted = decision.map_err(|denied| refusal(denied, id(one.id)));
        let permission = wanted.map(|permission| permission.to_string().parse().unwrap());
        let allowed = permission.map(|permission| Allowed { id: id(one.id), permission });
        assert_eq!(verifier.explain(&text, &request), allowed, "{request} {one:?}");
        let wanted = wanted.map(|_| id(one.id));
        assert_eq!(verifier.check(&text, &request), wanted, "{request} {one:?}");
        let by_grant = verifier.authenticate(&text).and_then(|grant| grant.check(&request));
        assert_eq!(by_grant, wanted, "{request} {one:?}");
        checks.push((text, request));
        expected.push(wanted);
    }
    let mut answers = Vec::new();
    verifier.check_many(&checks, &mut answers);
    assert_eq!(answers.len(), expected.len());
    for ((check, answer), expected) in checks.iter().zip(answers).zip(expected) {
        assert_eq!(answer, expected, "{check:?}");
    }
    // Seven reasons, and no reason.
    assert_eq!(reasons.len(), 8, "{reasons:?}");
}
