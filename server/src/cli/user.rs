//! `keystead user add`: people who can sign in.

use super::Outcome;
use crate::{
    config::{DatabaseOption, DatabaseUrl, LogOption, Mistakes},
    services::accounts::Accounts,
    store::Store,
    telemetry,
};
use app::model::identity::Role;
use clap::{Subcommand, ValueEnum};
use std::{
    env,
    io::{self, BufRead, IsTerminal},
    sync::Arc,
};
use vault::{SystemClock, SystemEntropy, Zeroizing};

const PASSWORD: &str = "KEYSTEAD_USER_PASSWORD";

#[derive(Subcommand)]
pub enum UserCommand {
    /// Adds a user. The password is read from the variable `KEYSTEAD_USER_PASSWORD`, or else from standard input: one line.
    Add {
        /// The e-mail address to sign in with.
        #[arg(long)]
        email: String,
        /// The name that others read.
        #[arg(long)]
        name: String,
        /// What the user may do.
        #[arg(long, value_enum)]
        role: RoleOption,
        #[command(flatten)]
        database: DatabaseOption,
        #[command(flatten)]
        log: LogOption,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum RoleOption {
    /// May change members, settings and keys.
    Administrator,
    /// May work in workspaces and see the settings.
    Member,
}

pub async fn run(command: UserCommand) -> Outcome {
    let UserCommand::Add { email, name, role, database, log } = command;
    telemetry::init(super::log_format(&log)?);
    let url = DatabaseUrl::parse(&database.database_url).map_err(Mistakes::from)?;
    let password = password()?;
    let role = match role {
        RoleOption::Administrator => Role::Administrator,
        RoleOption::Member => Role::Member,
    };
    let store = Store::connect(&url).await?;
    store.migrate().await?;
    let accounts = Accounts::new(store.clone(), Arc::new(SystemClock), Arc::new(SystemEntropy::new()))?;
    let user = accounts.create_user(&email, &name, role, &password).await?;
    tracing::info!(event = "user_added", user = user.user_id, "the user was added");
    Ok(store.close().await?)
}

fn password() -> io::Result<Zeroizing<String>> {
    if let Ok(password) = env::var(PASSWORD) {
        return Ok(Zeroizing::new(password));
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // The terminal would show what is typed.
        let message = format!("set {PASSWORD}, or give the password on standard input, for example from a file");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
