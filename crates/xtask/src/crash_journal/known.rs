//! What the children acknowledged, and whether an engine answers accordingly.

use std::collections::BTreeMap;

use symbolon::{Action, Denied, Engine, Id, Request, ResourceType};

/// Every token that was ever acknowledged.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    tokens: BTreeMap<Id, Made>,
    /// Made and ended.
    pub(super) acknowledged: u64,
}

#[derive(Debug, Clone)]
struct Made {
    token: String,
    state: State,
}

/// What a check must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It works.
    Live,
    /// It has ended, and never works again, whatever is restored.
    Ended,
    /// The restored backup is older.
    Absent,
    /// Either: what the engine answers holds from then on.
    Open,
}

/// A backup that a child made.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) number: u32,
    /// What was acknowledged before it was begun.
    holds: Vec<Id>,
    pub(super) complete: bool,
}

impl Known {
    /// Notes what a child said.
    pub(super) fn hear(&mut self, line: &str, copies: &mut Vec<Copy>) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (id, token) = rest.split_once(' ').unwrap_or((rest, ""));
        match (word, id.parse::<Id>(), rest.parse::<u32>()) {
            ("made", Ok(id), _) => {
                self.acknowledged += 1;
                self.make(id, token.to_owned());
            }
            ("ending", Ok(id), _) => self.set(id, State::Open),
            ("ended", Ok(id), _) => {
                self.acknowledged += 1;
                self.set(id, State::Ended);
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

    pub(super) fn make(&mut self, id: Id, token: String) {
        let state = State::Live;
        self.tokens.insert(id, Made { token, state });
    }

    /// What must work.
    pub(super) fn live(&self) -> Vec<Id> {
        self.ids(State::Live)
    }

    pub(super) fn end(&mut self, id: Id) {
        self.set(id, State::Ended);
    }

    /// What holds once this backup is restored: what had ended has ended.
    pub(super) fn restore(&mut self, copy: &Copy) {
        for (id, made) in &mut self.tokens {
            made.state = match made.state {
                State::Ended => State::Ended,
                State::Live if copy.holds.contains(id) => State::Live,
                State::Live | State::Absent | State::Open => State::Open,
            };
        }
    }

    /// What the engine answers otherwise than it must.
    pub(super) fn compare(&mut self, engine: &Engine, organization: Id) -> Vec<String> {
        let verifier = engine.verifier();
        let request = Request::new(Action::READ, ResourceType::BUCKETS).organization(organization);
        let mut lost = Vec::new();
        for (id, made) in &mut self.tokens {
            let answer = verifier.check(&made.token, &request);
            let is_right = match (made.state, answer) {
                (State::Live | State::Open, Ok(found)) => found == *id,
                (State::Ended | State::Open, Err(Denied::Revoked(_) | Denied::Expired(_))) => true,
                (State::Ended | State::Absent | State::Open, Err(Denied::Unknown)) => true,
                _ => false,
            };
            if !is_right {
                lost.push(format!(
                    "{id} is {:?} and was answered {answer:?}",
                    made.state
                ));
            }
            if made.state == State::Open {
                made.state = match answer {
                    Ok(_) => State::Live,
                    Err(Denied::Unknown) => State::Absent,
                    Err(_) => State::Ended,
                };
            }
        }
        lost
    }

    fn ids(&self, state: State) -> Vec<Id> {
        let tokens = self.tokens.iter().filter(|(_, made)| made.state == state);
        tokens.map(|(id, _)| *id).collect()
    }

    fn set(&mut self, id: Id, state: State) {
        if let Some(made) = self.tokens.get_mut(&id) {
            made.state = state;
        }
    }
}
