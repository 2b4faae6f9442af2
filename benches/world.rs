//! Data sets of many tokens.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon::store::Sharing;
use symbolon::{
    Action, Authorization, Engine, ForeignHash, Id, ImportItem, ManualClock, Options, Organization,
    Origin, Permission, PermissionSet, Prefix, Request, ResourceType, Schema, Status, Timestamp,
    Token, User,
};

use crate::spool::SpoolStore;
use crate::{key, options, target, text};

/// Number of records in one commit of an import.
pub const CHUNK: u64 = 1000;
const ORGANIZATIONS: u64 = 10;
const USERS: u64 = 1000;
const SETS: u64 = 20;

/// Properties of the tokens of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cast {
    /// Native tokens of 1,000 users in 10 organizations, with 20 distinct permission sets.
    Standard,
    /// As standard, with a user and a permission set of its own for each token.
    Distinct,
    /// As standard, with imported tokens of 88 characters, which contain no id.
    Long,
    /// As long, imported by a SHA-256 that InfluxDB stored.
    Hashed,
    /// As standard, with an expiry in the far future for each token.
    Expiring,
}

/// An engine with the texts of its tokens.
#[derive(Debug)]
pub struct World {
    /// The engine.
    pub engine: Engine,
    /// Number of tokens.
    pub count: u64,
    cast: Cast,
    texts: Vec<u8>,
}

/// A token, in a buffer of its own, and a request.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Text of the token.
    pub token: String,
    /// Request that the token covers.
    pub request: Request<'static>,
}

impl Presented {
    /// Replaces the last digit of the token, which is in its checksum.
    pub fn damage_checksum(&mut self) {
        let last = self.token.pop();
        self.token.push(if last == Some('7') { '8' } else { '7' });
    }
}

impl World {
    /// Opens a world of `count` tokens in a file, and creates it if it does not exist.
    pub fn open(cast: Cast, count: u64, sharing: Sharing) -> Self {
        Self::of(Self::engine(cast, count, sharing), cast, count)
    }

    /// Returns a world of an engine that has these tokens.
    pub fn of(engine: Engine, cast: Cast, count: u64) -> Self {
        Self {
            engine,
            count,
            cast,
            texts: (0..count).flat_map(|number| cast.text(number)).collect(),
        }
    }

    /// Opens the engine of a world without its texts.
    pub fn engine(cast: Cast, count: u64, sharing: Sharing) -> Engine {
        Self::prepare(cast, count);
        reopen(cast, count, sharing, options())
    }

    /// Creates a world if it does not exist.
    pub fn prepare(cast: Cast, count: u64) {
        if !path(cast, count).exists() {
            make(cast, count, options());
        }
    }

    /// Creates a world whose clock stands still.
    ///
    /// Under callgrind a program has no vDSO, so that reading the system's clock would cost more.
    pub fn timeless(cast: Cast, count: u64) -> Self {
        let still = || Options { clock: Arc::new(ManualClock::at(now())), ..options() };
        make(cast, count, still());
        let engine = reopen(cast, count, Sharing::Exclusive, still());
        Self::of(engine, cast, count)
    }

    /// Creates a world, replacing an existing one, and returns the time that it took.
    pub fn make(cast: Cast, count: u64) -> Duration {
        make(cast, count, options())
    }

    /// Sets `presented` to the token with this number and its request.
    pub fn present(&self, number: u64, presented: &mut Presented) {
        presented.token.clear();
        presented.token.push_str(self.text(number));
        presented.request = self.request(number);
    }

    /// Returns the text of the token with this number.
    pub fn text(&self, number: u64) -> &str {
        let length = self.texts.len() / self.count as usize;
        let from = number as usize * length;
        str(&self.texts[from..from + length])
    }

    /// Returns a request that the token with this number covers.
    pub fn request(&self, number: u64) -> Request<'static> {
        self.cast.request(number)
    }

    /// Returns the token with this number and its request.
    pub fn presented(&self, number: u64) -> Presented {
        let mut presented =
            Presented { token: String::with_capacity(256), request: self.request(number) };
        self.present(number, &mut presented);
        presented
    }

    /// Sets the token of `presented` to a well-formed one that does not exist.
    pub fn present_unknown(&self, number: u64, presented: &mut Presented) {
        let text = text::native(id(self.count + number), 1);
        presented.token.clear();
        presented.token.push_str(str(&text));
    }
}

fn make(cast: Cast, count: u64, options: Options) -> Duration {
    let began = Instant::now();
    let path = path(cast, count);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let part = path.with_extension("part");
    let store = Arc::new(SpoolStore::make(&part).unwrap());
    let engine = Engine::create(store, key(), options).unwrap();
    owners(&engine, cast, count);
    for from in (0..count).step_by(100_000) {
        let to = count.min(from + 100_000);
        fill(&engine, cast, from..to);
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{to} of {count} tokens created, {cast:?}, {seconds:.1} s");
    }
    fs::rename(part, path).unwrap();
    began.elapsed()
}

fn reopen(cast: Cast, count: u64, sharing: Sharing, options: Options) -> Engine {
    let store = SpoolStore::open(&path(cast, count), sharing).unwrap();
    let options = Options {
        // On a busy machine the follower may pause for longer than a server would accept.
        max_staleness: Duration::from_secs(600),
        ..options
    };
    Engine::open(Arc::new(store), key(), options).unwrap()
}

fn path(cast: Cast, count: u64) -> PathBuf {
    let name = format!("{cast:?}-{count}").to_lowercase();
    target().join("bench/worlds").join(name)
}

fn str(text: &[u8]) -> &str {
    std::str::from_utf8(text).unwrap()
}

/// Imports the owners of `count` tokens, and returns the first organization.
pub fn owners(engine: &Engine, cast: Cast, count: u64) -> Id {
    import(engine, 0..ORGANIZATIONS, |number| {
        ImportItem::Organization(Organization {
            id: organization(number),
            name: format!("org-{number}"),
            description: String::new(),
            status: Status::Active,
            created_at: now(),
            updated_at: now(),
        })
    });
    let is_distinct = cast == Cast::Distinct;
    import(engine, 0..if is_distinct { count } else { USERS }, user);
    organization(0)
}

/// Imports the tokens with these numbers, after their owners.
pub fn fill(engine: &Engine, cast: Cast, numbers: Range<u64>) {
    import(engine, numbers, |number| cast.item(number));
}

fn import(engine: &Engine, numbers: Range<u64>, item: impl Fn(u64) -> ImportItem) {
    for from in numbers.clone().step_by(CHUNK as usize) {
        let part = from..numbers.end.min(from + CHUNK);
        let items: Vec<ImportItem> = part.map(&item).collect();
        engine.maintenance().import(&items).unwrap();
    }
}

impl Cast {
    /// Returns the text of the token with this number.
    pub fn text(self, number: u64) -> Vec<u8> {
        match self {
            Self::Long | Self::Hashed => text::long(id(number)).into(),
            _ => text::native(id(number), 0).into(),
        }
    }

    /// Returns the import record of the token with this number.
    pub fn item(self, number: u64) -> ImportItem {
        let text = self.text(number);
        let authorization = self.authorization(number);
        if self == Self::Hashed {
            return ImportItem::Hashed(authorization, ForeignHash::sha256(&text));
        }
        let token = Token::parse(Prefix::SYMBOLON, str(&text)).unwrap();
        ImportItem::Authorization(authorization, token)
    }

    /// Returns a request that the token with this number covers.
    pub fn request(self, number: u64) -> Request<'static> {
        let read = Request::new(Action::READ, ResourceType::BUCKETS);
        let read = read.organization(organization(number));
        match self {
            Self::Distinct => read.id(bucket(number)),
            _ => read,
        }
    }

    fn authorization(self, number: u64) -> Authorization {
        let organization = organization(number);
        let (user, permissions) = if self == Self::Distinct {
            let read = Permission::new(Action::READ, ResourceType::BUCKETS);
            let read = read.organization(organization).id(bucket(number));
            (number, PermissionSet::from_iter([read]))
        } else {
            let place = number / ORGANIZATIONS % (SETS / 2);
            (number * 7 % USERS, permissions(place, organization))
        };
        let end: Timestamp = "2200-01-01T00:00:00Z".parse().unwrap();
        Authorization {
            id: id(number),
            organization,
            user: Id::new(1 + user),
            created_by: None,
            origin: Origin::V2,
            rotated_from: None,
            description: format!("token {number}"),
            permissions,
            status: Status::Active,
            expires_at: (self == Self::Expiring).then_some(end),
            created_at: now(),
            updated_at: now(),
            revoked_at: None,
            last_used: None,
        }
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn organization(number: u64) -> Id {
    Id::new((1 << 40) + number % ORGANIZATIONS).unwrap()
}

fn bucket(number: u64) -> Id {
    Id::new((1 << 50) + number).unwrap()
}

/// Returns the id of the token with this number, in the form of those created in sequence:
/// milliseconds, then 22 lower bits.
pub fn id(number: u64) -> Id {
    Id::new(((300_000_000_000 + number) << 22) | (number % 1000)).unwrap()
}

fn user(number: u64) -> ImportItem {
    ImportItem::User(User {
        id: Id::new(1 + number).unwrap(),
        name: format!("user-{number}"),
        status: Status::Active,
        operator: false,
        memberships: Vec::new(),
        password_hash: None,
        created_at: now(),
        updated_at: now(),
    })
}

/// Returns a set of `number` permissions, followed by that of reading the organization's buckets.
fn permissions(number: u64, organization: Id) -> PermissionSet {
    let others = Schema::influxdb_operator().into_iter().skip(4);
    let others = others.take(usize::try_from(number).unwrap());
    let read = Permission::new(Action::READ, ResourceType::BUCKETS);
    let all = others.chain([read]);
    all.map(|permission| permission.organization(organization)).collect()
}
