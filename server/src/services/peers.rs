//! Looks at the other servers once a second, so that what one of them learns is checked at once by all.
//!
//! What must stay true: it only ever makes a server ask KMS sooner. What another server believes neither locks nor unlocks.

use super::key_state::KeyState;
use crate::store::{
    Store, database_now,
    entities::server::{self, OPEN},
    house,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};
use uuid::Uuid;

const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);

/// Follows the other servers of the deployment.
#[derive(Clone)]
pub struct Peers {
    pub store: Store,
    pub state: Arc<KeyState>,
    /// The id of this server.
    pub server: Uuid,
    /// Rung so that the key check looks at once.
    pub doubt: Arc<Notify>,
}

/// What was seen: the root key, and who is in trouble since when.
#[derive(Default)]
struct Seen {
    root_key_arn: String,
    troubled: HashSet<(Uuid, i64)>,
}

impl Peers {
    /// Follows until it is dropped.
    pub async fn run(self) {
        let mut seen = Seen::default();
        loop {
            tokio::time::sleep(EVERY).await;
            // The key check itself says so when the database does not answer.
            let Ok(Ok(now)) = timeout(PATIENCE, self.look()).await else { continue };
            // Held against what this server has checked, not against the look before: a change may come between the two.
            let is_replaced = self.state.root().is_some_and(|(_, checked)| checked != now.root_key_arn);
            // Only what is new: a server that stays locked for a reason of its own must not keep all others asking.
            if is_replaced || now.troubled.iter().any(|one| !seen.troubled.contains(one)) {
                self.doubt.notify_one();
            }
            seen = now;
        }
    }

    async fn look(&self) -> Result<Seen, DbErr> {
        let on = self.store.vital();
        let alive = database_now(on).await? - server::SILENT_FOR;
        let query = server::Entity::find()
            .select_only()
            .column(server::Column::Id)
            .column(server::Column::KeyStateAt)
            .filter(server::Column::HeartbeatAt.gt(alive))
            .filter(server::Column::KeyState.ne(OPEN))
            .filter(server::Column::Id.ne(self.server));
        let troubled: Vec<(Uuid, i64)> = query.into_tuple().all(on).await?;
        Ok(Seen { root_key_arn: house::root(on).await?.root_key_arn, troubled: troubled.into_iter().collect() })
    }
}
