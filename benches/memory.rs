//! Memory for each token: what is resident in a fresh process that has opened an engine, beyond one with no tokens.
//!
//! The store of that process reads its records from a file and keeps none, so that only the engine's memory counts.
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

/// What the system says of this process, in bytes.
#[derive(Debug, Clone, Copy)]
struct Memory {
    resident: f64,
    peak: f64,
    /// Of that, the hot table: what checks read.
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
    // The worlds are made before, for that takes memory too.
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
            // What a look-up by SHA-256 holds at least: the hash, and a number for what is found.
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

/// Once it stays as it is: what was needed to open is given back, and a table that was much too large has got its size.
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

/// The part of the hot slots in what lies on huge pages: slots of 32 bytes, and for each 24 bytes that only changes read.
/// The engine asks for huge pages for these two arrays alone, which are as long as each other and full of random places,
/// so that all of both is resident; the system shows them as one mapping, for they lie side by side.
const HOT: f64 = 32.0 / (32.0 + 24.0);

/// What is resident in mappings with the flag `hg`, if the system tells.
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
