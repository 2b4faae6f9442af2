//! The error of a command.

use std::error::Error;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;
