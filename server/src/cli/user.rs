//! `keystead user …`: people who can sign in, and the operator's way out when nobody can any more.

use super::Outcome;
use crate::{
    config::{DatabaseOption, DatabaseUrl, LogOption, Mistakes},
    services::{
        accounts::{Accounts, end_sessions, second_factors},
        audit::{Action, Audit, Entry, Object},
    },
    store::{
        Store,
        entities::user::{self, Role as StoredRole},
    },
    telemetry,
};
use app::model::identity::Role;
use clap::{Args, Subcommand, ValueEnum};
use sea_orm::{EntityTrait, QueryOrder};
use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
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
        place: Place,
    },
    /// Lists the users: e-mail, role, state, how they sign in, name.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Gives a user another password, read as for `add`, and ends their sessions.
    SetPassword {
        /// The e-mail address of the user.
        #[arg(long)]
        email: String,
        #[command(flatten)]
        place: Place,
    },
    /// Switches off the second factor of a user who has lost it, and ends their sessions.
    ResetSecondFactor {
        /// The e-mail address of the user.
        #[arg(long)]
        email: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args)]
pub struct Place {
    #[command(flatten)]
    database: DatabaseOption,
    #[command(flatten)]
    log: LogOption,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum RoleOption {
    /// May change members, settings and keys.
    Administrator,
    /// May work in workspaces and see the settings.
    Member,
}

pub async fn run(command: UserCommand) -> Outcome {
    match command {
        UserCommand::Add { email, name, role, place } => {
            let (password, role) = (password()?, role.into());
            let accounts = place.open().await?;
            let user = accounts.create_user(&email, &name, role, &password).await?;
            tracing::info!(event = "user_added", user = user.user_id, "the user was added");
            close(accounts).await
        }
        UserCommand::List { place } => {
            let accounts = place.open().await?;
            list(&accounts).await?;
            close(accounts).await
        }
        UserCommand::SetPassword { email, place } => {
            let password = password()?;
            let accounts = place.open().await?;
            let user = found(&accounts, &email).await?;
            let entry = Entry::by_operator(Action::UserChangedByOperator).on(&Object::User(user.id));
            accounts.set_password(&user, &password, entry).await.map_err(|error| error.message())?;
            tracing::info!(event = "password_changed", user = %user.id, "the password was changed");
            close(accounts).await
        }
        UserCommand::ResetSecondFactor { email, place } => {
            let accounts = place.open().await?;
            let user = found(&accounts, &email).await?;
            let transaction = accounts.store().begin().await?;
            if !second_factors::switch_off(&transaction, user.id).await? {
                return Err("this user has no second factor".into());
            }
            end_sessions(&transaction, user.id).await?;
            let entry = Entry::by_operator(Action::UserChangedByOperator).on(&Object::User(user.id));
            Audit::commit(transaction, entry).await?;
            tracing::info!(event = "second_factor_reset", user = %user.id, "the second factor was switched off");
            close(accounts).await
        }
    }
}

impl Place {
    async fn open(&self) -> Result<Accounts, Box<dyn std::error::Error + Send + Sync>> {
        telemetry::init(super::log_format(&self.log)?);
        let url = DatabaseUrl::parse(&self.database.database_url).map_err(Mistakes::from)?;
        let store = Store::connect(&url).await?;
        store.migrate().await?;
        Ok(Accounts::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy::new()))?)
    }
}

impl From<RoleOption> for Role {
    fn from(role: RoleOption) -> Self {
        match role {
            RoleOption::Administrator => Self::Administrator,
            RoleOption::Member => Self::Member,
        }
    }
}

async fn close(accounts: Accounts) -> Outcome {
    Ok(accounts.store().clone().close().await?)
}

async fn found(accounts: &Accounts, email: &str) -> Result<user::Model, Box<dyn std::error::Error + Send + Sync>> {
    accounts.by_email(email).await?.ok_or_else(|| "there is no user with this e-mail address".into())
}

async fn list(accounts: &Accounts) -> Outcome {
    let users = user::Entity::find().order_by_asc(user::Column::Email).all(accounts.store().read()).await?;
    let mut out = io::stdout().lock();
    for user in users {
        let role = match user.role {
            StoredRole::Administrator => "administrator",
            StoredRole::Member => "member",
        };
        let state = if user.disabled_at.is_some() { "disabled" } else { "active" };
        let second = match (user.password(), &user.totp_secret) {
            (None, _) => "single-sign-on",
            (Some(_), Some(_)) => "second-factor",
            (Some(_), None) => "password-only",
        };
        writeln!(out, "{}\t{role}\t{state}\t{second}\t{}", user.email, user.name)?;
    }
    Ok(())
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
