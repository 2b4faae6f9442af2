//! The state of every token that the children have acknowledged.

use std::collections::BTreeMap;

use symbolon::{Action, Denied, Engine, Id, Request, ResourceType};

/// The acknowledged tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    tokens: BTreeMap<Id, Created>,
    /// Tokens that were live when the current backup started.
    copying: Vec<Id>,
    /// Finished backups.
    pub(super) copies: Vec<Copy>,
    /// Number of acknowledged creations and revocations.
    pub(super) acknowledged: u64,
}

#[derive(Debug, Clone)]
struct Created {
    token: String,
    state: State,
}

/// The answers that a check may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    /// Revoked, and never valid again whatever is restored.
    Revoked,
    /// Created after the restored backup.
    Absent,
    /// Undecided: the first answer of the engine holds from then on.
    Open,
}

/// A backup that a child has written.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) number: u32,
    /// Tokens that were acknowledged before the backup started.
    holds: Vec<Id>,
}

impl Expected {
    /// Reads a line of a child's output.
    pub(super) fn read(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (id, token) = rest.split_once(' ').unwrap_or((rest, ""));
        match (word, id.parse::<Id>(), rest.parse::<u32>()) {
            ("created", Ok(id), _) => {
                self.acknowledged += 1;
                self.create(id, token.to_owned());
            }
            ("revoking", Ok(id), _) => self.set(id, State::Open),
            ("revoked", Ok(id), _) => {
                self.acknowledged += 1;
                self.set(id, State::Revoked);
            }
            ("copying", ..) => self.copying = self.live(),
            ("copied", _, Ok(number)) => {
                let holds = self.copying.clone();
                self.copies.push(Copy { number, holds });
            }
            _ => {}
        }
    }

    pub(super) fn create(&mut self, id: Id, token: String) {
        let state = State::Live;
        self.tokens.insert(id, Created { token, state });
    }

    /// Returns the tokens that must work.
    pub(super) fn live(&self) -> Vec<Id> {
        let live = self.tokens.iter().filter(|(_, one)| one.state == State::Live);
        live.map(|(id, _)| *id).collect()
    }

    pub(super) fn revoke(&mut self, id: Id) {
        self.set(id, State::Revoked);
    }

    /// Applies the restoring of a backup. Revoked tokens remain revoked.
    pub(super) fn restore(&mut self, copy: &Copy) {
        for (id, created) in &mut self.tokens {
            created.state = match created.state {
                State::Revoked => State::Revoked,
                State::Live if copy.holds.contains(id) => State::Live,
                State::Live | State::Absent | State::Open => State::Open,
            };
        }
    }

    /// Returns the answers of an engine that are wrong.
    pub(super) fn compare(&mut self, engine: &Engine, organization: Id) -> Vec<String> {
        let verifier = engine.verifier();
        let request = Request::new(Action::READ, ResourceType::BUCKETS).organization(organization);
        let mut lost = Vec::new();
        for (id, created) in &mut self.tokens {
            let answer = verifier.check(&created.token, &request);
            let (seen, is_possible) = match answer {
                Ok(found) => (State::Live, found == *id),
                Err(Denied::Unknown) => (State::Absent, true),
                Err(Denied::Revoked(_) | Denied::Expired(_)) => (State::Revoked, true),
                Err(_) => (State::Revoked, false),
            };
            let is_expected = match created.state {
                State::Open => true,
                // The record of a revoked token may have been purged.
                State::Revoked => seen != State::Live,
                state => state == seen,
            };
            if !is_possible || !is_expected {
                lost.push(format!("{id} is {:?}, answer {answer:?}", created.state));
            }
            if created.state == State::Open {
                created.state = seen;
            }
        }
        lost
    }

    fn set(&mut self, id: Id, state: State) {
        if let Some(created) = self.tokens.get_mut(&id) {
            created.state = state;
        }
    }
}
