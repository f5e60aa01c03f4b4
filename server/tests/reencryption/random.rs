//! Long random sequences of everything at once, against a plain model: what people change, keys that are activated and deleted,
//! disabled and enabled, jobs that are paused and resumed.
//!
//! `KEYSTEAD_TEST_SEED` repeats the sequence of an earlier run, which prints its seed and its steps when it fails. What the
//! machine does between two steps is not repeated.

use crate::{
    control::Site,
    model::{CHANGES, Change, Model},
    on_both_databases,
    seed::Dice,
    steps::{headers_agree, job_ended, view},
    support::{
        Database,
        kms_proxy::{Act, Rule},
    },
};
use app::{
    model::{
        error::{ApiError, KeyRefused},
        job::{JobFailure, JobState},
        key_test::Activation,
    },
    ports::{EncryptionPort, OrganizationPort},
};
use std::time::Duration;
use vault::{Clock, SystemClock};

on_both_databases!(whatever_is_done_in_whatever_order_everything_is_as_it_was_left);

const SEQUENCES: u64 = 3;
const STEPS: usize = 60;
/// Customer managed keys to choose from.
const KEYS: usize = 2;
/// What is noted of a step that was not refused.
const DONE: &str = ": done";
/// So that a change of key takes long enough for something to happen meanwhile.
const KMS_TAKES: Duration = Duration::from_millis(15);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Change(Change),
    Activate(usize),
    DeleteKey,
    Lock,
    Unlock,
    Pause,
    Resume,
    /// Waits for the end of the job, unless that would be for ever.
    Rest,
}

/// The steps so far; told when the test fails.
struct Story {
    seed: u64,
    steps: Vec<String>,
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("KEYSTEAD_TEST_SEED={} after these steps:\n  {}", self.seed, self.steps.join("\n  "));
        }
    }
}

async fn whatever_is_done_in_whatever_order_everything_is_as_it_was_left(database: Database) {
    let given = std::env::var("KEYSTEAD_TEST_SEED").ok();
    let first = given.as_ref().map_or_else(|| SystemClock.wall_ms().unsigned_abs(), |seed| seed.parse().unwrap());
    // A seed that was given is that of one sequence.
    for seed in (first..).take(if given.is_some() { 1 } else { usize::try_from(SEQUENCES).unwrap() }) {
        println!("seed {seed}");
        Box::pin(sequence(database, seed)).await;
    }
}

async fn sequence(database: Database, seed: u64) {
    let mut dice = Dice::of(seed, "steps");
    let mut story = Story { seed, steps: Vec::new() };
    let mut play = Play::begin(database, &mut dice).await;
    let mut job_has_begun = false;
    for _ in 0..STEPS {
        let step = choose(&mut dice, job_has_begun);
        story.steps.push(format!("{step:?}"));
        let came = play.step(step, &mut dice).await;
        job_has_begun = matches!(step, Step::Activate(_) | Step::DeleteKey | Step::Resume) && came == DONE;
        story.steps.last_mut().unwrap().push_str(&came);
        if play.locked {
            play.model.is_locked(&play.site.app, &play.site.who).await;
        } else if !job_has_begun && dice.once_in(3) {
            play.model.compare(&play.site.app, &play.site.who, dice.once_in(3)).await;
        }
    }
    Box::pin(play.end()).await;
}

/// While a job has just begun, more often what gets in its way.
fn choose(dice: &mut Dice, job_has_begun: bool) -> Step {
    if job_has_begun && dice.once_in(3) {
        return *dice.pick(&[Step::Pause, Step::Pause, Step::Lock, Step::DeleteKey]);
    }
    match dice.below(24) {
        0..=2 => Step::Activate(usize::try_from(dice.below(KEYS as u64)).unwrap()),
        3..=5 => Step::DeleteKey,
        6 => Step::Lock,
        7..=8 => Step::Unlock,
        9 => Step::Pause,
        10..=11 => Step::Resume,
        12 => Step::Rest,
        _ => Step::Change(*dice.pick(&CHANGES)),
    }
}

struct Play {
    site: Site,
    model: Model,
    keys: Vec<String>,
    locked: bool,
    /// Whether an administrator has paused the job.
    paused: bool,
}

impl Play {
    async fn begin(database: Database, dice: &mut Dice) -> Self {
        let site = Site::new(database).await;
        site.proxy.set([Rule::all(Act::Delay(KMS_TAKES))]);
        let mut keys = vec![site.ground.keys.provider.clone()];
        for _ in 0..KEYS {
            keys.push(site.ground.keys.create().await);
        }
        let mut model = Model::default();
        model.fill(&site.app, &site.who, dice).await;
        Self { site, model, keys, locked: false, paused: false }
    }

    /// Takes a step; gives back what came of it.
    async fn step(&mut self, step: Step, dice: &mut Dice) -> String {
        let (app, who) = (&self.site.app, &self.site.who);
        let encryption = &app.services.encryption;
        match step {
            Step::Change(change) => {
                self.model.change(change, app, who, dice, self.locked).await;
                String::new()
            }
            Step::Activate(number) => {
                let answer = encryption.activate(who, &self.keys[1 + number]).await;
                assert!(answer.is_err() || !self.locked, "a key was activated although everything is locked");
                match answer {
                    Ok(Activation::Refused(_)) => ": unfit".to_owned(),
                    other => self.told(other.map(|_| ())),
                }
            }
            Step::DeleteKey => {
                let seen = view(app, who).await;
                // Of an activation that has not taken control yet it is the key that is on its way.
                let arn = match &seen.job {
                    Some(job) if job.state.is_unfinished() && job.control_at.is_none() => job.to_arn.clone(),
                    _ => seen.root.arn,
                };
                let answer = encryption.delete_key(who, &arn).await;
                if answer.is_ok() {
                    // A job that is turned round, or ended, is not paused any more.
                    self.paused = false;
                }
                self.told(answer)
            }
            Step::Lock => {
                for key in &self.keys {
                    self.site.ground.keys.disable(key).await;
                }
                app.until("everything is locked", |app| app.services.organization.lock().is_some()).await;
                self.locked = true;
                String::new()
            }
            Step::Unlock => {
                self.unlock().await;
                String::new()
            }
            Step::Pause => {
                let answer = encryption.pause_job(who).await;
                self.paused |= answer.is_ok();
                self.told(answer)
            }
            Step::Resume => {
                let answer = encryption.resume_job(who).await;
                assert_eq!(answer.is_ok(), self.paused, "{answer:?}");
                self.paused = false;
                self.told(answer)
            }
            Step::Rest => {
                if !self.locked && !self.paused && view(app, who).await.job.is_some() {
                    job_ended(app, who).await;
                }
                String::new()
            }
        }
    }

    /// Only a change of key that does not fit is refused, and by name.
    fn told(&self, answer: Result<(), ApiError>) -> String {
        match answer {
            Ok(()) => DONE.to_owned(),
            Err(ApiError::KeyRefused(KeyRefused::RootUnusable)) => {
                assert!(self.locked, "the root key is called unusable, and is not");
                ": unusable".to_owned()
            }
            Err(ApiError::KeyRefused(why)) => format!(": {why:?}"),
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn unlock(&mut self) {
        for key in &self.keys {
            self.site.ground.keys.enable(key).await;
        }
        self.site.app.until("everything is open", |app| app.services.organization.lock().is_none()).await;
        self.locked = false;
    }

    /// Brings everything to rest, and compares it: also on a server that knows no key by heart, with the root key in force the
    /// only one that works.
    async fn end(mut self) {
        self.unlock().await;
        let (app, who) = (&self.site.app, &self.site.who);
        if self.paused {
            app.services.encryption.resume_job(who).await.unwrap();
        }
        let mut seen = view(app, who).await;
        if seen.job.is_some() {
            let job = job_ended(app, who).await;
            seen = view(app, who).await;
            match (job.state, job.failure) {
                (JobState::Complete, _) => assert_eq!(seen.root.arn, job.to_arn),
                (_, Some(JobFailure::Cancelled | JobFailure::NewRootRefused)) => {
                    assert_eq!(seen.root.arn, job.from_arn);
                }
                _ => panic!("{job:?}"),
            }
            assert!(job.set_aside.is_empty(), "{job:?}");
        }
        self.model.compare(app, who, true).await;
        headers_agree(app).await;
        assert_eq!(seen.data_keys, 1 + self.model.workspaces() as u64);
        let files = self.model.files();
        app.until("no object is left over", |app| app.stored_objects() == files).await;
        self.site.all_wrapped_by(&seen.root.arn).await;
        for key in self.keys.iter().filter(|key| **key != seen.root.arn) {
            self.site.ground.keys.disable(key).await;
        }
        let fresh = self.site.ground.start(&self.site.proxy.url, |_| {}).await;
        self.model.compare(&fresh, who, true).await;
        fresh.stop().await;
        self.site.stop().await;
    }
}
