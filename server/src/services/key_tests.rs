//! Tests of keys, by every live server of the deployment and with the credentials of each.
//!
//! Whoever is asked writes the test into the database. Every server looks there, runs the preflight and writes down what it
//! found. What must stay true: a test changes nothing but its own rows; a server only ever writes its own answer; and only
//! administrators get to see one. After a denial a server tries again by itself for a while, because a change of a policy is
//! not known everywhere in AWS at once; only the newest test is tried again, so that nothing piles up. But each is answered
//! once, however soon another follows it: an activation goes by its own. So one person has no more than one under way, or an
//! activation after a test of the same key.
//!
//! Cost: two queries every half second on each server; while a test is open, the calls of one preflight on each server.

use super::{access, encryption::Refuse, failure::Failure, ids::new_id, preflight::Preflights, words};
use crate::store::{
    Store, database_now,
    entities::{key_test, key_test_answer, server, user},
};
use app::{
    model::{
        error::KeyRefused,
        key_arn::KeyArn,
        key_test::{KeyTest, ServerAnswer, ServerTest, TestOutcome, TestPurpose},
        preflight::{KeyProblem, Preflight},
    },
    ports::Principal,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, LockType, OnConflict, Query},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

/// How often a server looks whether a test waits for it.
const EVERY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(2);
/// How long denials are tried again after a test was asked for; milliseconds.
const TRIES_FOR: i64 = 3 * 60 * 1000;
/// How long a server rests between two tries; milliseconds.
const REST: i64 = 5_000;
/// A live server that has not answered by then is not waited for any more; milliseconds.
const LATE_AFTER: i64 = 10_000;
/// Tests are kept for so long; milliseconds.
const KEPT_FOR: i64 = 24 * 60 * 60 * 1000;
/// How often the one who asked looks for the answers of the others.
const LOOK: Duration = Duration::from_millis(100);

/// Tests keys. Clones share it.
#[derive(Clone)]
pub struct KeyTests {
    pub store: Store,
    pub preflights: Arc<Preflights>,
    /// The id of this server.
    pub server: Uuid,
    /// What operators call it.
    pub server_name: String,
    /// Bumped when this server has answered.
    pub changed: watch::Sender<u64>,
    /// Held while this server tries a key, so that it does not try the same test twice at once.
    pub trying: Arc<Mutex<()>>,
}

impl KeyTests {
    /// Asks all live servers to test a key, and waits for their answers, at most for `patience`. Gives the test as it is then.
    /// Who asks again while not every server has answered gets the answers to the first.
    ///
    /// # Errors
    /// [`KeyRefused::TestUnderWay`] for another one meanwhile; when the database fails. Whatever AWS says is in the test.
    pub async fn ask(
        &self,
        user: Uuid,
        arn: &KeyArn,
        purpose: TestPurpose,
        patience: Duration,
    ) -> Result<KeyTest, Failure> {
        let transaction = self.store.begin().await?;
        let row = self.put_down(&transaction, user, arn, purpose).await?;
        transaction.commit().await?;
        self.try_once(&row).await?;
        let until = Instant::now() + patience;
        loop {
            let test = self.as_it_is(&row).await?;
            if test.silent().next().is_none() || Instant::now() >= until {
                return Ok(test);
            }
            sleep(LOOK).await;
        }
    }

    /// The test that the other servers find; the one that is under way, if it is the same.
    async fn put_down(
        &self,
        on: &DatabaseTransaction,
        user: Uuid,
        arn: &KeyArn,
        purpose: TestPurpose,
    ) -> Result<key_test::Model, Failure> {
        // Who asks for two in the same moment, perhaps of two servers, asks for one after the other.
        let asking = user::Entity::find_by_id(user).select_only().column(user::Column::Id);
        asking.lock(LockType::NoKeyUpdate).into_tuple::<Uuid>().one(on).await?;
        let now = database_now(on).await?;
        let row = key_test::Model {
            id: new_id(&self.preflights.vault)?,
            arn: arn.as_str().to_owned(),
            purpose: words::write(purpose),
            asked_by: Some(user),
            asked_at: now,
        };
        let last = key_test::Entity::find()
            .filter(key_test::Column::AskedBy.eq(user))
            .filter(key_test::Column::AskedAt.gte(now - LATE_AFTER))
            .order_by_desc(key_test::Column::AskedAt)
            .order_by_desc(key_test::Column::Id);
        if let Some(last) = last.one(on).await?
            && !silent(on, &answers(on, last.id).await?, now).await?.is_empty()
        {
            if (&last.arn, &last.purpose) == (&row.arn, &row.purpose) {
                return Ok(last);
            }
            // Who has tested a key need not wait to activate it.
            if last.arn != row.arn || purpose != TestPurpose::Activation {
                return Err(KeyRefused::TestUnderWay.refuse());
            }
        }
        let old = key_test::Column::AskedAt.lt(now - KEPT_FOR);
        key_test::Entity::delete_many().filter(old).exec(on).await?;
        key_test::Entity::insert(key_test::ActiveModel::from(row.clone())).exec_without_returning(on).await?;
        Ok(row)
    }

    /// A test as it is now; `None` if there is none with this id, or none that `who` may see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, who: &Principal, id: &str) -> Result<Option<KeyTest>, Failure> {
        let (Ok(_), Ok(id)) = (access::administrator(who), Uuid::try_parse(id)) else { return Ok(None) };
        match key_test::Entity::find_by_id(id).one(self.store.read()).await? {
            Some(row) => Ok(Some(self.as_it_is(&row).await?)),
            None => Ok(None),
        }
    }

    /// Answers whatever test waits for this server, until it is dropped.
    pub async fn run(self) {
        loop {
            sleep(EVERY).await;
            // An outage of the database is the business of those who need it; the next look comes soon.
            let Ok(Ok(Some(due))) = timeout(PATIENCE, self.due()).await else { continue };
            if let Err(error) = self.try_once(&due).await {
                tracing::info!(event = "key_test_unanswered", %error, "a test of a key could not be answered");
            }
        }
    }

    /// The test that waits for this server: the oldest that it has not answered and whose asker may still wait, or else the newest,
    /// for another try.
    async fn due(&self) -> Result<Option<key_test::Model>, Failure> {
        let on = self.store.read();
        let now = database_now(on).await?;
        let answered = Query::select()
            .expr(Expr::val(1))
            .from(key_test_answer::Entity)
            .and_where(
                Expr::col((key_test_answer::Entity, key_test_answer::Column::TestId))
                    .equals((key_test::Entity, key_test::Column::Id)),
            )
            .and_where(Expr::col((key_test_answer::Entity, key_test_answer::Column::ServerId)).eq(self.server))
            .take();
        let oldest = key_test::Entity::find()
            .filter(key_test::Column::AskedAt.gte(now - LATE_AFTER))
            .filter(Expr::exists(answered).not())
            .order_by_asc(key_test::Column::AskedAt)
            .order_by_asc(key_test::Column::Id)
            .limit(1);
        if let Some(test) = oldest.one(on).await? {
            return Ok(Some(test));
        }
        let newest = key_test::Entity::find()
            .filter(key_test::Column::AskedAt.gt(now - TRIES_FOR))
            .order_by_desc(key_test::Column::AskedAt)
            .order_by_desc(key_test::Column::Id)
            .limit(1);
        let Some(test) = newest.one(on).await? else { return Ok(None) };
        let answer = key_test_answer::Entity::find_by_id((test.id, self.server)).one(on).await?;
        Ok(is_due(answer.as_ref(), now).then_some(test))
    }

    /// Runs the preflight and writes down what it showed, unless that was done a moment ago.
    async fn try_once(&self, test: &key_test::Model) -> Result<(), Failure> {
        let _one_at_a_time = self.trying.lock().await;
        let on = self.store.write();
        let last = key_test_answer::Entity::find_by_id((test.id, self.server)).one(on).await?;
        if !is_due(last.as_ref(), database_now(on).await?) {
            return Ok(());
        }
        let arn = KeyArn::parse(&test.arn).map_err(|_| Failure::Inconsistent("a test of a key names none"))?;
        let preflight = self.preflights.run(&arn).await?;
        let row = key_test_answer::ActiveModel {
            test_id: Set(test.id),
            server_id: Set(self.server),
            server_name: Set(self.server_name.clone()),
            preflight: Set(serde_json::to_string(&preflight).unwrap_or_default()),
            attempts: Set(last.map_or(0, |last| last.attempts) + 1),
            answered_at: Set(database_now(on).await?),
        };
        let again = OnConflict::columns([key_test_answer::Column::TestId, key_test_answer::Column::ServerId])
            .update_columns([
                key_test_answer::Column::Preflight,
                key_test_answer::Column::Attempts,
                key_test_answer::Column::AnsweredAt,
            ])
            .to_owned();
        key_test_answer::Entity::insert(row).on_conflict(again).exec_without_returning(on).await?;
        self.changed.send_modify(|version| *version += 1);
        Ok(())
    }

    /// The answers so far, beside the live servers that have given none.
    async fn as_it_is(&self, test: &key_test::Model) -> Result<KeyTest, Failure> {
        let on = self.store.read();
        let now = database_now(on).await?;
        let answers = answers(on, test.id).await?;
        let silent = silent(on, &answers, now).await?;
        let mut servers: Vec<ServerTest> =
            silent.into_iter().map(|server| ServerTest { server, answer: None }).collect();
        for answer in answers {
            let preflight = read(&answer.preflight)?;
            let attempts = u32::try_from(answer.attempts).unwrap_or_default();
            servers.push(ServerTest { server: answer.server_name, answer: Some(ServerAnswer { preflight, attempts }) });
        }
        servers.sort_by(|one, other| one.server.cmp(&other.server));
        let later = Condition::any().add(key_test::Column::AskedAt.gt(test.asked_at)).add(
            Condition::all().add(key_test::Column::AskedAt.eq(test.asked_at)).add(key_test::Column::Id.gt(test.id)),
        );
        let newer = key_test::Entity::find().filter(later).limit(1).one(on).await?;
        Ok(KeyTest {
            id: test.id.to_string(),
            arn: test.arn.clone(),
            purpose: words::read(&test.purpose).ok_or(Failure::Inconsistent("a test of a key has no purpose"))?,
            asked_at: test.asked_at,
            // Only the newest is tried again.
            tries_for: if newer.is_some() { 0 } else { Ord::max(test.asked_at + TRIES_FOR - now, 0) },
            is_late: now - test.asked_at > LATE_AFTER,
            servers,
        })
    }
}

/// The answers to a test so far.
async fn answers(on: &impl ConnectionTrait, test: Uuid) -> Result<Vec<key_test_answer::Model>, DbErr> {
    key_test_answer::Entity::find().filter(key_test_answer::Column::TestId.eq(test)).all(on).await
}

/// The names of the live servers that have given none of these answers.
async fn silent(on: &impl ConnectionTrait, answers: &[key_test_answer::Model], now: i64) -> Result<Vec<String>, DbErr> {
    let live = server::Entity::find().filter(server::Column::HeartbeatAt.gt(now - server::SILENT_FOR)).all(on).await?;
    let silent = live.into_iter().filter(|live| answers.iter().all(|answer| answer.server_id != live.id));
    Ok(silent.map(|live| live.name).collect())
}

/// Whether a server that has given this answer, or none, has to try.
fn is_due(answer: Option<&key_test_answer::Model>, now: i64) -> bool {
    let Some(answer) = answer else { return true };
    let is_denied =
        read(&answer.preflight).is_ok_and(|preflight| preflight.problem().is_some_and(KeyProblem::is_denial));
    is_denied && now - answer.answered_at >= REST
}

fn read(preflight: &str) -> Result<Preflight, Failure> {
    serde_json::from_str(preflight).map_err(|_| Failure::Inconsistent("a preflight is none"))
}

/// Whether what a test has shown keeps the key from being activated. A server that has fallen silent does not: if it cannot
/// use the key, it ends access to the data by itself.
pub fn refuses(test: &KeyTest) -> bool {
    matches!(test.outcome(), TestOutcome::Failed | TestOutcome::TryingAgain)
}
