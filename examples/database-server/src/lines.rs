//! Lines from a connection, with a maximum length and a time limit for each line.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::protocol::Refusal;

/// A reader of lines that zeroes its buffer, because a line may contain a token.
pub(crate) struct Lines<'s> {
    stream: &'s TcpStream,
    buffer: Zeroizing<Vec<u8>>,
    /// Length of the previous line in bytes.
    used: usize,
    longest: usize,
    time: Duration,
}

const CHUNK: usize = 512;

impl<'s> Lines<'s> {
    /// Creates a reader of lines of at most `longest` bytes, including the line end.
    pub(crate) fn new(stream: &'s TcpStream, longest: usize, time: Duration) -> Self {
        Self {
            stream,
            // Never grows: a growing buffer would leave copies behind.
            buffer: Zeroizing::new(Vec::with_capacity(longest)),
            used: 0,
            longest,
            time,
        }
    }

    /// Returns the next line without its end; none at the end of the connection.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Refusal> {
        self.buffer.drain(..self.used);
        self.used = 0;
        // Applies to the whole line: an occasional byte does not keep a connection open.
        let deadline = Instant::now() + self.time;
        let at = loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                break at;
            }
            if self.buffer.len() == self.longest {
                return Err(Refusal::TooLong);
            }
            if !self.read(deadline)? {
                return Ok(None);
            }
        };
        self.used = at + 1;
        let line = self.buffer.get(..at).unwrap_or_default();
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Returns whether the connection continues.
    fn read(&mut self, deadline: Instant) -> Result<bool, Refusal> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Refusal::Timeout);
        }
        let mut chunk = Zeroizing::new([0; CHUNK]);
        let room = (self.longest - self.buffer.len()).min(CHUNK);
        let chunk = chunk.get_mut(..room).unwrap_or_default();
        let mut stream = self.stream;
        let read = stream.set_read_timeout(Some(left)).and_then(|()| stream.read(chunk));
        match read {
            Ok(count) => {
                self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(count > 0)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => Ok(true),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Err(Refusal::Timeout),
                // The connection was closed.
                _ => Ok(false),
            },
        }
    }
}
