//! Progress bars, shown on terminals only.

use std::io::{self, Read, Seek, SeekFrom};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on standard error, cleared when finished. Hidden if that is not a terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn none() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Creates a bar that counts items, with their total number if it is available.
    pub(crate) fn counted(what: &'static str, all: Option<u64>) -> Self {
        Self::new(what, all, "{human_pos}", "{human_len}")
    }

    /// Creates a bar that counts bytes, with their total number if it is available.
    pub(crate) fn bytes(what: &'static str, all: Option<u64>) -> Self {
        Self::new(what, all, "{decimal_bytes}", "{decimal_total_bytes}")
    }

    fn new(what: &'static str, all: Option<u64>, position: &str, length: &str) -> Self {
        let bar = ProgressBar::with_draw_target(all, ProgressDrawTarget::stderr());
        let template = match all {
            Some(_) => format!("{{msg}} {{wide_bar}} {position} of {length}, {{eta}} left"),
            None => format!("{{msg}} {{spinner}} {position}"),
        };
        // The test below verifies the templates.
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

    /// Changes the message.
    pub(crate) fn say(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// Wraps `input` so that the bar follows its position.
    pub(crate) fn watch<R: Read>(&self, input: R) -> CountingReader<R> {
        CountingReader { input, bar: self.0.clone() }
    }
}

/// A reader that advances a progress bar.
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
            for (position, length) in
                [("{human_pos}", "{human_len}"), ("{decimal_bytes}", "{decimal_total_bytes}")]
            {
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
