//! Memory per token: the resident memory of a new process with an open engine, minus that of one
//! without tokens.
//!
//! The store of that process keeps no records in memory, so that only the engine's memory counts.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::collections::HashMap;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use symbolon::store::Sharing;
use symbolon_benches::{Cast, Figures, Kind, Unit, World, child_arguments, large, sizes};

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
struct Memory {
    resident: f64,
    peak: f64,
    /// The part of the resident memory that checks read.
    hot: f64,
}

fn main() {
    if let Some(arguments) = child_arguments() {
        let [what, count] = arguments.try_into().unwrap();
        return child(&what, count.parse().unwrap());
    }
    let mut figures = Figures::new("memory");
    // Creating a world takes memory too, so it comes first.
    World::prepare(Cast::Standard, 0);
    let mut add = |name: &str, count: u64, bytes: f64| {
        let each = bytes / count as f64;
        figures.add(name, Some(count), Kind::Count, each, Unit::Bytes);
    };
    for count in sizes().into_iter().filter(|size| *size >= large()) {
        World::prepare(Cast::Standard, count);
        let (none, engine) = (of_child("engine", 0), of_child("engine", count));
        add("memory/resident", count, engine.resident - none.resident);
        add("memory/peak", count, engine.peak - none.peak);
        if engine.hot > 0.0 {
            add("memory/hot-table", count, engine.hot);
        }
        if count <= 1_000_000 {
            let map = of_child("hashmap", count).resident - of_child("hashmap", 0).resident;
            add("memory/hashmap", count, map);
        }
    }
}

fn of_child(what: &str, count: u64) -> Memory {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--child", what, &count.to_string()]);
    let made = child.output().unwrap();
    let errors = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{errors}");
    let text = String::from_utf8(made.stdout).unwrap();
    let numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    let [resident, peak, hot] = numbers.collect::<Vec<_>>().try_into().unwrap();
    Memory { resident, peak, hot }
}

fn child(what: &str, count: u64) {
    let memory = if what == "engine" {
        let _engine = World::engine(Cast::Standard, count, Sharing::Exclusive);
        settled()
    } else {
        // The minimum for a look-up by SHA-256: the hash, and a number.
        let hash = |number: u64| *blake3::hash(&number.to_le_bytes()).as_bytes();
        let map: HashMap<[u8; 32], u64> = (0..count).map(|number| (hash(number), number)).collect();
        black_box(&map);
        own()
    };
    println!("{} {} {}", memory.resident, memory.peak, memory.hot);
}

/// Waits until the memory for opening is returned and the table has its final size.
fn settled() -> Memory {
    let mut memory = own();
    let mut same = 0;
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(200));
        let now = own();
        let change = (now.resident - memory.resident).abs() / memory.resident;
        same = if change < 0.01 { same + 1 } else { 0 };
        memory = now;
        if same == 5 {
            break;
        }
    }
    memory
}

fn own() -> Memory {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, kilobytes)
    };
    Memory { resident: of("VmRSS:"), peak: of("VmHWM:"), hot: huge() * HOT }
}

/// Share of the hot slots in the memory on huge pages: a slot has 32 bytes, and 24 more that only
/// changes read.
///
/// The engine uses huge pages for these two arrays only. They have the same number of elements, are
/// completely resident, and are adjacent, so that the system reports them as one mapping.
const HOT: f64 = 32.0 / (32.0 + 24.0);

/// Returns the resident memory in mappings with the flag `hg`; 0 if the system does not report it.
fn huge() -> f64 {
    let text = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    let (mut all, mut resident) = (0.0, 0.0);
    for line in text.lines() {
        if let Some(size) = line.strip_prefix("Rss:") {
            resident = kilobytes(size);
        }
        let flags = line.strip_prefix("VmFlags:").unwrap_or_default();
        if flags.split_whitespace().any(|flag| flag == "hg") {
            all += resident;
        }
    }
    all
}

fn kilobytes(text: &str) -> f64 {
    let number = text.trim().strip_suffix("kB").map(str::trim);
    let number = number.and_then(|number| number.parse::<f64>().ok());
    number.unwrap_or_default() * 1024.0
}
