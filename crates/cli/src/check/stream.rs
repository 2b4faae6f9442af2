//! Checks for the lines of standard input.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use symbolon::{Allowed, Denied, JsonObject, JsonProblem};

use super::decision_json::Answer;
use super::lines::{LONGEST, Line, Lines};
use super::names::{Checker, NamedRequest};
use crate::error::Failure;
use crate::global::Global;
use crate::output;
use crate::progress::Progress;

pub(super) fn run(global: &Global) -> Result<ExitCode, Failure> {
    let engine = global.open()?;
    let mut stream = Stream {
        checker: Checker::new(&engine),
        out: Vec::with_capacity(FULL * 2),
        counts: Counts::default(),
        progress: progress(),
    };
    let start = Instant::now();
    let done = stream.answer_all(io::stdin().lock());
    stream.progress.finish();
    let counts = stream.counts;
    output::tell(&counts.text(start.elapsed().as_secs_f64()));
    match done {
        Err(failure) if !failure.is_broken_pipe() => return Err(failure),
        _ => {}
    }
    Ok(ExitCode::from(if counts.wrong == 0 { 0 } else { 2 }))
}

/// Shows progress unless the requests or the answers are on the terminal too.
fn progress() -> Progress {
    match io::stdin().is_terminal() || io::stdout().is_terminal() {
        true => Progress::none(),
        false => Progress::counted("Checking", None),
    }
}

/// A request in a line of input.
#[derive(Deserialize)]
struct StreamRequest<'l> {
    #[serde(borrow)]
    token: Text<'l>,
    #[serde(borrow)]
    action: Text<'l>,
    #[serde(borrow, rename = "type")]
    kind: Text<'l>,
    #[serde(borrow, default)]
    id: Option<Text<'l>>,
    #[serde(borrow, default)]
    org: Option<Text<'l>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    lines: usize,
    allowed: usize,
    denied: usize,
    wrong: usize,
}

struct Stream<'e> {
    checker: Checker<'e>,
    out: Vec<u8>,
    counts: Counts,
    progress: Progress,
}

/// Size of the output buffer, in bytes. It is also flushed before waiting for input.
const FULL: usize = 1 << 16;
/// Number of lines between two updates of the progress.
const STEP: usize = 4096;

impl Stream<'_> {
    fn answer_all(&mut self, input: impl io::Read) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        let mut lines = Lines::new(input);
        loop {
            let mut lost = None;
            let line = lines.next(|| {
                write_out(&mut stdout, &mut self.out).map_err(|error| {
                    lost = Some(error);
                    io::Error::other("lost")
                })
            });
            let line = match (line, lost) {
                (_, Some(error)) => return Err(Failure::Stdout(error)),
                (Err(error), None) => return Err(Failure::Stdin(error)),
                (Ok(None), None) => break,
                (Ok(Some(line)), None) => line,
            };
            self.answer(line).map_err(Failure::Stdout)?;
            if self.out.len() >= FULL {
                write_out(&mut stdout, &mut self.out).map_err(Failure::Stdout)?;
            }
            if self.counts.lines.is_multiple_of(STEP) {
                self.progress.set(self.counts.lines as u64);
            }
        }
        write_out(&mut stdout, &mut self.out).map_err(Failure::Stdout)
    }

    fn answer(&mut self, line: Line<'_>) -> io::Result<()> {
        self.counts.lines += 1;
        let decision = match line {
            Line::Text(line) => self.decide(line),
            Line::TooLong => Err(format!("the line is longer than {LONGEST} bytes").into()),
        };
        let answer = match &decision {
            Ok(decision) => {
                let count = match decision {
                    Ok(_) => &mut self.counts.allowed,
                    Err(_) => &mut self.counts.denied,
                };
                *count += 1;
                Answer::of(decision)
            }
            Err(error) => {
                self.counts.wrong += 1;
                let line = self.counts.lines;
                Answer::Wrong { error, line }
            }
        };
        serde_json::to_writer(&mut self.out, &answer)?;
        self.out.push(b'\n');
        Ok(())
    }

    /// Decides the request in a line. The error describes what is invalid without quoting a part
    /// that may be a token.
    fn decide(&mut self, line: &[u8]) -> Result<Result<Allowed, Denied>, Cow<'static, str>> {
        let line = std::str::from_utf8(line).map_err(|_| "the line is not valid UTF-8")?;
        let read = serde_json::from_str(line);
        let JsonObject::<StreamRequest<'_>>(given) = read.map_err(|error| explain(&error))?;
        let action = given.action.0.parse();
        let kind = given.kind.0.parse();
        let asked = NamedRequest {
            action: action.map_err(|error| format!("`action`: {error}"))?,
            kind: kind.map_err(|error| format!("`type`: {error}"))?,
            id: given.id.as_ref().map(|id| &*id.0),
            org: given.org.as_ref().map(|org| &*org.0),
        };
        let known = self.checker.schema().check_request(asked.action, asked.kind);
        known.map_err(|error| error.to_string())?;
        Ok(self.checker.decide(given.token.0.as_bytes(), &asked))
    }
}

/// Writes all of `out` and clears it.
fn write_out(stdout: &mut impl Write, out: &mut Vec<u8>) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    stdout.write_all(out)?;
    out.clear();
    stdout.flush()
}

impl Counts {
    fn text(&self, seconds: f64) -> String {
        format!(
            "{} in {seconds:.2} s ({} per second): {} allowed, {} denied, {} invalid",
            output::count(self.lines, "line"),
            output::number(output::rate(self.lines, seconds)),
            output::number(self.allowed),
            output::number(self.denied),
            output::number(self.wrong),
        )
    }
}

fn explain(error: &serde_json::Error) -> Cow<'static, str> {
    match JsonProblem::of(error) {
        JsonProblem::Syntax(text) => {
            format!("the line is not JSON: {text} at column {}", error.column()).into()
        }
        JsonProblem::Field(text) => text.into(),
        JsonProblem::Value(_) => "the line is not an object of strings such as \
             {\"token\":…,\"action\":…,\"type\":…,\"id\":…,\"org\":…}"
            .into(),
    }
}

/// A string, borrowed from its line unless it contains escapes.
struct Text<'l>(Cow<'l, str>);

impl<'de: 'l, 'l> Deserialize<'de> for Text<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
