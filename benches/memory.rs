//! Memory per token: the resident memory of a new process with an open engine, minus that of one
//! without tokens.
//!
//! The store of that process keeps no records in memory, so that only the engine's memory counts.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to measure"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use symbolon::store::Sharing;
use symbolon_benches::{Cast, Figures, Kind, Served, Unit, large, sizes};

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
struct Memory {
    resident: f64,
    peak: f64,
    /// The part of the resident memory that checks read.
    hot: f64,
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(place) = words.iter().position(|word| word == "--child") {
        let what = words.get(place + 1).unwrap();
        let count = words.get(place + 2).and_then(|word| word.parse().ok());
        return child(what, count.unwrap());
    }
    let mut figures = Figures::new("memory");
    // Creating a world takes memory too, so it comes first.
    Served::prepare(Cast::Standard, 0);
    let mut add = |name: &str, count: u64, bytes: f64| {
        let each = bytes / count as f64;
        figures.add(name, Some(count), Kind::Count, each, Unit::Bytes);
    };
    for count in sizes().into_iter().filter(|size| *size >= large()) {
        Served::prepare(Cast::Standard, count);
        let none = of_child("engine", 0);
        let engine = of_child("engine", count);
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
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let text = String::from_utf8(made.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    let mut next = || numbers.next().unwrap();
    Memory {
        resident: next(),
        peak: next(),
        hot: next(),
    }
}

fn child(what: &str, count: u64) {
    let memory = match what {
        "engine" => {
            let engine = Served::engine(Cast::Standard, count, Sharing::Exclusive);
            let memory = settled();
            drop(engine);
            memory
        }
        _ => {
            // The minimum for a look-up by SHA-256: the hash, and a number.
            let hash = |number: u64| {
                let mut hash = [0; 32];
                blake3::Hasher::new()
                    .update(&number.to_le_bytes())
                    .finalize_xof()
                    .fill(&mut hash);
                hash
            };
            let map: HashMap<[u8; 32], u64> =
                (0..count).map(|number| (hash(number), number)).collect();
            black_box(&map);
            own()
        }
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
    Memory {
        resident: of("VmRSS:"),
        peak: of("VmHWM:"),
        hot: huge().unwrap_or_default() * HOT,
    }
}

/// Share of the hot slots in the memory on huge pages: a slot has 32 bytes, and 24 more that only
/// changes read.
///
/// The engine uses huge pages for these two arrays only. They have the same number of elements, are
/// completely resident, and are adjacent, so that the system reports them as one mapping.
const HOT: f64 = 32.0 / (32.0 + 24.0);

/// Returns the resident memory in mappings with the flag `hg`, if the system reports it.
fn huge() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/smaps").ok()?;
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
    Some(all)
}

fn kilobytes(text: &str) -> f64 {
    let number = text.trim().strip_suffix("kB").map(str::trim);
    number
        .and_then(|number| number.parse::<f64>().ok())
        .unwrap_or_default()
        * 1024.0
}
