//! One round: a change of key that is killed on its way, perhaps again while it recovers, and then comes to its end.

use super::{Checked, stack::Stack};
use app::model::encryption::RootKind;
use std::{fmt, time::Duration};
use tokio::time::{Instant, sleep};

/// How long is waited for a point to be reached.
const REACHED: Duration = Duration::from_secs(20);
/// How long a second one is waited for.
const REACHED_AGAIN: Duration = Duration::from_secs(4);
/// How long a change of key may take after the last crash: a minute until notes expire, and the work itself.
const END: Duration = Duration::from_mins(4);
/// Where everything is done but the cleaning of the database's files.
const NOT_YET_CLEAN: &str = "finish.after_commit";
/// One in so many rounds waits for leases and notes to run out by themselves.
const REAL_TIME: u64 = 12;

/// When the server dies first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At a named point; the n-th time at most, by chance.
    Point { name: &'static str, nth: u64 },
    /// At so many moments that nobody chose.
    Random { times: u32 },
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point { name, nth } => write!(out, "{name}:{nth}"),
            Self::Random { times } => write!(out, "{times} random moments"),
        }
    }
}

/// What a round does beside dying.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub moment: Moment,
    /// Whether another point is set when it is started again.
    pub twice: Option<&'static str>,
    /// Whether Delete Key is pressed in the middle of an activation.
    pub turn: bool,
    pub in_real_time: bool,
    /// Whether the clients rest until the crash, so that it is the job that dies and not a request.
    pub alone: bool,
}

impl Plan {
    /// Decides by chance what the moment leaves open.
    pub fn around(moment: Moment, stack: &mut Stack, points: &[&'static str]) -> Self {
        let dice = &mut stack.dice;
        let twice = dice.once_in(3).then(|| *dice.pick(points));
        let named = |prefix| matches!(moment, Moment::Point { name, .. } if name.starts_with(prefix));
        Self {
            moment,
            twice,
            turn: named("turn_round.") || dice.once_in(4),
            in_real_time: dice.once_in(REAL_TIME),
            alone: named("object.") && dice.once_in(2),
        }
    }
}

impl Stack {
    /// Runs a round. Whether the server died where it was to.
    pub async fn round(&mut self, plan: Plan) -> Checked<bool> {
        let seen = self.view().await.ok_or("the server does not say whose key is in force")?;
        let old = self.old().await?;
        let turn = plan.turn && seen.root.kind == RootKind::Provider;
        let new_key = self.ground.keys.create().await;
        let (goal, out_of_force) = match (seen.root.kind, turn) {
            (RootKind::Customer, _) => (RootKind::Provider, seen.root.arn.clone()),
            (RootKind::Provider, false) => (RootKind::Customer, self.ground.keys.provider.clone()),
            (RootKind::Provider, true) => (RootKind::Provider, new_key.clone()),
        };
        self.kill("at rest")?;
        let reached = match plan.moment {
            Moment::Point { name, nth } => self.die_at(plan, name, nth, seen.root.kind, &new_key, turn).await?,
            Moment::Random { times } => self.die_anywhere(plan, times, seen.root.kind, &new_key, turn).await?,
        };
        // The load goes on for a moment before anybody looks; also the server, which may have something left to do.
        let pause = self.dice.millis(200, 800);
        sleep(pause).await;
        self.bring_to(goal, &new_key, END).await?;
        self.load.rest().await;
        self.is_well()?;
        self.bring_to(goal, &new_key, END).await?;
        self.check(&old, Some(&out_of_force)).await?;
        self.tally.add("rounds", 1);
        Ok(reached)
    }

    async fn die_at(
        &mut self,
        plan: Plan,
        name: &'static str,
        nth: u64,
        from: RootKind,
        new_key: &str,
        turn: bool,
    ) -> Checked<bool> {
        let point = format!("{name}:{nth}");
        if !plan.alone {
            self.load.go_on();
        }
        let mut dead = !self.server.start(Some(&point)).await?;
        if !dead {
            let pause = self.dice.millis(0, 400);
            dead = self.server.dies_within(pause).await?;
        }
        if !dead {
            self.begin(from, new_key).await;
            dead = self.provoke(name, new_key, turn).await?;
        }
        if dead {
            self.has_died(name);
        } else {
            self.kill("a point that was not reached")?;
        }
        // What the crash has left must be cleaned by the server, not be overwritten by what people write afterwards.
        if name == NOT_YET_CLEAN {
            self.load.rest().await;
        } else {
            self.load.go_on();
        }
        self.recover(plan).await?;
        Ok(dead)
    }

    /// Does what leads to a point, and waits until the server has died there.
    async fn provoke(&mut self, name: &str, new_key: &str, turn: bool) -> Checked<bool> {
        let until = Instant::now() + REACHED;
        let mut turned = false;
        while Instant::now() < until {
            if self.server.dies_within(Duration::from_millis(60)).await? {
                return Ok(true);
            }
            if name.starts_with("release.") {
                return self.server.stop().await;
            }
            if ["pause.", "resume.", "lost."].iter().any(|of| name.starts_with(of)) {
                self.press("pause_job", &[]).await;
                self.press("resume_job", &[]).await;
            }
            let Some(seen) = self.view().await else { continue };
            let unfinished = seen.job.as_ref().is_some_and(|job| job.state.is_unfinished());
            if turn && !turned && unfinished && seen.root.kind == RootKind::Customer {
                self.press("delete_key", &[("arn", new_key)]).await;
                turned = true;
            }
            if !unfinished && !name.starts_with("collector.") && !name.starts_with("file.") {
                // What comes after the end of the job still gets its moment.
                return self.server.dies_within(Duration::from_secs(1)).await;
            }
        }
        Ok(false)
    }

    async fn die_anywhere(
        &mut self,
        plan: Plan,
        times: u32,
        from: RootKind,
        new_key: &str,
        turn: bool,
    ) -> Checked<bool> {
        self.load.go_on();
        self.start_again(false).await?;
        self.begin(from, new_key).await;
        for n in 0..times {
            // Of all lengths: what is over in a moment is to be met as well as what takes long.
            let longest = *self.dice.pick(&[20, 100, 500, 2_500]);
            let pause = self.dice.millis(0, longest);
            sleep(pause).await;
            if turn && n == 0 {
                self.press("delete_key", &[("arn", new_key)]).await;
                let pause = self.dice.millis(0, longest);
                sleep(pause).await;
            }
            self.kill("at a random moment")?;
            self.recover(Plan { twice: plan.twice.filter(|_| n == 0), ..plan }).await?;
        }
        Ok(true)
    }

    /// Begins the change of key.
    async fn begin(&self, from: RootKind, new_key: &str) {
        match from {
            RootKind::Provider => self.press("activate_key", &[("arn", new_key)]).await,
            RootKind::Customer => {
                if let Some(seen) = self.view().await {
                    self.press("delete_key", &[("arn", &seen.root.arn)]).await;
                }
            }
        }
    }

    /// Starts the server again after a crash; first, if so planned, only to see it die once more while it recovers.
    async fn recover(&mut self, plan: Plan) -> Checked {
        if let Some(second) = plan.twice {
            let alive = self.server.start(Some(second)).await?;
            if !alive || self.server.dies_within(REACHED_AGAIN).await? {
                self.has_died(second);
            } else {
                self.kill("at a random moment")?;
            }
            self.tally.add("crashes during recovery", 1);
        }
        self.start_again(plan.in_real_time).await
    }
}
