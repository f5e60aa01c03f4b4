//! Whose key protects the data, and changing it.

use crate::model::{encryption::DataEncryption, error::ApiError, preflight::Preflight};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, is_plain_form},
    model::error::KeyRefused,
    ports::authenticated,
};

/// Where people return to after pressing a button without scripts.
#[cfg(feature = "ssr")]
const PAGE: &str = "/settings/data-encryption";

/// Everything the Data Encryption page shows.
#[server(prefix = "/api", endpoint = "data_encryption")]
pub async fn read_data_encryption() -> Result<DataEncryption, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.view(&who).await
    })
    .await
}

/// Tries a key without changing anything. Without scripts there is no place for the list of steps, so the first problem
/// becomes the error, and the page only says that there was none.
#[server(prefix = "/api", endpoint = "test_key")]
pub async fn test_key(arn: String) -> Result<Preflight, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let preflight = ports.encryption.test_key(&who, &arn).await?;
        if is_plain_form() {
            if let Some(problem) = preflight.problem() {
                return Err(KeyRefused::Problem(problem).into());
            }
            leptos_axum::redirect(&format!("{PAGE}?tested=passed"));
        }
        Ok(preflight)
    })
    .await
}

/// Starts the job that puts the key in force.
#[server(prefix = "/api", endpoint = "activate_key")]
pub async fn activate_key(arn: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.activate(&who, &arn).await?;
        back_to_the_page();
        Ok(())
    })
    .await
}

/// Pauses the unfinished job.
#[server(prefix = "/api", endpoint = "pause_job")]
pub async fn pause_job() -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.pause_job(&who).await?;
        back_to_the_page();
        Ok(())
    })
    .await
}

/// Lets a paused job go on.
#[server(prefix = "/api", endpoint = "resume_job")]
pub async fn resume_job() -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.resume_job(&who).await?;
        back_to_the_page();
        Ok(())
    })
    .await
}

/// Starts a job that tries again what was set aside.
#[server(prefix = "/api", endpoint = "retry_set_aside")]
pub async fn retry_set_aside() -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.retry_set_aside(&who).await?;
        back_to_the_page();
        Ok(())
    })
    .await
}

#[cfg(feature = "ssr")]
fn back_to_the_page() {
    if is_plain_form() {
        leptos_axum::redirect(PAGE);
    }
}

/// Starts the job that puts the provider key back in force.
#[server(prefix = "/api", endpoint = "delete_key")]
pub async fn delete_key(arn: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.delete_key(&who, &arn).await?;
        back_to_the_page();
        Ok(())
    })
    .await
}
