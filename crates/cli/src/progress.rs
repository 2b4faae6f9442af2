//! How far something is, on a terminal only.

use std::io::{self, Read, Seek, SeekFrom};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on standard error that is gone when it is finished. Nothing is shown if that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn none() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Counts things, of so many if that is known.
    pub(crate) fn counted(what: &'static str, all: Option<u64>) -> Self {
        Self::new(what, all, "{human_pos}", "{human_len}")
    }

    /// Counts bytes.
    pub(crate) fn bytes(what: &'static str, all: Option<u64>) -> Self {
        Self::new(what, all, "{decimal_bytes}", "{decimal_total_bytes}")
    }

    fn new(what: &'static str, all: Option<u64>, position: &str, length: &str) -> Self {
        let bar = ProgressBar::with_draw_target(all, ProgressDrawTarget::stderr());
        let template = match all {
            Some(_) => format!("{{msg}} {{wide_bar}} {position} of {length}, {{eta}} left"),
            None => format!("{{msg}} {{spinner}} {position}"),
        };
        // A template that is wrong would be found by the test below.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }

    /// Says what is done now.
    pub(crate) fn say(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// Counts what is read.
    pub(crate) fn watch<R: Read>(&self, input: R) -> CountingReader<R> {
        CountingReader {
            input,
            bar: self.0.clone(),
        }
    }
}

/// What is read, counted.
pub(crate) struct CountingReader<R> {
    input: R,
    bar: ProgressBar,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for CountingReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.input.seek(to)?;
        self.bar.set_position(at);
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_templates_are_valid() {
        for all in [None, Some(3)] {
            for (position, length) in [
                ("{human_pos}", "{human_len}"),
                ("{decimal_bytes}", "{decimal_total_bytes}"),
            ] {
                Progress::new("x", all, position, length).finish();
            }
        }
        assert!(
            ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}, {eta} left")
                .is_ok()
        );
        assert!(ProgressStyle::with_template("{msg} {spinner} {decimal_bytes}").is_ok());
    }
}
