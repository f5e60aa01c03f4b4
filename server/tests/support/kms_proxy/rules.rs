//! What the proxy does with a call, other than to pass it on.

use super::Call;
use std::time::Duration;
use tokio::sync::watch;

/// What a call asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Of a data key, or of a value that tries a key.
    Encrypt,
    /// The signature of the audit log, which is an `Encrypt` too.
    Sign,
    Decrypt,
    DescribeKey,
    Other,
}

impl Operation {
    /// By the header that names it.
    pub fn of_target(target: &str) -> Self {
        match target.strip_prefix("TrentService.") {
            Some("Encrypt") => Self::Encrypt,
            Some("Decrypt") => Self::Decrypt,
            Some("DescribeKey") => Self::DescribeKey,
            _ => Self::Other,
        }
    }
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub enum Act {
    /// The real answer.
    Pass,
    /// The real answer, asked for so much later.
    Delay(Duration),
    /// The real answer, asked for once the gate is open.
    Wait(Gate),
    /// Takes the call and never answers.
    Hang,
    /// Resets the connection.
    Reset,
    /// An error with this status and code, in the form of KMS.
    Fail(u16, &'static str),
    /// A page for people, as proxies on the way send it.
    Html(u16),
    /// `{}` with status 200.
    Empty,
    /// The real answer, in the name of another key.
    WrongKeyId,
    /// The real answer, with a plaintext that is a byte shorter.
    WrongLength,
    /// The real answer, with another plaintext of the right length.
    WrongPlaintext,
    /// An earlier good answer for the same blob, whatever KMS says now. The truth if there was none.
    Stale,
    /// Each call takes the next of these, over and over: [`Act::Stale`] for `true`, [`Act::Pass`] for `false`.
    Flap(Vec<bool>),
}

/// Where calls wait until a test lets them go on. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed one.
    pub fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        self.0.subscribe().wait_for(|open| *open).await.ok();
    }
}

/// Which calls, and what becomes of them.
#[derive(Clone, Debug)]
pub struct Rule {
    operation: Option<Operation>,
    scope: Option<String>,
    key: Option<String>,
    /// A member of the encryption context, and the value with which the rule is not about a call.
    except: Option<(String, String)>,
    left: Option<usize>,
    turn: usize,
    act: Act,
}

impl Rule {
    /// For every call.
    pub fn all(act: Act) -> Self {
        Self { operation: None, scope: None, key: None, except: None, left: None, turn: 0, act }
    }

    /// For every call of one operation.
    pub fn on(operation: Operation, act: Act) -> Self {
        Self { operation: Some(operation), ..Self::all(act) }
    }

    /// Only for calls whose encryption context has this `scope`.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = Some(scope.to_owned());
        self
    }

    /// Only for calls that name this key.
    #[must_use]
    pub fn key(mut self, arn: &str) -> Self {
        self.key = Some(arn.to_owned());
        self
    }

    /// Only for calls whose encryption context lacks this member, or has another value there. With [`Act::Fail`] it is what a
    /// key policy does that allows an operation on this condition.
    #[must_use]
    pub fn unless_context(mut self, member: &str, value: &str) -> Self {
        self.except = Some((member.to_owned(), value.to_owned()));
        self
    }

    /// Only for so many calls.
    #[must_use]
    pub fn times(mut self, calls: usize) -> Self {
        self.left = Some(calls);
        self
    }

    /// What becomes of this call, if the rule is about it. That counts as one of its times.
    pub fn take(&mut self, call: &Call) -> Option<Act> {
        let about = self.operation.is_none_or(|only| only == call.operation)
            && self.scope.as_deref().is_none_or(|only| call.scope() == Some(only))
            && self.key.as_deref().is_none_or(|only| call.key_id == only)
            && self.except.as_ref().is_none_or(|(member, value)| call.context.get(member) != Some(value))
            && self.left != Some(0);
        if !about {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        let Act::Flap(turns) = &self.act else { return Some(self.act.clone()) };
        let stale = turns[self.turn % turns.len()];
        self.turn += 1;
        Some(if stale { Act::Stale } else { Act::Pass })
    }
}
