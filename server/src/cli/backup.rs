//! `keystead backup`: before and after the database and the objects are copied.

use super::Outcome;
use crate::{
    config::{DatabaseOption, DatabaseUrl, LogOption, Mistakes},
    services::audit::{Action, Audit, Entry, Object, Outcome as Ended},
    store::{Store, backups},
    telemetry,
};
use clap::Subcommand;
use std::time::Duration;
use uuid::{Builder, Uuid};
use vault::{Entropy, SystemEntropy};

#[derive(Subcommand)]
pub enum BackupCommand {
    /// From here on no object is removed that the database names now or later. Prints the id of the backup.
    Begin {
        /// After so many hours it ends by itself: longer than copying can take.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=168))]
        hours: u64,
        #[command(flatten)]
        database: DatabaseOption,
        #[command(flatten)]
        log: LogOption,
    },
    /// Lets objects go again that nothing names. Fails if the backup had ended by itself: then it is to be made again.
    End {
        /// What `backup begin` has printed.
        id: Uuid,
        #[command(flatten)]
        database: DatabaseOption,
        #[command(flatten)]
        log: LogOption,
    },
}

pub async fn run(command: BackupCommand) -> Outcome {
    match command {
        BackupCommand::Begin { hours, database, log } => {
            let store = open(&database, &log).await?;
            let mut random = [0; 16];
            SystemEntropy::new().fill(&mut random)?;
            let id = Builder::from_random_bytes(random).into_uuid();
            let transaction = store.begin().await?;
            let begun = backups::begin(&transaction, id, Duration::from_hours(hours)).await?;
            let entry = Entry::by_operator(Action::BackupBegun).on(&Object::Backup(begun.id)).amount(hours);
            Audit::commit(transaction, entry).await?;
            say(begun.id);
            Ok(store.close().await?)
        }
        BackupCommand::End { id, database, log } => {
            let store = open(&database, &log).await?;
            let transaction = store.begin().await?;
            let was_running = backups::end(&transaction, id).await?;
            let outcome = if was_running { Ended::Succeeded } else { Ended::Failed };
            let entry = Entry::by_operator(Action::BackupEnded).on(&Object::Backup(id)).outcome(outcome);
            Audit::commit(transaction, entry).await?;
            store.close().await?;
            if was_running {
                return Ok(());
            }
            Err(format!("no backup {id} is running: it has ended before, and the copies may not fit together").into())
        }
    }
}

/// Does not bring the schema up to date: servers of the version that is running go on while a backup is made.
async fn open(database: &DatabaseOption, log: &LogOption) -> Result<Store, Box<dyn std::error::Error + Send + Sync>> {
    telemetry::init(super::log_format(log)?);
    let url = DatabaseUrl::parse(&database.database_url).map_err(Mistakes::from)?;
    Ok(Store::connect(&url).await?)
}

#[allow(clippy::print_stdout, reason = "this is what the caller's script reads")]
fn say(id: Uuid) {
    println!("{id}");
}
