//! Creates the standard world of as many tokens as the last argument says, and prints the seconds.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use symbolon_benches::{Cast, World};

fn main() {
    let mut words = std::env::args().filter_map(|word| word.parse().ok());
    let count: u64 = words.next_back().unwrap();
    println!("{}", World::make(Cast::Standard, count).as_secs_f64());
}
