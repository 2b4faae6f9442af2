//! The reported figures with those that they are compared with, and their targets.
//!
//! **To report another figure, add a row here.**

use super::measured::LIMIT as L;

/// A figure that a program in `benches` records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// `group/what`.
    pub(super) name: &'static str,
    /// Statistic.
    pub(super) kind: Kind,
    pub(super) tokens: Tokens,
    /// Names of figures to compare with, of the same kind and number of tokens.
    pub(super) beside: &'static [&'static str],
    /// Target, relative to the first figure in `beside`.
    pub(super) target: Option<Target>,
    /// Number of tokens that the target is about; `None` for any.
    pub(super) target_at: Option<u64>,
    /// Title in the README, which shows no other rows.
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

/// The numbers of tokens for which a figure is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tokens {
    /// The figure does not depend on the number.
    Independent,
    /// Every measured number.
    Every,
    /// This number, if it was measured.
    Exactly(u64),
    /// The largest measured number up to a million.
    Large,
}

/// A target, in the figure's unit or as a multiple of the first figure in `beside`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    AtMostTimes(f64),
    AtLeastTimes(f64),
    /// At most this much more than the other figure.
    MoreBy(f64),
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    const fn new(name: &'static str, tokens: Tokens) -> Self {
        Self {
            name,
            kind: Kind::Median,
            tokens,
            beside: &[],
            target: None,
            target_at: match tokens {
                Tokens::Independent => None,
                Tokens::Exactly(size) => Some(size),
                Tokens::Every | Tokens::Large => Some(MILLION),
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

    /// Makes the target about any number of tokens.
    const fn of_any_size(mut self) -> Self {
        self.target_at = None;
        self
    }

    const fn readme(mut self, title: &'static str) -> Self {
        self.readme = Some(title);
        self
    }
}

/// The limit in one step, for kinds other than the median.
const BOTH: &str = "limit/hash-and-line";
const HASH: &str = "check/bare-hash";
const CHECK: &str = "check/symbolon";
const MILLION: u64 = 1_000_000;

/// Titles in the README of figures that others are compared with.
pub(super) const NAMES: &[(&str, &str)] = &[
    (L, "limit: one hash, one cache line"),
    (HASH, "one BLAKE3 hash"),
    (CHECK, "`check`"),
    ("limit/line", "one cache line"),
    ("threads/bare-hash", "one BLAKE3 hash"),
    ("grant/id-alone", "the id of the connection's token alone"),
    ("writer/busy-neighbour", "with an independent thread"),
    (
        "writer/growing-busy-neighbour",
        "with an independent thread",
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

/// Titles of other systems, measured in the same run.
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

/// Names of the limit, the hash alone, and all peers.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const CHECK_BESIDE: &[&str] = &{
    let mut names = [L; 2 + PEERS.len()];
    names[1] = HASH;
    let mut at = 0;
    while at < PEERS.len() {
        names[2 + at] = PEERS[at].0;
        at += 1;
    }
    names
};

pub(super) const ROWS: &[Row] = &[
    Row::new(CHECK, Tokens::Exactly(1000))
        .beside(&[HASH, L])
        .target(Target::AtMostTimes(1.25))
        .readme("`check`, the full decision"),
    Row::new(CHECK, Tokens::Exactly(100_000)).beside(&[L, HASH]),
    Row::new(CHECK, Tokens::Large)
        .beside(CHECK_BESIDE)
        .target(Target::AtMostTimes(0.6))
        .readme("`check`, the full decision"),
    Row::new(CHECK, Tokens::Exactly(10 * MILLION))
        .beside(&[L, HASH])
        .target(Target::AtMostTimes(0.9))
        .readme("`check`, the full decision"),
    Row::new(CHECK, Tokens::Every)
        .kind(Kind::P99)
        .beside(&[BOTH, "check/sha256-rwlock-hashmap"]),
    Row::new(CHECK, Tokens::Every)
        .kind(Kind::Throughput)
        .beside(&[BOTH, "check/sha256-rwlock-hashmap"]),
    Row::new("check/check-many", Tokens::Large)
        .beside(&[L])
        .target(Target::AtMostTimes(0.3))
        .readme("`check_many`, 16 at once, per token"),
    Row::new("check/unknown", Tokens::Large)
        .beside(&[CHECK, L])
        .target(Target::AtMostTimes(1.2))
        .readme("unknown but well-formed token refused"),
    Row::new("check/malformed-checksum", Tokens::Large)
        .beside(&[HASH])
        .target(Target::AtMost(10.0))
        .readme("malformed token refused"),
    Row::new("check/malformed-digit", Tokens::Large)
        .beside(&[HASH])
        .target(Target::AtMost(10.0)),
    Row::new("check/beside-garbage", Tokens::Large).beside(&[CHECK]),
    Row::new("check/shared", Tokens::Large)
        .beside(&[CHECK])
        .target(Target::MoreBy(15.0)),
    Row::new("check/expiring", Tokens::Exactly(1000)).beside(&[CHECK]),
    Row::new("grant/one", Tokens::Large)
        .beside(&["grant/id-alone", CHECK])
        .target(Target::AtMost(3.0))
        .readme("`Grant::check`, one connection"),
    Row::new("grant/64", Tokens::Large)
        .beside(&[CHECK])
        .target(Target::AtMost(8.0)),
    Row::new("grant/all", Tokens::Large)
        .beside(&["limit/line", CHECK])
        .target(Target::AtMost(120.0))
        .readme("`Grant::check`, a connection for each token"),
    Row::new("grant/one-shared", Tokens::Large)
        .beside(&["grant/one"])
        .target(Target::AtMost(15.0)),
    Row::new("grant/one-expiring", Tokens::Exactly(1000))
        .beside(&["grant/one"])
        .target(Target::AtMost(15.0)),
    Row::new("threads/check-all", Tokens::Every)
        .kind(Kind::Times)
        .beside(&[
            "threads/bare-hash",
            "threads/rwlock-hashmap",
            "threads/dashmap",
        ])
        .target(Target::AtLeastTimes(0.95))
        .readme("2 threads against 1, all tokens"),
    Row::new("threads/check-hot", Tokens::Every)
        .kind(Kind::Times)
        .beside(&[
            "threads/bare-hash",
            "threads/rwlock-hashmap-hot",
            "threads/dashmap-hot",
        ])
        .target(Target::AtLeastTimes(0.95)),
    Row::new("writer/check", Tokens::Every)
        .kind(Kind::Times)
        .beside(&["writer/busy-neighbour", "writer/rwlock-hashmap"])
        .target(Target::AtLeast(0.9))
        .readme("a reader's speed with a writer, relative to that alone"),
    Row::new("writer/check", Tokens::Every)
        .kind(Kind::Longest)
        .beside(&["writer/busy-neighbour", "writer/rwlock-hashmap"])
        .target(Target::AtMost(100_000.0)),
    Row::new("writer/growing", Tokens::Every)
        .kind(Kind::Times)
        .beside(&["writer/growing-busy-neighbour"])
        .target(Target::AtLeast(0.9)),
    Row::new("writer/growing", Tokens::Every)
        .kind(Kind::Longest)
        .beside(&["writer/growing-busy-neighbour"])
        .target(Target::AtMost(100_000.0))
        .readme("longest pause of a reader while the table grows"),
    Row::new("cost/allocations", Tokens::Independent)
        .kind(Kind::Count)
        .target(Target::AtMost(0.0)),
    Row::new("cost/system-calls", Tokens::Independent)
        .kind(Kind::Count)
        .target(Target::AtMost(0.0)),
    Row::new("memory/hot-table", Tokens::Every)
        .kind(Kind::Count)
        .target(Target::AtMost(48.0))
        .readme("memory per token, the hot table"),
    Row::new("memory/resident", Tokens::Large)
        .kind(Kind::Count)
        .beside(&["memory/hashmap"])
        .target(Target::AtMost(100.0))
        .readme("memory per token, all resident memory"),
    // 1.2 GB in total.
    Row::new("memory/resident", Tokens::Exactly(10 * MILLION))
        .kind(Kind::Count)
        .target(Target::AtMost(120.0)),
    Row::new("memory/peak", Tokens::Every)
        .kind(Kind::Count)
        .beside(&["memory/resident"]),
    Row::new("worst/distinct-sets", Tokens::Every).beside(&["worst/standard"]),
    Row::new("worst/88-characters", Tokens::Every).beside(&["worst/standard"]),
    Row::new("worst/unmigrated", Tokens::Every).beside(&["worst/standard"]),
    Row::new("create/symbolon-sqlite", Tokens::Independent)
        .beside(&[
            "create/bare-sqlite",
            "create/plain-sqlite",
            "create/fsync-floor",
        ])
        .target(Target::AtMostTimes(1.11))
        .readme("durable create, SQLite, one caller"),
    Row::new("create/symbolon-sqlite-journal", Tokens::Independent)
        .beside(&["create/symbolon-sqlite", "create/fsync-floor"]),
    Row::new("create/symbolon-sled", Tokens::Independent)
        .beside(&["create/bare-sled", "create/fsync-floor"])
        .target(Target::AtMostTimes(1.11)),
    Row::new("create/symbolon-memory", Tokens::Independent).beside(&["create/symbolon-sqlite"]),
    Row::new("create-64/symbolon-sqlite", Tokens::Independent)
        .beside(&["create-64/bare-sqlite"])
        .target(Target::AtMostTimes(2.0))
        .readme("durable create, SQLite, 64 callers"),
    Row::new("create-64/symbolon-sled", Tokens::Independent)
        .beside(&["create-64/bare-sled"])
        .target(Target::AtMostTimes(2.0)),
    Row::new("import/symbolon-sqlite", Tokens::Every)
        .kind(Kind::Throughput)
        .beside(&["import/bare-sqlite"])
        .target(Target::AtLeastTimes(0.5))
        .readme("import into SQLite"),
    Row::new("import/symbolon-sled", Tokens::Every)
        .kind(Kind::Throughput)
        .beside(&["import/bare-sled"]),
    Row::new("disk/symbolon-sqlite", Tokens::Every)
        .kind(Kind::Count)
        .beside(&["disk/bare-sqlite"])
        .target(Target::AtMostTimes(1.3))
        .of_any_size(),
    Row::new("disk/symbolon-sled", Tokens::Every)
        .kind(Kind::Count)
        .beside(&["disk/bare-sled"])
        .target(Target::AtMostTimes(1.3))
        .of_any_size(),
    Row::new("open/symbolon-sqlite", Tokens::Every)
        .beside(&["open/bare-scan-sqlite", "open/bare-select-sqlite"])
        .target(Target::AtMostTimes(1.5))
        .readme("from closed to the first check, SQLite"),
    Row::new("open/symbolon-sqlite", Tokens::Every).target(Target::AtMost(3.0)),
    // With a tenth of the tokens, because filling takes ten times as long.
    Row::new("open/symbolon-sled", Tokens::Every)
        .beside(&["open/bare-scan-sled"])
        .target(Target::AtMostTimes(1.5))
        .of_any_size(),
];
