//! Every figure that is reported, beside what it stands, and its target. **To report another figure, add a row here.**

use super::measured::LIMIT as L;

/// A figure, as a program below `benches` has noted it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// `group/what`.
    pub(super) name: &'static str,
    /// What it is of the measurements.
    pub(super) kind: Kind,
    pub(super) at: At,
    /// Names of figures of the same kind; for the same number of tokens, unless they depend on none.
    pub(super) beside: &'static [&'static str],
    /// About the first one beside it.
    pub(super) target: Option<Target>,
    /// The number of tokens that the target is about; none if it is about any.
    pub(super) target_at: Option<u64>,
    /// What the README calls it; it shows no others.
    pub(super) readme: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Median,
    P99,
    Throughput,
    Longest,
    Count,
    Times,
}

/// For how many tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// It does not depend on that.
    Nothing,
    /// For every number that was measured.
    Every,
    /// For exactly so many; left out if that was not measured.
    Size(u64),
    /// For the largest number up to a million that was measured.
    Large,
}

/// What is reached or missed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// At most so many times what stands first beside it.
    Times(f64),
    /// At least so many times that.
    AtLeast(f64),
    /// At most so much more than that, in the figure's unit.
    More(f64),
    /// At most this, in the figure's unit.
    Below(f64),
    /// At least this, in the figure's unit.
    Above(f64),
}

impl Row {
    const fn new(name: &'static str, at: At) -> Self {
        Self {
            name,
            kind: Kind::Median,
            at,
            beside: &[],
            target: None,
            target_at: match at {
                At::Nothing => None,
                At::Size(size) => Some(size),
                At::Every | At::Large => Some(MILLION),
            },
            readme: None,
        }
    }

    const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    const fn beside(mut self, beside: &'static [&'static str]) -> Self {
        self.beside = beside;
        self
    }

    const fn target(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// The target is about any number of tokens, where others are about a million.
    const fn of_any_size(mut self) -> Self {
        self.target_at = None;
        self
    }

    const fn readme(mut self, title: &'static str) -> Self {
        self.readme = Some(title);
        self
    }
}

/// The limit in one step, for what is no median.
const BOTH: &str = "limit/hash-and-line";
const HASH: &str = "check/bare-hash";
const CHECK: &str = "check/symbolon";
const MILLION: u64 = 1_000_000;

/// What the README calls figures that others are beside.
pub(super) const NAMES: &[(&str, &str)] = &[
    (L, "limit: one hash, one cache line"),
    (HASH, "one BLAKE3 hash"),
    (CHECK, "`check`"),
    ("limit/line", "one cache line"),
    ("threads/bare-hash", "one BLAKE3 hash"),
    ("grant/id-alone", "the id of the connection's token alone"),
    (
        "writer/busy-neighbour",
        "beside a thread that shares nothing",
    ),
    (
        "writer/growing-busy-neighbour",
        "beside a thread that shares nothing",
    ),
    ("memory/hashmap", "`HashMap`"),
    ("create/bare-sqlite", "the same row by SQLite alone"),
    (
        "create-64/bare-sqlite",
        "commits of 64 rows by SQLite alone",
    ),
    (
        "import/bare-sqlite",
        "commits of 1,000 rows by SQLite alone",
    ),
    ("open/bare-scan-sqlite", "reading all rows"),
];

/// What others do, each measured in the same run; the chart shows them too.
pub(super) const PEERS: &[(&str, &str)] = &[
    ("check/sha256-rwlock-hashmap", "SHA-256, RwLock<HashMap>"),
    ("check/sha256-dashmap", "SHA-256, DashMap"),
    ("check/sha256-papaya", "SHA-256, papaya"),
    ("peer/moka-hits", "moka before SQLite, all hits"),
    ("peer/moka-sqlite", "moka before SQLite"),
    ("peer/sqlite", "SQLite, one row by its hash"),
    ("peer/redb", "redb, one row by its hash"),
    ("peer/sled", "sled, one row by its hash"),
    ("peer/jwt-hs256", "JWT, HS256"),
    ("peer/jwt-eddsa", "JWT, EdDSA"),
    ("peer/jwt-es256", "JWT, ES256"),
    ("peer/biscuit", "biscuit"),
    ("peer/casbin", "casbin, permission alone"),
    ("peer/cedar", "cedar, permission alone"),
    ("peer/redis", "Redis GET, local socket"),
    ("peer/postgres", "PostgreSQL select, local socket"),
    ("peer/argon2", "argon2id, 19 MiB"),
];

const CHECK_BESIDE: &[&str] = &[
    L,
    HASH,
    "check/sha256-rwlock-hashmap",
    "check/sha256-dashmap",
    "check/sha256-papaya",
    "peer/moka-hits",
    "peer/moka-sqlite",
    "peer/sqlite",
    "peer/redb",
    "peer/sled",
    "peer/jwt-hs256",
    "peer/jwt-eddsa",
    "peer/jwt-es256",
    "peer/biscuit",
    "peer/casbin",
    "peer/cedar",
    "peer/redis",
    "peer/postgres",
    "peer/argon2",
];

pub(super) const ROWS: &[Row] = &[
    Row::new(CHECK, At::Size(1000))
        .beside(&[HASH, L])
        .target(Target::Times(1.25))
        .readme("`check`, the full decision"),
    Row::new(CHECK, At::Size(100_000)).beside(&[L, HASH]),
    Row::new(CHECK, At::Large)
        .beside(CHECK_BESIDE)
        .target(Target::Times(0.6))
        .readme("`check`, the full decision"),
    Row::new(CHECK, At::Size(10 * MILLION))
        .beside(&[L, HASH])
        .target(Target::Times(0.9))
        .readme("`check`, the full decision"),
    Row::new(CHECK, At::Every)
        .kind(Kind::P99)
        .beside(&[BOTH, "check/sha256-rwlock-hashmap"]),
    Row::new(CHECK, At::Every)
        .kind(Kind::Throughput)
        .beside(&[BOTH, "check/sha256-rwlock-hashmap"]),
    Row::new("check/check-many", At::Large)
        .beside(&[L])
        .target(Target::Times(0.3))
        .readme("`check_many`, 16 at once, per token"),
    Row::new("check/unknown", At::Large)
        .beside(&[CHECK, L])
        .target(Target::Times(1.2))
        .readme("unknown but well-formed token refused"),
    Row::new("check/malformed-checksum", At::Large)
        .beside(&[HASH])
        .target(Target::Below(10.0))
        .readme("malformed token refused"),
    Row::new("check/malformed-digit", At::Large)
        .beside(&[HASH])
        .target(Target::Below(10.0)),
    Row::new("check/beside-garbage", At::Large).beside(&[CHECK]),
    Row::new("check/shared", At::Large)
        .beside(&[CHECK])
        .target(Target::More(15.0)),
    Row::new("check/expiring", At::Size(1000)).beside(&[CHECK]),
    Row::new("grant/one", At::Large)
        .beside(&["grant/id-alone", CHECK])
        .target(Target::Below(3.0))
        .readme("`Grant::check`, one connection"),
    Row::new("grant/64", At::Large)
        .beside(&[CHECK])
        .target(Target::Below(8.0)),
    Row::new("grant/all", At::Large)
        .beside(&["limit/line", CHECK])
        .target(Target::Below(120.0))
        .readme("`Grant::check`, a connection for each token"),
    Row::new("grant/one-shared", At::Large)
        .beside(&["grant/one"])
        .target(Target::Below(15.0)),
    Row::new("grant/one-expiring", At::Size(1000))
        .beside(&["grant/one"])
        .target(Target::Below(15.0)),
    Row::new("threads/check-all", At::Every)
        .kind(Kind::Times)
        .beside(&[
            "threads/bare-hash",
            "threads/rwlock-hashmap",
            "threads/dashmap",
        ])
        .target(Target::AtLeast(0.95))
        .readme("2 threads against 1, all tokens"),
    Row::new("threads/check-hot", At::Every)
        .kind(Kind::Times)
        .beside(&[
            "threads/bare-hash",
            "threads/rwlock-hashmap-hot",
            "threads/dashmap-hot",
        ])
        .target(Target::AtLeast(0.95)),
    Row::new("writer/check", At::Every)
        .kind(Kind::Times)
        .beside(&["writer/busy-neighbour", "writer/rwlock-hashmap"])
        .target(Target::Above(0.9))
        .readme("a reader's speed beside a writer, of that alone"),
    Row::new("writer/check", At::Every)
        .kind(Kind::Longest)
        .beside(&["writer/busy-neighbour", "writer/rwlock-hashmap"])
        .target(Target::Below(100_000.0)),
    Row::new("writer/growing", At::Every)
        .kind(Kind::Times)
        .beside(&["writer/growing-busy-neighbour"])
        .target(Target::Above(0.9)),
    Row::new("writer/growing", At::Every)
        .kind(Kind::Longest)
        .beside(&["writer/growing-busy-neighbour"])
        .target(Target::Below(100_000.0))
        .readme("longest pause of a reader while the table grows"),
    Row::new("cost/allocations", At::Nothing)
        .kind(Kind::Count)
        .target(Target::Below(0.0)),
    Row::new("cost/system-calls", At::Nothing)
        .kind(Kind::Count)
        .target(Target::Below(0.0)),
    Row::new("memory/hot-table", At::Every)
        .kind(Kind::Count)
        .target(Target::Below(48.0))
        .readme("memory per token, the hot table"),
    Row::new("memory/resident", At::Large)
        .kind(Kind::Count)
        .beside(&["memory/hashmap"])
        .target(Target::Below(100.0))
        .readme("memory per token, all that is resident"),
    // 1.2 GB in all.
    Row::new("memory/resident", At::Size(10 * MILLION))
        .kind(Kind::Count)
        .target(Target::Below(120.0)),
    Row::new("memory/peak", At::Every)
        .kind(Kind::Count)
        .beside(&["memory/resident"]),
    Row::new("worst/distinct-sets", At::Every).beside(&["worst/standard"]),
    Row::new("worst/88-characters", At::Every).beside(&["worst/standard"]),
    Row::new("worst/unmigrated", At::Every).beside(&["worst/standard"]),
    Row::new("create/symbolon-sqlite", At::Nothing)
        .beside(&[
            "create/bare-sqlite",
            "create/plain-sqlite",
            "create/fsync-floor",
        ])
        .target(Target::Times(1.11))
        .readme("durable create, SQLite, one caller"),
    Row::new("create/symbolon-sqlite-journal", At::Nothing)
        .beside(&["create/symbolon-sqlite", "create/fsync-floor"]),
    Row::new("create/symbolon-sled", At::Nothing)
        .beside(&["create/bare-sled", "create/fsync-floor"])
        .target(Target::Times(1.11)),
    Row::new("create/symbolon-memory", At::Nothing).beside(&["create/symbolon-sqlite"]),
    Row::new("create-64/symbolon-sqlite", At::Nothing)
        .beside(&["create-64/bare-sqlite"])
        .target(Target::Times(2.0))
        .readme("durable create, SQLite, 64 callers"),
    Row::new("create-64/symbolon-sled", At::Nothing)
        .beside(&["create-64/bare-sled"])
        .target(Target::Times(2.0)),
    Row::new("import/symbolon-sqlite", At::Every)
        .kind(Kind::Throughput)
        .beside(&["import/bare-sqlite"])
        .target(Target::AtLeast(0.5))
        .readme("import into SQLite"),
    Row::new("import/symbolon-sled", At::Every)
        .kind(Kind::Throughput)
        .beside(&["import/bare-sled"]),
    Row::new("disk/symbolon-sqlite", At::Every)
        .kind(Kind::Count)
        .beside(&["disk/bare-sqlite"])
        .target(Target::Times(1.3))
        .of_any_size(),
    Row::new("disk/symbolon-sled", At::Every)
        .kind(Kind::Count)
        .beside(&["disk/bare-sled"])
        .target(Target::Times(1.3))
        .of_any_size(),
    Row::new("open/symbolon-sqlite", At::Every)
        .beside(&["open/bare-scan-sqlite", "open/bare-select-sqlite"])
        .target(Target::Times(1.5))
        .readme("from closed to the first check, SQLite"),
    Row::new("open/symbolon-sqlite", At::Every).target(Target::Below(3.0)),
    // Filled with a tenth, for it takes ten times as long.
    Row::new("open/symbolon-sled", At::Every)
        .beside(&["open/bare-scan-sled"])
        .target(Target::Times(1.5))
        .of_any_size(),
];
