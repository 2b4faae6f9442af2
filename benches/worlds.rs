//! Creates the standard world of as many tokens as the last argument says, and prints the seconds.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use symbolon_benches::{Cast, Served};

fn main() {
    let mut words = std::env::args().filter_map(|word| word.parse().ok());
    let count: u64 = words.next_back().unwrap();
    println!("{}", Served::make(Cast::Standard, count));
}
