//! The state of every token that the children have acknowledged.

use std::collections::BTreeMap;

use symbolon::{Action, Denied, Engine, Id, Request, ResourceType};

/// The acknowledged tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    tokens: BTreeMap<Id, Created>,
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
    pub(super) complete: bool,
}

impl Expected {
    /// Reads a line of a child's output.
    pub(super) fn read(&mut self, line: &str, copies: &mut Vec<Copy>) {
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
            ("copying", _, Ok(number)) => copies.push(Copy {
                number,
                holds: self.ids(State::Live),
                complete: false,
            }),
            ("copied", _, Ok(number)) => {
                let begun = copies.iter_mut().find(|copy| copy.number == number);
                begun.into_iter().for_each(|copy| copy.complete = true);
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
        self.ids(State::Live)
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
            let is_right = match (created.state, answer) {
                (State::Live | State::Open, Ok(found)) => found == *id,
                (State::Revoked | State::Open, Err(Denied::Revoked(_) | Denied::Expired(_))) => {
                    true
                }
                (State::Revoked | State::Absent | State::Open, Err(Denied::Unknown)) => true,
                _ => false,
            };
            if !is_right {
                lost.push(format!("{id} is {:?}, answer {answer:?}", created.state));
            }
            if created.state == State::Open {
                created.state = match answer {
                    Ok(_) => State::Live,
                    Err(Denied::Unknown) => State::Absent,
                    Err(_) => State::Revoked,
                };
            }
        }
        lost
    }

    fn ids(&self, state: State) -> Vec<Id> {
        let tokens = self
            .tokens
            .iter()
            .filter(|(_, created)| created.state == state);
        tokens.map(|(id, _)| *id).collect()
    }

    fn set(&mut self, id: Id, state: State) {
        if let Some(created) = self.tokens.get_mut(&id) {
            created.state = state;
        }
    }
}
