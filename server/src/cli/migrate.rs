//! `keystead migrate`: the schema of the database.

use super::Outcome;
use crate::{
    config::{DatabaseOption, DatabaseUrl, LogFormat, Mistakes},
    store::Store,
    telemetry,
};

pub async fn migrate(database: &DatabaseOption, log: LogFormat) -> Outcome {
    telemetry::init(log);
    let url = DatabaseUrl::parse(&database.database_url).map_err(Mistakes::from)?;
    let store = Store::connect(&url).await?;
    store.migrate().await?;
    tracing::info!(event = "migrated", "the schema is up to date");
    Ok(store.close().await?)
}
