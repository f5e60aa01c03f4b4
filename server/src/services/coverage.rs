//! What is encrypted, and how much of it already under the key in control: counted from the tables themselves.

use super::{encryption::Encryption, failure::Failure};
use crate::store::{
    entities::data_key::{self, DataKeyState},
    sealed_tables::{self, OBJECTS, SEALED_TABLES},
};
use app::model::encryption as model;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

impl Encryption {
    /// Counted from the tables themselves. Cost: one index pass a table, and another while keys are retiring.
    pub(super) async fn coverage(&self) -> Result<(Vec<model::CoverageLine>, model::Amount), Failure> {
        let on = self.store.read();
        let retiring: Vec<Uuid> = data_key::Entity::find()
            .select_only()
            .column(data_key::Column::Id)
            .filter(data_key::Column::State.eq(DataKeyState::Retiring))
            .into_tuple()
            .all(on)
            .await?;
        let mut lines = Vec::with_capacity(SEALED_TABLES.len() + 1);
        let mut amount = model::Amount::default();
        let objects = (OBJECTS, sealed_tables::label(OBJECTS), "Object store");
        let tables = SEALED_TABLES.iter().map(|table| (table.name, table.label, "Database"));
        for (table, label, stored_in) in tables.chain([objects]) {
            let all = sealed_tables::count(on, table, None).await?;
            let old =
                if retiring.is_empty() { 0 } else { sealed_tables::count(on, table, Some(&retiring)).await?.items };
            if table == OBJECTS {
                (amount.files, amount.bytes) = (all.items.unsigned_abs(), all.bytes.unsigned_abs());
            } else {
                amount.records += all.items.unsigned_abs();
            }
            lines.push(model::CoverageLine {
                data: label.to_owned(),
                stored_in: stored_in.to_owned(),
                items: all.items.unsigned_abs(),
                current: all.items.unsigned_abs().saturating_sub(old.unsigned_abs()),
            });
        }
        Ok((lines, amount))
    }
}
