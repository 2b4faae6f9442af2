use super::*;
use crate::StoreKey;
use crate::authorization::{Creator, Origin};
use crate::owner::{Membership, PasswordFingerprint, PasswordHash, Role};
use crate::permission::{Action, Permission, PermissionSet, Resource, ResourceType, Target};
use crate::token::{ForeignHash, TokenDigest};
use proptest::prelude::*;

/// One record of each form in version 1: key, unique key, columns, and bytes in hexadecimal.
const GOLDEN: &str = include_str!("golden-v1.txt");

fn id(number: u64) -> Id {
    Id::new(number).unwrap()
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn sealer() -> Sealer {
    Sealer::new(StoreId([9; 16]), StoreKey::from_bytes([7; 32]))
}

fn authorization() -> Authorization {
    Authorization {
        id: id(0x0804_f741_42bb_f000),
        organization: id(1),
        user: Some(id(2)),
        created_by: Some(Creator::Authorization(id(3))),
        origin: Origin::V2,
        rotated_from: Some(id(4)),
        description: "für Grafana".into(),
        permissions: [
            "read:buckets",
            "write:orgs/0000000000000001/buckets/0000000000000005",
            "read:orgs/0000000000000001/databases/metrics",
        ]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect(),
        status: Status::Revoked,
        expires_at: Some(time("2027-01-01T00:00:00Z")),
        created_at: time("2026-01-01T00:00:00.000000001Z"),
        updated_at: time("2026-02-01T00:00:00Z"),
        revoked_at: Some(time("2026-03-01T00:00:00Z")),
        last_used: None,
    }
}

fn plain() -> Authorization {
    Authorization {
        user: None,
        created_by: None,
        origin: Origin::Embedder,
        rotated_from: None,
        description: String::new(),
        permissions: PermissionSet::default(),
        status: Status::Active,
        expires_at: None,
        revoked_at: None,
        last_used: None,
        ..authorization()
    }
}

/// Returns one entity of each form.
pub(super) fn forms() -> Vec<Entity> {
    let (created_at, updated_at) = (time("2026-01-01T00:00:00Z"), time("2026-01-02T00:00:00Z"));
    let key = KeyId(0x0102_0304);
    let user = User {
        id: id(2),
        name: "me".into(),
        status: Status::Inactive,
        operator: true,
        memberships: vec![
            Membership { organization: id(1), role: Role::Owner },
            Membership { organization: id(6), role: Role::Member },
        ],
        password_hash: Some(PasswordHash::from_phc("$argon2id$x")),
        created_at,
        updated_at,
    };
    let organization = Organization {
        id: id(1),
        name: "my-org".into(),
        description: "first".into(),
        status: Status::Active,
        created_at,
        updated_at,
    };
    let bucket = Bucket {
        id: id(5),
        organization: id(1),
        name: "b".into(),
        status: Status::Active,
        created_at,
        updated_at,
    };
    let session = Session {
        id: id(7),
        owner: SessionOwner::User(id(2)),
        created_at,
        expires_at: time("2026-01-01T01:00:00Z"),
        ended_at: None,
        password: Some(PasswordFingerprint([0x11; 16])),
    };
    let hash = SessionDigest { key, hash: TokenDigest([0xff; 32]) };
    vec![
        Entity::Authorization(authorization(), Credential::Keyed(key, TokenDigest([0xaa; 32]))),
        Entity::Authorization(plain(), Credential::Foreign(ForeignHash::Sha256([0xbb; 32]))),
        Entity::Authorization(
            Authorization {
                origin: Origin::V0,
                status: Status::Inactive,
                created_by: Some(Creator::User(id(2))),
                ..plain()
            },
            Credential::ForeignAndKeyed(
                ForeignHash::Sha512([0xcc; 64]),
                key,
                TokenDigest([0xdd; 32]),
            ),
        ),
        Entity::User(user.clone()),
        Entity::User(User { status: Status::Revoked, password_hash: None, ..user }),
        Entity::Organization(organization),
        Entity::Bucket(bucket),
        Entity::Settings(Settings {
            store: StoreId([9; 16]),
            prefix: Prefix::SYMBOLON,
            keys: vec![KeyId(1), key],
            created_at,
            setup: SetupState::Unrecorded,
        }),
        Entity::SetUp(SetUp { organization: id(1), user: id(2), at: created_at }),
        Entity::Authorization(plain(), Credential::Native(key, TokenDigest([0xee; 32]))),
        Entity::Session(session.clone(), hash),
        Entity::Session(
            Session {
                owner: SessionOwner::Authorization(id(3)),
                password: None,
                ended_at: Some(updated_at),
                ..session
            },
            hash,
        ),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn line(record: &Record) -> String {
    let unique = record.unique.as_deref().map_or("-".into(), hex);
    let columns = &record.columns;
    let number = |id: Option<Id>| id.map_or(0, Id::number);
    format!(
        "{} {} {unique} {} {} {} {} {}",
        record.key.kind.0,
        record.key.id,
        number(columns.organization),
        number(columns.user),
        columns.status_code(),
        columns.origin_code(),
        hex(&record.bytes),
    )
}

pub(super) fn read_line(line: &str) -> Record {
    let parts: Vec<&str> = line.split(' ').collect();
    let bytes = |text: &str| -> Box<[u8]> {
        let digits: Vec<char> = text.chars().collect();
        let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    };
    let columns = Columns::from_codes(
        parts[3].parse().unwrap(),
        parts[4].parse().unwrap(),
        parts[5].parse().unwrap(),
        parts[6].parse().unwrap(),
    );
    Record {
        key: RecordKey::new(Kind(parts[0].parse().unwrap()), parts[1].parse().unwrap()),
        unique: (parts[2] != "-").then(|| bytes(parts[2])),
        columns: columns.unwrap(),
        bytes: bytes(parts[7]),
    }
}

#[test]
fn golden_records_stay_readable_and_stable() {
    let (sealer, forms) = (sealer(), forms());
    let golden: Vec<&str> = GOLDEN.lines().collect();
    let written: Vec<String> = forms.iter().map(|form| line(&sealer.seal(form, 300))).collect();
    assert_eq!(written, golden, "the format changed: raise the version and keep reading this one");
    for (line, form) in golden.iter().zip(forms) {
        assert_eq!(sealer.open(&read_line(line)), Ok(Some((form, 300))));
    }
}

#[test]
fn the_mac_covers_every_part() {
    let sealer = sealer();
    for form in forms() {
        let authentic = sealer.seal(&form, 1);
        let refused = |changed: Record| {
            assert_ne!(changed, authentic);
            assert_eq!(sealer.open(&changed), Err(IntegrityError::Mac), "{}", line(&changed));
        };
        let change = |edit: &dyn Fn(&mut Record)| {
            let mut changed = authentic.clone();
            edit(&mut changed);
            changed
        };
        for at in 0..authentic.bytes.len() {
            // The key id selects the key, so changing it gives another error.
            if !(1..5).contains(&at) {
                refused(change(&|record| record.bytes[at] ^= 1));
            }
        }
        refused(change(&|record| record.bytes = record.bytes[..authentic.bytes.len() - 1].into()));
        refused(change(&|record| record.bytes = Box::default()));
        refused(change(&|record| record.key.id = id(77)));
        let other = if authentic.key.kind == Kind::USER { Kind::ORGANIZATION } else { Kind::USER };
        refused(change(&|record| record.key.kind = other));
        refused(change(&|record| record.columns.organization = Some(id(99))));
        refused(change(&|record| record.columns.user = Some(id(99))));
        let status = match authentic.columns.status {
            Some(Status::Active) => Status::Inactive,
            _ => Status::Active,
        };
        refused(change(&|record| record.columns.status = Some(status)));
        let origin = match authentic.columns.origin {
            Some(Origin::V2) => Origin::V0,
            _ => Origin::V2,
        };
        refused(change(&|record| record.columns.origin = Some(origin)));
        refused(change(&|record| record.unique = Some([1, 2, 3].into())));
        if authentic.unique.is_some() {
            refused(change(&|record| record.unique = None));
            refused(change(&|record| record.unique.as_mut().unwrap()[0] ^= 1));
        }
    }
}

#[test]
fn a_record_of_another_store_or_key_is_refused() {
    let form = &forms()[0];
    let record = sealer().seal(form, 1);
    let store = Sealer::new(StoreId([8; 16]), StoreKey::from_bytes([7; 32]));
    assert_eq!(store.open(&record), Err(IntegrityError::Mac));
    let key = Sealer::new(StoreId([9; 16]), StoreKey::from_bytes([6; 32]));
    let own = sealer().key().ids().next().unwrap();
    assert_eq!(key.open(&record), Err(IntegrityError::Key(own)));
}

#[test]
fn unknown_kinds_are_skipped_and_unknown_versions_reported() {
    let sealer = sealer();
    let mut record = sealer.seal(&forms()[3], 1);
    record.key.kind = Kind(200);
    let reseal = |record: &mut Record, version: u8| {
        let body = record.bytes[..record.bytes.len() - 16].to_vec();
        record.bytes = seal::resealed(&sealer, record, version, &body);
    };
    reseal(&mut record, 1);
    assert_eq!(sealer.open(&record), Ok(None));
    reseal(&mut record, 9);
    assert_eq!(sealer.open(&record), Err(IntegrityError::Version(9)));
    // Authentic, but of an unknown form: one byte too many.
    let mut longer = sealer.seal(&forms()[5], 1);
    let mut body = longer.bytes[..longer.bytes.len() - 16].to_vec();
    body.push(0);
    longer.bytes = seal::resealed(&sealer, &longer, 1, &body);
    assert_eq!(sealer.open(&longer), Err(IntegrityError::Body));
}

fn open_among(
    sealer: &Sealer,
    record: &Record,
    sets: &mut KnownSets,
) -> Result<Option<(Entity, u64)>, IntegrityError> {
    sealer.check_all(&[record]).remove(0)?.open(Some(sets))
}

#[test]
fn batch_and_single_decoding_agree() {
    let sealer = sealer();
    let mut sets = KnownSets::default();
    let credential = Credential::Keyed(sealer.key().current().id, TokenDigest([5; 32]));
    // More sets than the cache holds, each read twice.
    for number in [1..=300, 1..=300].into_iter().flatten() {
        let read: Permission = "read:buckets".parse().unwrap();
        let one = Authorization {
            permissions: [read.clone(), read.id(id(number))].into_iter().collect(),
            ..plain()
        };
        let entity = Entity::Authorization(one, credential);
        let record = sealer.seal(&entity, number);
        let opened = open_among(&sealer, &record, &mut sets);
        let with_set = |opened| match opened {
            Some((Entity::Authorization(mut one, credential), number)) => {
                one.permissions = (*sets.last()).clone();
                Some((Entity::Authorization(one, credential), number))
            }
            other => other,
        };
        assert_eq!(opened.map(with_set), Ok(Some((entity, number))));
        let sealed = record.bytes.len() - 16;
        let longer = [&record.bytes[..sealed], &[0]].concat();
        let bytes = seal::resealed(&sealer, &record, 1, &longer);
        let longer = Record { bytes, ..record };
        let opened = open_among(&sealer, &longer, &mut sets);
        assert_eq!(opened, Err(IntegrityError::Body));
    }
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("read"), Just("write"), Just("buckets"), Just("a.b-c_9")]
}

prop_compose! {
    fn any_permission()(
        action in any_name(),
        kind in any_name(),
        organization in proptest::option::of(1..=u64::MAX),
        target in prop_oneof![
            Just(Target::Any),
            (1..=u64::MAX).prop_map(|number| Target::Id(id(number))),
            ".{1,20}".prop_map(|name| Target::Name(name.into())),
        ],
    ) -> Permission {
        let resource = Resource {
            kind: ResourceType::new(kind).unwrap(),
            organization: organization.map(id),
            target,
        };
        Permission { action: Action::new(action).unwrap(), resource }
    }
}

prop_compose! {
    fn any_authorization()(
        number in 1..=u64::MAX,
        user in proptest::option::of(1..=u64::MAX),
        others in proptest::option::of(1..=u64::MAX),
        description in ".{0,40}",
        permissions in proptest::collection::vec(any_permission(), 0..20),
        expires in proptest::option::of(0..=Timestamp::MAX.nanos()),
        at in 0..=Timestamp::MAX.nanos(),
    ) -> Authorization {
        Authorization {
            id: id(number),
            user: user.map(id),
            created_by: others.map(id).map(Creator::User),
            rotated_from: others.map(id),
            description,
            permissions: permissions.into(),
            expires_at: expires.map(|nanos| Timestamp::from_nanos(nanos).unwrap()),
            created_at: Timestamp::from_nanos(at).unwrap(),
            ..plain()
        }
    }
}

proptest! {
    #[test]
    fn authorizations_round_trip(
        authorization in any_authorization(), hash: [u8; 32], sequence in 1..u64::MAX
    ) {
        let sealer = sealer();
        let credential = Credential::Keyed(KeyId(1), TokenDigest(hash));
        let entity = Entity::Authorization(authorization, credential);
        let record = sealer.seal(&entity, sequence);
        prop_assert_eq!(sealer.open(&record), Ok(Some((entity, sequence))));
    }

    /// Bodies that a buggy or older version could have sealed neither panic nor hang.
    #[test]
    fn arbitrary_sealed_bytes_do_not_panic(body: Vec<u8>, form in 0..12_usize) {
        let sealer = sealer();
        let mut record = sealer.seal(&forms()[form], 1);
        record.bytes = seal::resealed(&sealer, &record, 1, &[&[0; 5], body.as_slice()].concat());
        let _ = sealer.open(&record);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        let mut record = sealer().seal(&forms()[0], 1);
        record.bytes = bytes.into();
        prop_assert!(sealer().open(&record).is_err());
    }
}
