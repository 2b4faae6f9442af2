//! Printing the rows of a list as a table or as JSON.

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::Args;
use comfy_table::Table;
use serde::{Serialize, Serializer};

use crate::error::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct TableOptions {
    /// Print results as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Hide the table headers
    #[arg(long)]
    hide_headers: bool,
}

/// A row of a table, or a JSON object.
pub(crate) trait Row: Serialize {
    /// Header of each column.
    const HEADER: &[&str];

    /// Returns the text of each column.
    fn cells(&self) -> Vec<String>;

    /// Returns shorter texts, for a terminal.
    fn short_cells(&self) -> Vec<String> {
        self.cells()
    }
}

impl TableOptions {
    /// Prints all rows. JSON is streamed, so that a list of any length needs little memory.
    pub(crate) fn print<R: Row>(
        &self,
        rows: impl Iterator<Item = Result<R, Failure>>,
    ) -> Result<(), Failure> {
        if self.json {
            return print_array(rows);
        }
        let mut table = self.table::<R>(&[]);
        for row in rows {
            table.add_row(cells(&row?));
        }
        output::print(output::lines(&table))
    }

    /// Prints one row; as JSON, the object alone.
    pub(crate) fn print_one(&self, row: &impl Row) -> Result<(), Failure> {
        self.print_as(row, None)
    }

    /// Prints one row with a column `Deleted`; as JSON, the object alone.
    pub(crate) fn print_deleted(&self, row: &impl Row) -> Result<(), Failure> {
        self.print_as(row, Some(("Deleted", "true")))
    }

    fn print_as<R: Row>(&self, row: &R, more: Option<(&str, &str)>) -> Result<(), Failure> {
        if self.json {
            return output::print_json(row);
        }
        let mut table = self.table::<R>(more.map(|(header, _)| header).as_slice());
        let more = more.map(|(_, cell)| cell.to_owned());
        table.add_row([cells(row), more.into_iter().collect()].concat());
        output::print(output::lines(&table))
    }

    fn table<R: Row>(&self, more: &[&str]) -> Table {
        match self.hide_headers {
            true => output::table(&[]),
            false => output::table(&[R::HEADER, more].concat()),
        }
    }
}

fn cells(row: &impl Row) -> Vec<String> {
    match io::stdout().is_terminal() {
        true => row.short_cells(),
        false => row.cells(),
    }
}

/// Prints a JSON array, writing each row as it arrives.
fn print_array<R: Row>(rows: impl Iterator<Item = Result<R, Failure>>) -> Result<(), Failure> {
    let mut lost = None;
    let rows = rows.map_while(|row| row.map_err(|failure| lost = Some(failure)).ok());
    let mut out = BufWriter::new(io::stdout().lock());
    let written = serde_json::Serializer::pretty(&mut out)
        .collect_seq(rows)
        .map_err(io::Error::from)
        .and_then(|()| writeln!(out).and_then(|()| out.flush()));
    match (lost, written) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        (None, written) => written.map_err(Failure::Stdout),
    }
}
