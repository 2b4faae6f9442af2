//! `symbolon check`: a single check or a stream of checks.

mod arguments;
mod decision_json;
mod lines;
mod names;
mod single;
mod stream;

use std::process::ExitCode;

use crate::error::Failure;
use crate::global::Global;

pub(crate) use arguments::CheckArgs;

pub(crate) fn run(global: &Global, args: &CheckArgs) -> Result<ExitCode, Failure> {
    if args.stream { stream::run(global) } else { single::run(global, args) }
}
