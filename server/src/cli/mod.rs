//! The commands of the program, one file each.

mod audit;
mod backup;
mod health;
mod key_policy;
mod migrate;
mod process;
mod reset;
mod sample;
mod serve;
mod user;

use crate::config::{Config, DatabaseOption, LogFormat, LogOption, Mistakes, Options};
use clap::{Parser, Subcommand};
use std::{env, error::Error, process::ExitCode};

/// Workspaces that are encrypted under a key the organization owns.
#[derive(Parser)]
#[command(name = "keystead", version, about, propagate_version = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server. Brings the schema of the database up to date first.
    Serve(Box<Options>),
    /// Brings the schema of the database up to date, and does nothing else.
    Migrate {
        #[command(flatten)]
        database: DatabaseOption,
        #[command(flatten)]
        log: LogOption,
    },
    /// Looks after the people who can sign in.
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// Holds objects in the store while database and objects are copied, so that the copies fit together.
    Backup {
        #[command(subcommand)]
        command: backup::BackupCommand,
    },
    /// Loads two small workspaces to look at, if there is no workspace yet.
    Sample(Box<Options>),
    /// Prints what the owner of a key needs to allow Keystead its use, or what the operator's own policy has to allow.
    KeyPolicy(Box<key_policy::KeyPolicyOptions>),
    /// Destroys the data that is locked under a key that is gone for ever. Says more when it is run without options.
    Reset(Box<reset::ResetOptions>),
    /// Looks after the audit log.
    Audit {
        #[command(subcommand)]
        command: audit::AuditCommand,
    },
    /// Asks a running server whether it is ready. For process managers and containers.
    Health(health::HealthOptions),
}

/// What a command can end with.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Reads the command line and runs the command. A failure is told on standard error.
pub fn main() -> ExitCode {
    let line = Line::parse();
    process::protect();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(line.command)) {
        Ok(code) => code,
        Err(error) => failed(error.as_ref()),
    }
}

/// Runs the command. Most can only succeed or fail; what one finds out may have an exit code of its own.
async fn run(command: Command) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    match command {
        Command::Audit { command: audit::AuditCommand::Verify(options) } => {
            let (heads, keys, options) = options.into_parts();
            return audit::verify(heads, keys, checked(options)?).await;
        }
        Command::Serve(options) => serve::serve(checked(*options)?).await?,
        Command::Migrate { database, log } => migrate::migrate(&database, log_format(&log)?).await?,
        Command::User { command } => user::run(command).await?,
        Command::Backup { command } => backup::run(command).await?,
        Command::Sample(options) => sample::sample(checked(*options)?).await?,
        Command::KeyPolicy(options) => {
            let config = checked(options.options.clone())?;
            key_policy::key_policy(*options, config).await?;
        }
        Command::Reset(options) => {
            reset::meant(&options)?;
            reset::reset(checked(options.options)?).await?;
        }
        Command::Health(options) => health::health(&options).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The checked configuration. The AWS SDK reads its region from these variables too.
fn checked(options: Options) -> Result<Config, Mistakes> {
    let region = env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION")).ok();
    Config::check(options, region.as_deref())
}

fn log_format(log: &LogOption) -> Result<LogFormat, Mistakes> {
    log.format().map_err(Mistakes::from)
}

#[allow(clippy::print_stderr, reason = "this is the program speaking to the one who started it")]
fn failed(error: &dyn Error) -> ExitCode {
    eprintln!("keystead: {error}");
    ExitCode::FAILURE
}
