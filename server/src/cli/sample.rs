//! `keystead sample`: two small workspaces, so that the pages of a new deployment are not empty.
//!
//! Everything goes through the services, as if the first administrator had typed it: it is sealed like any other data, and they
//! own it.

use super::Outcome;
use crate::{
    application::{aws, start_services},
    config::Config,
    services::Services,
    store::entities::workspace,
    telemetry,
};
use app::{
    model::error::ApiError,
    ports::{OrganizationPort, Principal, WorkspacesPort},
};
use bytes::Bytes;
use sea_orm::{EntityTrait, PaginatorTrait};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(20);
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A workspace with what is inside it, oldest first.
struct Sample {
    name: &'static str,
    description: &'static str,
    notes: &'static [&'static str],
    files: &'static [(&'static str, &'static str, &'static [u8])],
}

const SAMPLES: [Sample; 2] = [
    Sample {
        name: "Harbour survey",
        description: "Depth soundings and findings of the spring survey.",
        notes: &[include_str!("sample/soundings.md"), include_str!("sample/findings.md")],
        files: &[("soundings.csv", "text/csv", include_bytes!("sample/soundings.csv"))],
    },
    Sample {
        name: "Welcome to Keystead",
        description: "Three things to try first.",
        notes: &[include_str!("sample/formatting.md"), include_str!("sample/welcome.md")],
        files: &[
            ("checklist.txt", "text/plain", include_bytes!("sample/checklist.txt")),
            ("questions.md", "text/markdown", include_bytes!("sample/questions.md")),
        ],
    },
];

pub async fn sample(config: Config) -> Outcome {
    telemetry::init(config.log_format);
    let (store, services) = start_services(&config, config.listen, aws(&config.provider_key_arn).await).await?;
    if let Some(first) = &config.first_admin {
        services.accounts.ensure_first_administrator(first).await?;
    }
    let loaded = load(&services).await;
    services.stop().await;
    store.close().await?;
    loaded
}

async fn load(services: &Services) -> Outcome {
    until_open(services).await?;
    let who = services.accounts.first_administrator().await.map_err(|error| error.message())?;
    let who = who.ok_or("there is no administrator yet: set KEYSTEAD_ADMIN_EMAIL and KEYSTEAD_ADMIN_PASSWORD")?;
    // Also those of which the administrator is no member.
    if workspace::Entity::find().count(services.store.read()).await? > 0 {
        tracing::info!(event = "sample_skipped", "there are workspaces already; nothing was loaded");
        return Ok(());
    }
    for sample in &SAMPLES {
        create(services, &who, sample).await.map_err(|error| error.message())?;
    }
    tracing::info!(event = "sample_loaded", "two workspaces were loaded");
    Ok(())
}

/// Data can be used once the first key check has succeeded.
async fn until_open(services: &Services) -> Outcome {
    let patience = Instant::now() + PATIENCE;
    while !services.answered() {
        if Instant::now() > patience {
            return Err("no key check was answered in time".into());
        }
        sleep(ASK_EVERY).await;
    }
    services.organization.lock().map_or(Ok(()), |face| Err(face.cause.badge().into()))
}

async fn create(services: &Services, who: &Principal, sample: &Sample) -> Result<(), ApiError> {
    let workspace = services.workspaces.create(who, sample.name, sample.description).await?;
    for note in sample.notes {
        services.workspaces.create_note(who, &workspace.id, note).await?;
    }
    for (name, media_type, content) in sample.files {
        let length = Some(content.len() as u64);
        let mut upload = services.files.begin_upload(who, &workspace.id, name, media_type, length).await?;
        upload.write(Bytes::from_static(content)).await?;
        upload.finish().await?;
    }
    Ok(())
}
