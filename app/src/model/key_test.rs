//! A test of a key: the preflight as each live server of the deployment ran it, with its own credentials. Nothing changes.

use super::preflight::{KeyProblem, Preflight};
use serde::{Deserialize, Serialize};

/// Why a key was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestPurpose {
    /// Somebody pressed *Test Key*.
    Test,
    /// Somebody pressed *Activate Key*, and was refused if a step failed.
    Activation,
}

/// What one server found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTest {
    /// What operators call the server.
    pub server: String,
    /// `None` until it has answered.
    pub answer: Option<ServerAnswer>,
}

/// The last answer of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAnswer {
    pub preflight: Preflight,
    /// How often it has tried, this time included.
    pub attempts: u32,
}

/// A test with what has been answered so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTest {
    pub id: String,
    /// The key that is tested.
    pub arn: String,
    pub purpose: TestPurpose,
    /// When it was asked for; Unix milliseconds.
    pub asked_at: i64,
    /// For how much longer denials are tried again, in milliseconds; 0 when no more.
    pub tries_for: i64,
    /// Whether the servers that have not answered are not waited for any more.
    pub is_late: bool,
    /// The live servers, and those that have answered; by name.
    pub servers: Vec<ServerTest>,
}

/// What a test shows as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// Not every server has answered, and those that have found nothing wrong.
    Waiting,
    /// AWS denied something on some server, nothing else was wrong, and it is tried again: policies take a while to be known.
    TryingAgain,
    /// Something keeps the key from becoming the root key.
    Failed,
    /// Nothing that was asked failed.
    Passed,
}

impl KeyTest {
    /// What the answers so far show together.
    pub fn outcome(&self) -> TestOutcome {
        let problems: Vec<KeyProblem> = self.answers().filter_map(|answer| answer.preflight.problem()).collect();
        let is_answered = self.servers.iter().all(|server| server.answer.is_some());
        if problems.iter().any(|problem| !problem.is_denial()) {
            TestOutcome::Failed
        } else if !problems.is_empty() {
            if self.tries_for > 0 { TestOutcome::TryingAgain } else { TestOutcome::Failed }
        } else if is_answered || (self.is_late && self.answers().next().is_some()) {
            TestOutcome::Passed
        } else if self.is_late {
            TestOutcome::Failed
        } else {
            TestOutcome::Waiting
        }
    }

    /// Whether more can come without anybody asking again.
    pub fn is_open(&self) -> bool {
        matches!(self.outcome(), TestOutcome::Waiting | TestOutcome::TryingAgain)
    }

    /// Every answer there is.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = &ServerAnswer> {
        self.servers.iter().filter_map(|server| server.answer.as_ref())
    }

    /// The servers that have not answered.
    pub fn silent(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().filter(|server| server.answer.is_none()).map(|server| server.server.as_str())
    }
}

/// What pressing *Activate Key* came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The job has begun.
    Begun,
    /// The key was tested first and is not fit; nothing has changed. The id is that of the test.
    Refused(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preflight::{PreflightStep, StepReport, StepResult};

    fn answered(result: StepResult) -> ServerTest {
        let step =
            StepReport { step: PreflightStep::Wrap, result, code: None, request_id: None, denial: None, at: None };
        let answer = ServerAnswer { preflight: Preflight { steps: vec![step] }, attempts: 1 };
        ServerTest { server: "a".to_owned(), answer: Some(answer) }
    }

    fn test(tries_for: i64, is_late: bool, servers: Vec<ServerTest>) -> KeyTest {
        let (id, arn) = ("id".to_owned(), "arn".to_owned());
        KeyTest { id, arn, purpose: TestPurpose::Test, asked_at: 0, tries_for, is_late, servers }
    }

    #[test]
    fn the_worst_answer_decides() {
        let silent = || ServerTest { server: "b".to_owned(), answer: None };
        let (passed, denied) = (StepResult::Passed, StepResult::Failed(KeyProblem::EncryptDenied));
        let disabled = StepResult::Failed(KeyProblem::Disabled);
        let cases = [
            (test(9, false, vec![answered(passed)]), TestOutcome::Passed),
            (test(9, false, vec![answered(passed), silent()]), TestOutcome::Waiting),
            (test(9, true, vec![answered(passed), silent()]), TestOutcome::Passed),
            (test(9, true, vec![silent()]), TestOutcome::Failed),
            (test(9, false, vec![answered(passed), answered(denied)]), TestOutcome::TryingAgain),
            (test(0, false, vec![answered(passed), answered(denied)]), TestOutcome::Failed),
            (test(9, false, vec![answered(denied), answered(disabled)]), TestOutcome::Failed),
            (test(9, false, vec![answered(denied), silent()]), TestOutcome::TryingAgain),
        ];
        for (test, outcome) in cases {
            assert_eq!(test.outcome(), outcome, "{test:?}");
        }
    }
}
