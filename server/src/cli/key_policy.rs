//! `keystead key-policy`: what the owner of a customer managed key needs, and what the operator's own policy has to allow.
//!
//! Only the text goes to standard output, so that it can be sent to a file.

use super::Outcome;
use crate::{
    application::aws,
    config::{Config, DatabaseUrl, Mistakes, Options},
    services::principal_arn::{self, AwsPrincipal},
    store::{Store, entities::encryption},
    telemetry,
};
use app::{
    key_policy::{Access, Format, operator_policy},
    model::key_arn::{KeyArn, KeyArnError},
};
use clap::{Args, ValueEnum};
use sea_orm::EntityTrait;
use std::{
    error::Error,
    io::{self, Write},
};
use vault::DeploymentId;

#[derive(Args)]
pub struct KeyPolicyOptions {
    /// How it is written.
    #[arg(long, value_enum)]
    format: FormatOption,

    /// The AWS account that will own the customer's key: twelve digits. Found out by whoever runs the result, if not given.
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    owner: Option<String>,

    /// For `iam`: only these keys, by their ARNs. Name the provider key among them. Any key of the region, if not given.
    #[arg(long, value_name = "ARN", value_parser = key_arn)]
    key_arn: Vec<KeyArn>,

    #[command(flatten)]
    pub options: Options,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatOption {
    /// The statements to add to the policy of a key that exists.
    Json,
    /// Commands for bash and the AWS CLI that create a key.
    Cli,
    /// A Terraform configuration that creates a key.
    Terraform,
    /// A `CloudFormation` template that creates a key.
    #[value(name = "cloudformation")]
    CloudFormation,
    /// The operator's own side: the policy of the principal that Keystead runs as.
    Iam,
}

/// Prints the text that was asked for.
pub async fn key_policy(options: KeyPolicyOptions, config: Config) -> Outcome {
    telemetry::init(config.log_format);
    let text = match options.format {
        FormatOption::Json => for_customer(Format::Json, options.owner, &config).await,
        FormatOption::Cli => for_customer(Format::Cli, options.owner, &config).await,
        FormatOption::Terraform => for_customer(Format::Terraform, options.owner, &config).await,
        FormatOption::CloudFormation => for_customer(Format::CloudFormation, options.owner, &config).await,
        FormatOption::Iam => for_operator(&options.key_arn, &config).await,
    }?;
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

type Text = Result<String, Box<dyn Error + Send + Sync>>;

async fn for_customer(format: Format, owner: Option<String>, config: &Config) -> Text {
    let deployment = deployment(config).await?.ok_or(
        "the database holds no deployment yet: start the server once, or set KEYSTEAD_DEPLOYMENT_ID to the id it will have",
    )?;
    let sts = aws(&config.provider_key_arn).await.sts;
    let AwsPrincipal { arn, is_of_session } = principal_arn::find(config.aws_principal_arn.clone(), &sts)
        .await
        .ok_or("AWS does not say which principal this is: set KEYSTEAD_AWS_PRINCIPAL_ARN")?;
    if is_of_session {
        tell(&format!(
            "AWS names a session of the role {arn}. If the role has a path, set KEYSTEAD_AWS_PRINCIPAL_ARN."
        ));
    }
    let key = &config.provider_key_arn;
    let access = Access {
        deployment: deployment.to_string(),
        principal: Some(arn),
        partition: key.partition().to_owned(),
        region: key.region().to_owned(),
        owner,
    };
    Ok(access.text(format))
}

async fn for_operator(keys: &[KeyArn], config: &Config) -> Text {
    let provider = &config.provider_key_arn;
    for key in keys {
        key.check_home(provider.partition(), provider.region())
            .map_err(|_| format!("{key} is not in the region of the provider key, {}", provider.region()))?;
    }
    let deployment = deployment(config).await.ok().flatten();
    if deployment.is_none() {
        tell(
            "The id of the deployment is not known yet, so the policy does not name it. Print it again after the first start, \
             or set KEYSTEAD_DEPLOYMENT_ID.",
        );
    }
    let keys: Vec<_> = keys.iter().map(KeyArn::as_str).collect();
    let id = deployment.as_ref().map(DeploymentId::as_str);
    Ok(operator_policy(provider.partition(), provider.region(), &keys, id))
}

/// The id that is configured, or else the one in the database. `None` if there was no start yet.
async fn deployment(config: &Config) -> Result<Option<DeploymentId>, Box<dyn Error + Send + Sync>> {
    if let Some(id) = &config.deployment_id {
        return Ok(Some(id.clone()));
    }
    // Looking must not make an empty database.
    let url = DatabaseUrl::parse(&config.database_url.replace("mode=rwc", "mode=rw")).map_err(Mistakes::from)?;
    let store = Store::connect(&url).await.map_err(|error| {
        format!("DATABASE_URL: the database cannot be used: {error}; KEYSTEAD_DEPLOYMENT_ID can be set instead")
    })?;
    let found = encryption::Entity::find_by_id(1).one(store.read()).await;
    store.close().await?;
    // Without a table there was no start either.
    let Ok(Some(row)) = found else { return Ok(None) };
    Ok(Some(DeploymentId::new(&row.deployment_id)?))
}

fn key_arn(text: &str) -> Result<KeyArn, &'static str> {
    KeyArn::parse(text).map_err(KeyArnError::message)
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err("an AWS account id has 12 digits".to_owned()) }
}

#[allow(clippy::print_stderr, reason = "this is the program speaking to the one who started it")]
fn tell(what: &str) {
    eprintln!("keystead: {what}");
}
