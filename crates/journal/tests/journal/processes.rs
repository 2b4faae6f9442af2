//! Several processes, and the death of one.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use symbolon::journal::{Durability, Journal};

use crate::common::{Home, all, at, intent, open, opened};

const FOLDER: &str = "SYMBOLON_JOURNAL_FOLDER";
const TURNS: &str = "SYMBOLON_JOURNAL_TURNS";

/// The command that runs this test in another process, where [`is_child`] is true.
fn child(test: &str, folder: &Path, turns: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads", "1"])
        .env(FOLDER, folder)
        .env(TURNS, turns.to_string())
        .stdout(Stdio::piped());
    command
}

/// In a child process, appends entries and prints the number of each synced one. Returns `true` in
/// a child process.
fn is_child() -> bool {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return false;
    };
    let turns: u64 = std::env::var(TURNS).unwrap().parse().unwrap();
    let journal = open(&folder);
    let mut out = std::io::stdout();
    for turn in 0..turns {
        let events = vec![if turn == 0 { opened() } else { intent() }; 3];
        let durability = match turn % 3 {
            0 => Durability::Written,
            _ => Durability::Synced,
        };
        let first = match journal.append(at(turn), &events, durability) {
            Ok(first) => first,
            Err(error) => {
                writeln!(out, "\nrefused {error:?}").unwrap();
                thread::sleep(Duration::from_millis(5));
                continue;
            }
        };
        writeln!(out, "\nack {}", first + 2).unwrap();
    }
    true
}

fn acknowledged(line: &str) -> Option<u64> {
    line.strip_prefix("ack ")?.parse().ok()
}

/// Kills a child after a number of acknowledgements. Returns the newest acknowledged number.
fn kill(mut child: Child, after: u64, wait: Duration) -> u64 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let numbers = lines.by_ref().map_while(Result::ok).filter_map(|line| acknowledged(&line));
    let seen = numbers.take(usize::try_from(after).unwrap()).last().unwrap();
    thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = lines.map_while(Result::ok).filter_map(|line| acknowledged(&line));
    rest.last().unwrap_or(seen)
}

#[test]
fn four_processes_have_four_chains() {
    if is_child() {
        return;
    }
    let home = Home::new();
    let start = |_| {
        let mut command = child("processes::four_processes_have_four_chains", &home.path(), 400);
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..4).map(start).collect();
    // A concurrent reader finds no defect.
    let reader = home.open();
    let mut reads = 0;
    let mut children = children;
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        reader.read(&mut |_| ()).unwrap();
        reader.recent().unwrap();
        assert!(home.verify().is_sound());
        reads += 1;
    }
    assert!(reads > 0);
    let mut lines = 0;
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for chain in home.verify().chains {
        assert!(chain.findings.is_empty(), "{chain:?}");
        lines += chain.lines;
    }
    assert_eq!(lines, 4 * 400 * 3);
}

#[test]
fn acknowledged_entries_survive_kill_9() {
    if is_child() {
        return;
    }
    let home = Home::new();
    let name = "processes::acknowledged_entries_survive_kill_9";
    let mut lines = 0;
    for cycle in 0..50_u64 {
        let child = child(name, &home.path(), 1_000_000).spawn().unwrap();
        let wait = Duration::from_micros(cycle * 137 % 2000);
        let newest = kill(child, 1 + cycle % 7, wait);
        assert!(newest > lines, "the chain did not go on");
        let report = home.verify();
        assert!(report.is_sound(), "{report:#?}");
        assert_eq!(report.chains.len(), 1);
        lines = report.chains[0].lines;
        assert!(lines >= newest, "{newest} acknowledged, {lines} there");
    }
    let journal = home.open();
    assert_eq!(all(&journal).len() as u64, lines);
    assert_eq!(journal.append(at(0), &[intent()], Durability::Synced).unwrap(), lines + 1);
}

/// A limit on the size of files cuts a write short as a full disk does.
#[test]
fn a_short_write_leaves_the_journal_intact() {
    if is_child() {
        return;
    }
    let home = Home::new();
    let name = "processes::a_short_write_leaves_the_journal_intact";
    let command = child(name, &home.path(), 60);
    let mut shell = Command::new("bash");
    // The child ignores the signal and so gets the error.
    shell.args(["-c", "trap '' XFSZ; ulimit -S -f 8; exec \"$@\"", "bash"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let done = shell.output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let numbers: Vec<_> = said.lines().filter_map(acknowledged).collect();
    assert!(said.contains("refused"), "{said}");
    assert!(numbers.len() > 3, "{said}");
    assert!(numbers.iter().zip(1..).all(|(number, turn)| *number == turn * 3));
    // What was cut short was taken back at once.
    let report = home.verify();
    assert!(report.is_sound());
    assert_eq!(report.chains[0].torn, 0);
    assert_eq!(Some(report.chains[0].lines), numbers.last().copied());
    assert!(fs::metadata(home.chain(1)).unwrap().len() <= 8 * 1024);
    let next = home.open().append(at(0), &[intent()], Durability::Synced);
    assert_eq!(next.unwrap(), report.chains[0].lines + 1);
    assert!(home.verify().is_sound());
}
