//! One deployment under torture: the program, what it stands on, its clients, and what was done to it.

use super::{
    Checked, Tally,
    calls::{Answer, Caller},
    database::{Look, Old},
    load::Load,
    objects::Objects,
    seed::Dice,
    server::Server,
};
use crate::support::{ADMIN, Browser, Database, Ground, PASSWORD};
use app::model::{
    encryption::{DataEncryption, RootKind},
    job::JobState,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use vault::{Clock, SystemClock};

/// What was sent by a killed process has arrived by then, or never will.
const IN_FLIGHT: Duration = Duration::from_millis(1_500);

pub struct Stack {
    pub name: &'static str,
    pub ground: Arc<Ground>,
    pub objects: Objects,
    pub server: Server,
    pub caller: Caller,
    pub load: Load,
    pub dice: Dice,
    pub tally: Tally,
    /// When it was last killed, and when after that it was started again.
    died: Instant,
}

impl Stack {
    /// A deployment with something in it.
    pub async fn start(name: &'static str, database: Database, seed: u64) -> Checked<Self> {
        let ground = Ground::new(database).await;
        let objects = match database {
            Database::Sqlite => Objects::Folder(ground.objects.clone()),
            Database::Postgres => Objects::new_bucket().await,
        };
        let environment = vec![("KEYSTEAD_OBJECTS".to_owned(), objects.setting())];
        let mut server = Server::new(&ground, environment);
        server.start(None).await?;
        let mut browser = Browser::new(server.address, false);
        browser.sign_in(ADMIN, PASSWORD).await;
        let (caller, mut dice) = (Caller::new(browser), Dice::of(seed, name));
        let load = Load::start(&caller, &mut dice).await;
        let (tally, died) = (Tally::default(), Instant::now());
        Ok(Self { name, ground, objects, server, caller, load, dice, tally, died })
    }

    /// Kills it, if it lives, and notes where it died.
    pub fn kill(&mut self, at: &str) -> Checked {
        self.server.kill()?;
        self.has_died(at);
        Ok(())
    }

    pub fn has_died(&mut self, at: &str) {
        self.died = Instant::now();
        self.tally.crashed(at);
    }

    /// Starts it again, without a point to die at, and makes a minute pass for what the dead one has left, unless the real
    /// minute is to be waited for.
    pub async fn start_again(&mut self, in_real_time: bool) -> Checked {
        let before = SystemClock.wall_ms();
        self.server.start(None).await?;
        if !in_real_time {
            sleep(IN_FLIGHT.saturating_sub(self.died.elapsed())).await;
            let look = Look::begin(&self.ground, &self.objects).await?;
            look.age(before).await?;
            look.end().await?;
        }
        Ok(())
    }

    /// What the Data Encryption page shows; `None` while there is no answer.
    pub async fn view(&self) -> Option<DataEncryption> {
        match self.caller.call("data_encryption", &[]).await {
            Answer::Done(body, _) => serde_json::from_value(body).ok(),
            Answer::Refused | Answer::Lost => None,
        }
    }

    /// Presses a button, whatever comes of it.
    pub async fn press(&self, function: &str, fields: &[(&str, &str)]) {
        if matches!(function, "activate_key" | "delete_key") {
            // The sign-in was long ago.
            let proof = self.caller.browser.form("/api/give_proof", &[("secret", PASSWORD), ("then", "")]);
            proof.header("accept", "application/json").timeout(Duration::from_secs(20)).send().await.ok();
        }
        let request =
            self.caller.browser.form(&format!("/api/{function}"), fields).header("accept", "application/json");
        request.timeout(Duration::from_secs(20)).send().await.ok();
    }

    /// Brings the job to its end, and presses again whatever was lost or has not been pressed yet.
    pub async fn bring_to(&self, goal: RootKind, new_key: &str, patience: Duration) -> Checked {
        let until = Instant::now() + patience;
        loop {
            let seen = self.view().await;
            if let Some(seen) = &seen {
                match &seen.job {
                    Some(job) if job.state.is_unfinished() => {
                        if job.waiting == Some(app::model::job::PauseReason::Administrator) {
                            self.press("resume_job", &[]).await;
                        }
                    }
                    Some(job) if job.state == JobState::Failed && job.failure != Some(CANCELLED) => {
                        return Err(format!("the job failed: {job:?}"));
                    }
                    _ if seen.root.kind == goal => return Ok(()),
                    _ if goal == RootKind::Customer => self.press("activate_key", &[("arn", new_key)]).await,
                    _ => self.press("delete_key", &[("arn", &seen.root.arn)]).await,
                }
            }
            if Instant::now() > until {
                return Err(format!("the job does not come to its end: {:?}", seen.map(|seen| (seen.lock, seen.job))));
            }
            self.is_well()?;
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whether clients have found nothing wrong.
    pub fn is_well(&self) -> Checked {
        self.caller.wrong().map_or(Ok(()), Err)
    }

    /// Remembers what must be gone after a change of key.
    pub async fn old(&self) -> Checked<Old> {
        let look = Look::begin(&self.ground, &self.objects).await?;
        let old = look.old().await?;
        look.end().await?;
        Ok(old)
    }

    /// Checks everything with everybody at rest: on a server that has just begun and knows no key by heart, and with the key
    /// that is out of force disabled.
    pub async fn check(&mut self, old: &Old, key_out_of_force: Option<&str>) -> Checked {
        let look = Look::begin(&self.ground, &self.objects).await?;
        look.check(old, &mut self.tally).await?;
        look.end().await?;
        if let Some(key) = key_out_of_force {
            self.ground.keys.disable(key).await;
        }
        self.kill("at rest")?;
        self.server.start(None).await?;
        super::reading::everything(&self.caller, &mut self.tally).await?;
        self.is_well()?;
        if let Some(key) = key_out_of_force {
            self.ground.keys.enable(key).await;
        }
        if self.load.is_complete() { Ok(()) } else { Err("a client broke off".into()) }
    }
}

/// Delete Key was pressed before anything had changed.
const CANCELLED: app::model::job::JobFailure = app::model::job::JobFailure::Cancelled;
