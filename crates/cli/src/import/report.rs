//! Report of an import.

use serde::Serialize;
use serde_json::json;
use symbolon::import::{BadRow, Counts, ImportList, Plan};

use crate::error::Failure;
use crate::output::{self, count, number, rate};

pub(super) struct Report {
    planned: Counts,
    known: Counts,
    pub(super) bad: Vec<BadRow>,
    pub(super) written: Counts,
    pub(super) seconds: f64,
    dry_run: bool,
    refused: bool,
}

/// Maximum number of bad rows printed.
const SHOWN: usize = 20;

#[derive(Serialize)]
struct BadForm<'r> {
    place: String,
    id: Option<symbolon::Id>,
    reason: &'r str,
}

impl Report {
    pub(super) fn new(plan: &Plan, dry_run: bool) -> Self {
        Self {
            planned: plan.new_items(),
            known: plan.known(),
            bad: plan.bad().to_vec(),
            written: Counts::default(),
            seconds: 0.0,
            dry_run,
            refused: false,
        }
    }

    /// Marks the import as refused because of bad rows.
    pub(super) fn refuse(&mut self) {
        self.refused = true;
    }

    pub(super) fn show(&self, json: bool) -> Result<(), Failure> {
        for bad in self.bad.iter().take(SHOWN) {
            output::tell(&bad.to_string());
        }
        if let Some(more) = self.bad.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            output::tell(&format!("and {} more", number(more)));
        }
        let is_revoked = |bad: &BadRow| bad.reason.contains("was revoked or deleted");
        if self.bad.iter().any(is_revoked) {
            output::tell("To import what was revoked or deleted as it was, pass `--revive`.");
        }
        if !self.refused && !self.bad.is_empty() {
            output::warning(format!("skipped {}", count(self.bad.len(), "bad row")));
        }
        match (json, self.refused) {
            (true, _) => output::print_json(&self.json()),
            (false, true) => Ok(()),
            (false, false) => output::print(self.text()),
        }
    }

    fn new_items(&self) -> Counts {
        if self.dry_run { self.planned } else { self.written }
    }

    fn text(&self) -> String {
        let (new, known) = (self.new_items(), self.known);
        if new.total() == 0 {
            let present = count(known.total(), "item");
            return format!("Nothing to import; {present} already present.\n");
        }
        let mut table = output::table(&["", "New", "Existing", "Skipped"]);
        let left_out = self.left_out();
        for (name, counts) in [
            ("Organizations", [new, known, left_out].map(|one| one.organizations)),
            ("Users", [new, known, left_out].map(|one| one.users)),
            ("Buckets", [new, known, left_out].map(|one| one.buckets)),
            ("Authorizations", [new, known, left_out].map(|one| one.authorizations)),
        ] {
            let [new, known, left_out] = counts.map(number);
            table.add_row([name.to_owned(), new, known, left_out]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        let end = match self.dry_run {
            true => "Nothing was written: this was a dry run.".to_owned(),
            false => format!(
                "Imported {} in {:.2} s ({} per second).",
                count(new.total(), "item"),
                self.seconds,
                number(rate(new.total(), self.seconds)),
            ),
        };
        format!("{}\n{end}\n", output::lines(&table))
    }

    fn left_out(&self) -> Counts {
        let mut counts = Counts::default();
        for bad in &self.bad {
            match bad.place.list {
                ImportList::Organizations => counts.organizations += 1,
                ImportList::Users => counts.users += 1,
                ImportList::Buckets => counts.buckets += 1,
                ImportList::Authorizations | ImportList::Unnamed => counts.authorizations += 1,
            }
        }
        counts
    }

    fn json(&self) -> serde_json::Value {
        let form = |counts: Counts| {
            json!({
                "orgs": counts.organizations,
                "users": counts.users,
                "buckets": counts.buckets,
                "authorizations": counts.authorizations,
            })
        };
        let bad = self.bad.iter().map(|bad| BadForm {
            place: bad.place.to_string(),
            id: bad.id,
            reason: &bad.reason,
        });
        json!({
            "new": form(self.new_items()),
            "known": form(self.known),
            "leftOut": form(self.left_out()),
            "bad": bad.collect::<Vec<_>>(),
            "dryRun": self.dry_run,
            "seconds": self.seconds,
        })
    }
}
