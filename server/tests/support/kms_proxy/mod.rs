//! A proxy in front of the local KMS, which delays, breaks, falsifies or denies the calls it is told to, and records each.
//!
//! What must stay true: a call that no rule is about gets the answer of the real KMS, unchanged; rules can be changed at any
//! time and count from the next call on; and the record holds no plaintext.

mod exchange;
mod record;
mod rules;

pub use record::{Answered, Call};
pub use rules::{Act, Gate, Operation, Rule};

use super::PATIENCE;
use std::{
    collections::HashMap,
    env,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};
use vault::Zeroizing;

/// A running proxy. It ends when it is dropped.
pub struct KmsProxy {
    /// The endpoint to give to a server.
    pub url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

/// What all connections share.
struct Shared {
    upstream: String,
    client: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<Call>>,
    /// The last good answer for each blob, for [`Act::Stale`].
    good: Mutex<HashMap<String, Zeroizing<Vec<u8>>>>,
    made_up: AtomicU64,
}

impl KmsProxy {
    /// Starts one in front of the KMS of the tests, on a port of its own.
    pub async fn start() -> Self {
        Self::before(env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local KMS"))
            .await
    }

    /// Starts one in front of another KMS.
    pub async fn before(upstream: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let shared = Arc::new(Shared {
            upstream,
            client,
            rules: Mutex::default(),
            calls: Mutex::default(),
            good: Mutex::default(),
            made_up: AtomicU64::new(0),
        });
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(exchange::serve(connection, Arc::clone(&serving)));
            }
        });
        Self { url, shared, accepting }
    }

    /// Puts these rules in the place of all others. The first that is about a call decides.
    pub fn set(&self, rules: impl IntoIterator<Item = Rule>) {
        *self.shared.rules() = rules.into_iter().collect();
    }

    /// Passes on every call from now on.
    pub fn clear(&self) {
        self.set([]);
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls().clone()
    }

    /// How many calls there were so far, to look at the later ones alone: see [`Self::since`].
    pub fn mark(&self) -> usize {
        self.shared.calls().len()
    }

    /// The calls after a mark.
    pub fn since(&self, mark: usize) -> Vec<Call> {
        self.shared.calls()[mark..].to_vec()
    }

    /// How many calls were such.
    pub fn count(&self, is_such: impl Fn(&Call) -> bool) -> usize {
        self.shared.calls().iter().filter(|call| is_such(call)).count()
    }

    /// The first refusal of this key that was answered after `after`.
    pub fn first_refusal(&self, arn: &str, after: Instant) -> Option<Answered> {
        self.first(after, |call| call.key_id == arn && call.is_refused())
    }

    /// The first success of this key that was answered after `after`.
    pub fn first_acceptance(&self, arn: &str, after: Instant) -> Option<Answered> {
        self.first(after, |call| call.key_id == arn && call.operation == Operation::Decrypt && call.is_good())
    }

    /// The last success of this key that arrived before `before`.
    pub fn last_acceptance(&self, arn: &str, before: Instant) -> Option<Call> {
        let calls = self.shared.calls();
        let accepted = |call: &&Call| call.key_id == arn && call.is_check() && call.is_good() && call.at <= before;
        calls.iter().rev().find(accepted).cloned()
    }

    fn first(&self, after: Instant, is_such: impl Fn(&Call) -> bool) -> Option<Answered> {
        let calls = self.shared.calls();
        let answers = calls.iter().filter(|call| is_such(call)).filter_map(|call| call.answer.clone());
        answers.filter(|answer| answer.at >= after).min_by_key(|answer| answer.at)
    }

    /// Waits until there were at least so many such calls after `mark`.
    pub async fn until(&self, mark: usize, calls: usize, what: &str, is_such: impl Fn(&Call) -> bool) {
        self.within(PATIENCE, mark, calls, what, is_such).await;
    }

    /// The same with a patience of the caller's own.
    pub async fn within(
        &self,
        patience: Duration,
        mark: usize,
        calls: usize,
        what: &str,
        is_such: impl Fn(&Call) -> bool,
    ) {
        let patience = Instant::now() + patience;
        while self.since(mark).iter().filter(|call| is_such(call)).count() < calls {
            assert!(Instant::now() < patience, "waited in vain for {calls} calls: {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for KmsProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap()
    }

    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap()
    }

    /// What becomes of a call.
    fn act_for(&self, call: &Call) -> Act {
        let mut rules = self.rules();
        let act = rules.iter_mut().find_map(|rule| rule.take(call));
        act.unwrap_or(Act::Pass)
    }

    /// Takes the call down. Gives its place in the record.
    fn arrived(&self, call: Call) -> usize {
        let mut calls = self.calls();
        calls.push(call);
        calls.len() - 1
    }

    /// Takes the answer down.
    fn answered(&self, place: usize, answer: Answered) {
        self.calls()[place].answer = Some(answer);
    }

    /// An id for an answer of our own.
    fn request_id(&self) -> String {
        format!("made-up-{}", self.made_up.fetch_add(1, Ordering::Relaxed))
    }
}
