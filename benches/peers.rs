//! Other systems: the single step that takes the place of a check, in the best case of each. None
//! of them decides as much as a check does.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

#[path = "peers/permission.rs"]
mod permission;
#[path = "peers/server.rs"]
mod server;
#[path = "peers/signed.rs"]
mod signed;
#[path = "peers/stored.rs"]
mod stored;

use sha2::{Digest, Sha256};
use symbolon_benches::{Bench, RING, large};

fn main() {
    let mut bench = Bench::new("peers");
    signed::all(&mut bench);
    permission::all(&mut bench);
    password(&mut bench);
    // The time per row hardly grows beyond this number.
    let rows = Rows::new(large().min(200_000));
    stored::all(&mut bench, &rows);
    server::all(&mut bench, &rows);
}

/// The texts of tokens, whose hashes are keys in a store.
#[derive(Debug)]
struct Rows {
    texts: Vec<String>,
}

type Hash = [u8; 32];
/// A stored value of the size of a record with one permission.
const VALUE: [u8; 120] = [7; 120];

impl Rows {
    fn new(count: u64) -> Self {
        let text = |number| format!("sym_{number:060}");
        let texts = (0..count).map(text).collect();
        Self { texts }
    }

    fn hash(text: &str) -> Hash {
        Sha256::digest(text).into()
    }

    fn hashes(&self) -> impl Iterator<Item = Hash> {
        self.texts.iter().map(|text| Self::hash(text))
    }

    /// Measures looking up random tokens. `find` returns the length of the value.
    fn look_up(&self, bench: &mut Bench, name: &str, mut find: impl FnMut(&str) -> usize) {
        let mut draw = fastrand::Rng::with_seed(3);
        let mut ring = vec![self.texts[0].clone(); RING];
        let ready = |text: &mut String| {
            text.clear();
            text.push_str(&self.texts[draw.usize(..self.texts.len())]);
        };
        bench.steps(name, None, 1, &mut ring, ready, |text| find(text) as u64 - VALUE.len() as u64);
    }
}

/// Measures a password hash, for servers that treat tokens as passwords.
fn password(bench: &mut Bench) {
    use argon2::Argon2;
    let argon = Argon2::default();
    let mut out = [0; 32];
    bench.chain("peer/argon2", None, || {
        let hashed = argon.hash_password_into(b"sym_token", b"saltsaltsaltsalt", &mut out);
        hashed.unwrap();
        u64::from(std::hint::black_box(&out)[0]) >> 8
    });
}
