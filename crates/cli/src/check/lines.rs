//! Reading lines in constant memory, from input of any length.

use std::io::{self, Read};

/// Maximum length of a line, in bytes.
pub(super) const LONGEST: usize = 1 << 20;
/// Maximum number of bytes per read.
const READ: usize = 1 << 17;

pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Range of the buffer that is read but not yet returned.
    start: usize,
    end: usize,
    /// `true` while the rest of a too long line is skipped.
    skips: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'b> {
    Text(&'b [u8]),
    TooLong,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; LONGEST + READ], start: 0, end: 0, skips: false }
    }

    /// Returns the next line without its line feed, or `None` at the end of the input. Calls `idle`
    /// before waiting for input.
    pub(super) fn next(
        &mut self,
        mut idle: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Option<Line<'_>>> {
        let mut looked_at = 0;
        loop {
            let waiting = self.buffer.get(self.start..self.end).unwrap_or_default();
            let fresh = waiting.get(looked_at..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(self.hand_out(looked_at + at, 1)));
            }
            looked_at = waiting.len();
            if looked_at > LONGEST {
                // Reported once its end is read.
                self.skips = true;
                (self.start, looked_at) = (self.end, 0);
            }
            idle()?;
            if self.fill()? == 0 {
                let unfinished = self.start < self.end || self.skips;
                return Ok(unfinished.then(|| self.hand_out(looked_at, 0)));
            }
        }
    }

    fn hand_out(&mut self, length: usize, end: usize) -> Line<'_> {
        let from = self.start;
        self.start += length + end;
        if std::mem::take(&mut self.skips) || length > LONGEST {
            return Line::TooLong;
        }
        Line::Text(self.buffer.get(from..from + length).unwrap_or_default())
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.start == self.end || self.end + READ > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let room = self.buffer.get_mut(self.end..self.end + READ).unwrap_or_default();
        loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.end += read;
                    return Ok(read);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns a few bytes per read.
    struct SlowReader<'b>(&'b [u8], usize);

    impl Read for SlowReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    fn all(input: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(SlowReader(input, step));
        let mut all = Vec::new();
        while let Some(line) = lines.next(|| Ok(())).unwrap() {
            all.push(match line {
                Line::Text(text) => Some(text.to_vec()),
                Line::TooLong => None,
            });
        }
        all
    }

    #[test]
    fn line_endings_are_stripped() {
        let some = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(all(b"", 9), []);
        assert_eq!(all(b"\n", 9), [some("")]);
        assert_eq!(all(b"a\n\nb", 9), [some("a"), some(""), some("b")]);
    }

    #[test]
    fn too_long_lines_are_skipped() {
        let fits = vec![b'x'; LONGEST];
        let long = vec![b'x'; LONGEST + 1];
        let longer = vec![b'x'; 3 * LONGEST + 5];
        for step in [1 << 13, 1 << 20] {
            let input =
                [&fits[..], b"\n", &long, b"\ny\n", &longer, b"\n", &fits, b"\n", &longer].concat();
            let got: Vec<_> =
                all(&input, step).into_iter().map(|line| line.map(|line| line.len())).collect();
            assert_eq!(got, [Some(LONGEST), None, Some(1), None, Some(LONGEST), None]);
        }
    }

    #[test]
    fn idle_callback_runs_before_waiting_for_input() {
        let mut lines = Lines::new(SlowReader(b"a\nb\nc", 4));
        let mut idle = 0;
        for waits in [1, 1, 3] {
            lines
                .next(|| {
                    idle += 1;
                    Ok(())
                })
                .unwrap();
            assert_eq!(idle, waits);
        }
    }

    proptest! {
        #[test]
        fn lines_match_slice_split(input in "[a\n]{0,40}", step in 1..9_usize) {
            let lines = input.split('\n').map(|line| Some(line.as_bytes().to_vec()));
            let mut wanted: Vec<_> = lines.collect();
            // No line follows a final line feed.
            if wanted.last() == Some(&Some(Vec::new())) {
                wanted.pop();
            }
            prop_assert_eq!(all(input.as_bytes(), step), wanted);
        }
    }
}
