//! `keystead reset`: what is left to do when the key is gone for ever. It destroys the data that nobody can open any more.

use super::Outcome;
use crate::{
    application::aws,
    config::{Config, Options},
    jobs::{cores::Cores, database_file::DatabaseFile},
    services::{
        requests::Requests,
        reset::{Loss, Plan, Reset, ResetRefused},
    },
    store::{Store, entities::encryption::RootKind},
    telemetry,
};
use clap::Args;
use sea_orm::DbBackend;
use std::{
    error::Error,
    fmt::Display,
    io::{self, Write},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;
use vault::{Clock, Kms, KmsClass, Refusal, SystemClock};

/// How long cleaning the files may take here: what is left is done by the next server.
const PATIENCE: Duration = Duration::from_mins(1);

const EXPLANATION: &str = "\
`keystead reset --destroy-locked-data` is for a customer managed key that is gone for ever. It destroys all workspaces, notes
and files, which nobody can open any more, and lets the deployment begin anew under the provider key. Accounts, roles, sessions,
settings and the history stay.

It does so only if AWS says twice that the key does not exist, that this deployment may not use it, or that the stored data
key is damaged. It then shows what will be lost, and asks for the key's ARN. A key that is only disabled, or whose deletion can be cancelled,
is not gone: nothing is destroyed then.";

#[derive(Args)]
pub struct ResetOptions {
    #[command(flatten)]
    pub options: Options,

    /// Destroys the data that is locked, if its key is gone for ever and its ARN is typed.
    #[arg(long)]
    destroy_locked_data: bool,
}

/// Without the flag nothing is touched, not even looked at.
#[allow(clippy::print_stdout, reason = "this is the program speaking to the one who started it")]
pub fn meant(options: &ResetOptions) -> Outcome {
    if options.destroy_locked_data {
        return Ok(());
    }
    println!("{EXPLANATION}\n");
    Err("nothing was changed: --destroy-locked-data was not given".into())
}

pub async fn reset(config: Config) -> Outcome {
    telemetry::init(config.log_format);
    let store = Store::connect(&config.database_url).await?;
    store.migrate().await?;
    let done = converse(&config, &store).await;
    store.close().await?;
    done
}

async fn converse(config: &Config, store: &Store) -> Outcome {
    let kms = Kms::new(&aws(&config.provider_key_arn).await.kms);
    let reset = Reset::open(config, store.clone(), kms).await.map_err(unchanged)?;
    let plan = reset.plan().await.map_err(unchanged)?;
    show(&plan).map_err(unchanged)?;
    let mut typed = String::new();
    io::stdin().read_line(&mut typed).map_err(unchanged)?;
    let lost = match reset.destroy(&plan, &typed).await {
        Err(unsure @ ResetRefused::Unsure(_)) => return Err(unsure.into()),
        outcome => outcome.map_err(unchanged)?,
    };
    let cleaned = clean(store).await;
    let mut out = io::stdout().lock();
    // What has happened has happened, also if nobody reads this.
    let _ = writeln!(out, "\nDestroyed: {}.", counted(&lost));
    if let Err(error) = cleaned {
        let _ = writeln!(
            out,
            "What was wrapped and sealed may still be in the files of the database, until a server has cleaned them: {error}."
        );
    }
    let _ = writeln!(out, "Running servers open by themselves within seconds, and empty the object store.");
    Ok(())
}

/// What was destroyed is not to be left in the files of the database either. Otherwise the next server cleans them.
async fn clean(store: &Store) -> Outcome {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let file = DatabaseFile { store: store.clone(), cores: Cores::new(Requests::new(Arc::clone(&clock))), clock };
    if store.backend() == DbBackend::Sqlite && !timeout(PATIENCE, file.clean_if_due()).await?? {
        return Err("a change of key is running".into());
    }
    Ok(())
}

fn unchanged(error: impl Display) -> Box<dyn Error + Send + Sync> {
    format!("nothing was changed: {error}").into()
}

fn show(plan: &Plan) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let whose = match plan.root.root_kind {
        RootKind::Customer => "the customer managed key",
        RootKind::Provider => "the provider key",
    };
    writeln!(out, "The data is locked under {whose}\n  {}", plan.root.root_key_arn)?;
    writeln!(out, "AWS was asked twice and answers\n  {}", plan.answer)?;
    match plan.answer.class {
        KmsClass::Refused(Refusal::AccessDenied) => writeln!(
            out,
            "\nThis is also what AWS says of a key whose policy does not name this deployment any more. If its owner can allow it\n\
             again, nothing is lost. Ask first."
        )?,
        KmsClass::Tampered => writeln!(
            out,
            "\nThe key may well work: it is the stored data key that does not open. A backup of the database may hold it intact.\n\
             Try that first."
        )?,
        _ => {}
    }
    writeln!(out, "\nThis will be destroyed for ever (names cannot be shown, because nobody can read them):")?;
    writeln!(out, "  {}", counted(&plan.loss))?;
    writeln!(out, "A change of key that has not ended ends as failed.\n")?;
    writeln!(out, "This stays: accounts, roles, sessions, settings, and the history of locks and changes of key.")?;
    writeln!(out, "Backups that were made earlier stay unreadable: no other key opens them.")?;
    writeln!(out, "New data will be under the provider key\n  {}\n", plan.provider_key)?;
    writeln!(out, "To destroy the data, type the ARN of the key that is gone:")?;
    write!(out, "> ")?;
    out.flush()
}

fn counted(loss: &Loss) -> String {
    let Loss { workspaces, notes, files, bytes } = loss;
    format!("{workspaces} workspaces, {notes} notes, {files} files with {bytes} bytes")
}
