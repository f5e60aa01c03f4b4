//! The configuration: flags and environment variables, checked as a whole before anything else is done.
//!
//! What must stay true: every mistake is reported, not only the first; each message names the variable, what was wrong and
//! what is expected; and no message, `--help` or `Debug` output contains a secret.

mod checks;
mod mistakes;
mod network;
mod public_url;

pub use mistakes::{Mistake, Mistakes};
pub use public_url::PublicUrl;

use crate::{http::patience::Patience, services::workspace_locks::WorkspaceKeyTimes};
use app::model::key_arn::KeyArn;
use clap::Args;
use ipnet::IpNet;
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};
use vault::{DeploymentId, Zeroizing};

/// How the program can be told what to do, as it was told. Nothing here has been checked: see [`Config::check`].
#[derive(Args, Clone)]
pub struct Options {
    /// Address and port to listen on.
    #[arg(long, env = "KEYSTEAD_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub listen: String,

    /// Address and port on which `/metrics` is served to monitoring, and nothing else. Nowhere, if not given.
    #[arg(long, env = "KEYSTEAD_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<String>,

    /// The origin under which browsers reach this deployment. With https, cookies are `__Host-` and `Secure`.
    #[arg(long, env = "KEYSTEAD_PUBLIC_URL", value_name = "ORIGIN", default_value = "http://127.0.0.1:3000")]
    pub public_url: String,

    #[command(flatten)]
    pub database: DatabaseOption,

    /// Where the content of files is stored: `file:<folder>` or `s3://<bucket>/<prefix>`.
    #[arg(long, env = "KEYSTEAD_OBJECTS", value_name = "PLACE", default_value = "file:./objects")]
    pub objects: String,

    /// The ARN of the operator's KMS key, which protects data when no customer managed key is active. Required.
    #[arg(long, env = "KEYSTEAD_PROVIDER_KEY_ARN", value_name = "ARN")]
    pub provider_key_arn: Option<String>,

    /// The id in every encryption context. Made and stored at first start; one that differs from the stored one is refused.
    #[arg(long, env = "KEYSTEAD_DEPLOYMENT_ID", value_name = "ID")]
    pub deployment_id: Option<String>,

    /// The name of the organization, as people read it, until an administrator gives it another.
    #[arg(long, env = "KEYSTEAD_ORGANIZATION", value_name = "NAME", default_value = "My organization")]
    pub organization: String,

    /// E-mail of the first administrator, created at start if there is no user.
    #[arg(long, env = "KEYSTEAD_ADMIN_EMAIL", value_name = "EMAIL")]
    pub admin_email: Option<String>,

    /// Password of the first administrator. Better given in the environment: others can see the arguments of a program.
    #[arg(long, env = "KEYSTEAD_ADMIN_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub admin_password: Option<String>,

    /// The proxies in front, as addresses or networks separated by commas: their `X-Forwarded-For` is believed. None, if not given.
    #[arg(long, env = "KEYSTEAD_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,

    /// The server for e-mail: `smtps://user:password@host` or `smtp://user:password@host:587?tls=required`. None, if not given.
    #[arg(long, env = "KEYSTEAD_SMTP_URL", value_name = "URL", hide_env_values = true)]
    pub smtp_url: Option<String>,

    /// The sender of e-mail, such as `Keystead <keystead@example.com>`.
    #[arg(long, env = "KEYSTEAD_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// AWS account ids, separated by commas, whose keys may become customer managed keys. Any, if not given.
    #[arg(long, env = "KEYSTEAD_CUSTOMER_ACCOUNTS", value_name = "ACCOUNTS")]
    pub customer_accounts: Option<String>,

    /// The AWS principal to name in key policies. Asked of STS, if not given.
    #[arg(long, env = "KEYSTEAD_AWS_PRINCIPAL_ARN", value_name = "ARN")]
    pub aws_principal_arn: Option<String>,

    /// Seconds between two key checks, 1 to 30.
    #[arg(long, env = "KEYSTEAD_KEY_CHECK_SECONDS", value_name = "SECONDS", default_value = "5")]
    pub key_check_seconds: String,

    /// Seconds for which access lasts when AWS cannot be reached, 10 to 900.
    #[arg(long, env = "KEYSTEAD_OUTAGE_GRACE_SECONDS", value_name = "SECONDS", default_value = "300")]
    pub outage_grace_seconds: String,

    /// The largest file that may be uploaded, in bytes.
    #[arg(long, env = "KEYSTEAD_MAX_FILE_BYTES", value_name = "BYTES", default_value = "5368709120")]
    pub max_file_bytes: String,

    #[command(flatten)]
    pub log: LogOption,
}

/// Which database, for the commands that need nothing else.
#[derive(Args, Clone)]
pub struct DatabaseOption {
    /// The database: `sqlite://<file>?mode=rwc` or `postgres://<user>:<password>@<host>/<database>`.
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite://keystead.db?mode=rwc",
        hide_env_values = true
    )]
    pub database_url: String,
}

/// How the log is written, for every command.
#[derive(Args, Clone)]
pub struct LogOption {
    /// `text` for people or `json` for programs. What is logged is chosen with `RUST_LOG`.
    #[arg(long, env = "KEYSTEAD_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: String,
}

/// The configuration of a server, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// `None`: no figures are served.
    pub metrics_listen: Option<SocketAddr>,
    pub public_url: PublicUrl,
    pub database_url: DatabaseUrl,
    pub objects: ObjectsAt,
    pub provider_key_arn: KeyArn,
    /// `None`: the stored one, or a new one at first start.
    pub deployment_id: Option<DeploymentId>,
    pub organization: String,
    pub first_admin: Option<FirstAdmin>,
    /// Whose word on where a request comes from is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `None`: no e-mail is sent.
    pub mail: Option<MailConfig>,
    /// Account ids whose keys may become root. Empty: any.
    pub customer_accounts: Vec<String>,
    /// `None`: asked of STS.
    pub aws_principal_arn: Option<String>,
    pub key_check: Duration,
    pub outage_grace: Duration,
    /// When the data keys of workspaces are asked for again. No option: the terms are promises.
    pub workspace_keys: WorkspaceKeyTimes,
    pub max_file_bytes: u64,
    /// For how long clients are waited for. No option either.
    pub patience: Patience,
    pub log_format: LogFormat,
}

impl Config {
    /// Checks everything. `aws_region` is the region that the environment names for the AWS SDK, if it does.
    ///
    /// # Errors
    /// All mistakes there are.
    pub fn check(options: Options, aws_region: Option<&str>) -> Result<Self, Mistakes> {
        checks::check(options, aws_region)
    }
}

/// The address of the database. It can contain a password, so it does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Checks that it is the address of a database we can use.
    ///
    /// # Errors
    /// One mistake.
    pub fn parse(url: &str) -> Result<Self, Mistake> {
        let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
        if known {
            Ok(Self(url.to_owned()))
        } else {
            Err(Mistake::new("DATABASE_URL", "it has no scheme that is known here", "sqlite://… or postgres://…"))
        }
    }

    /// The whole address, with the password if there is one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split_once(':').map_or("(database)", |(scheme, _)| scheme))
    }
}

impl std::ops::Deref for DatabaseUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Where the content of files is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectsAt {
    /// A local folder.
    File(PathBuf),
    /// A prefix, without slashes at its ends and possibly empty, in a bucket.
    S3 { bucket: String, prefix: String },
}

/// How e-mail is sent. The address of the server can contain a password, so it does not show itself.
#[derive(Clone)]
pub struct MailConfig {
    pub smtp_url: Zeroizing<String>,
    /// The sender.
    pub from: String,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailConfig").field("from", &self.from).finish_non_exhaustive()
    }
}

/// The administrator to create when there is no user.
#[derive(Clone)]
pub struct FirstAdmin {
    pub email: String,
    pub password: Zeroizing<String>,
}

impl fmt::Debug for FirstAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstAdmin").field("email", &self.email).finish_non_exhaustive()
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogOption {
    /// The format asked for.
    ///
    /// # Errors
    /// One mistake.
    pub fn format(&self) -> Result<LogFormat, Mistake> {
        match self.log_format.as_str() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            other => Err(Mistake::new("KEYSTEAD_LOG_FORMAT", &format!("it is {other:?}"), "text or json")),
        }
    }
}
