//! Lines from a connection, of bounded length and each within a bounded time.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::protocol::Refusal;

/// Reads lines. What was read is wiped afterwards: it may be a token.
pub(crate) struct Lines<'s> {
    stream: &'s TcpStream,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the line that was handed out last.
    used: usize,
    longest: usize,
    time: Duration,
}

const CHUNK: usize = 512;

impl<'s> Lines<'s> {
    /// Lines of at most `longest` bytes, their end included.
    pub(crate) fn new(stream: &'s TcpStream, longest: usize, time: Duration) -> Self {
        Self {
            stream,
            // It never grows: a buffer that grows leaves copies behind.
            buffer: Zeroizing::new(Vec::with_capacity(longest)),
            used: 0,
            longest,
            time,
        }
    }

    /// The next line without its end; none at the end of the connection.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Refusal> {
        self.buffer.drain(..self.used);
        self.used = 0;
        // For the whole line: a byte now and then does not keep a connection open.
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

    /// Whether the connection goes on.
    fn read(&mut self, deadline: Instant) -> Result<bool, Refusal> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Refusal::Timeout);
        }
        let mut chunk = Zeroizing::new([0; CHUNK]);
        let room = (self.longest - self.buffer.len()).min(CHUNK);
        let chunk = chunk.get_mut(..room).unwrap_or_default();
        let mut stream = self.stream;
        let read = stream
            .set_read_timeout(Some(left))
            .and_then(|()| stream.read(chunk));
        match read {
            Ok(count) => {
                self.buffer
                    .extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(count > 0)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => Ok(true),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Err(Refusal::Timeout),
                // The connection is gone.
                _ => Ok(false),
            },
        }
    }
}
