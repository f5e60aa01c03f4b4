//! Whose key protects the data, and changing it.

use crate::model::{encryption::DataEncryption, error::ApiError, key_test::Activation};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, ask_for_proof, is_plain_form},
    ports::authenticated,
    problem,
};

/// Where people return to after pressing a button.
pub const PAGE: &str = "/settings/data-encryption";
/// The word in the address that makes the page load itself anew while a test goes on.
pub const LOADS_ITSELF: &str = "follow";

/// Everything the Data Encryption page shows, with the test of a key that has the id `test`.
#[server(prefix = "/api", endpoint = "data_encryption")]
pub async fn read_data_encryption(test: Option<String>) -> Result<DataEncryption, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.encryption.view(&who, test.as_deref()).await
    })
    .await
}

/// Tests a key without changing anything. Gives the id of the test: the page shows it when its address names it.
#[server(prefix = "/api", endpoint = "test_key")]
pub async fn test_key(arn: String) -> Result<String, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let test = ports.encryption.test_key(&who, &arn).await?;
        back_to_the_test(&test.id);
        Ok(test.id)
    })
    .await
}

/// Tests a key and, if it is fit, starts the job that puts it in force.
#[server(prefix = "/api", endpoint = "activate_key")]
pub async fn activate_key(arn: String) -> Result<Activation, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let activation = ask_for_proof(ports.encryption.activate(&who, &arn).await, &page_with(&arn))?;
        match &activation {
            Activation::Begun => back_to_the_page(),
            Activation::Refused(test) => back_to_the_test(test),
        }
        Ok(activation)
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

/// Without scripts the page loads itself anew until the test is over.
#[cfg(feature = "ssr")]
fn back_to_the_test(id: &str) {
    if is_plain_form() {
        leptos_axum::redirect(&format!("{PAGE}?test={id}&{LOADS_ITSELF}=yes"));
    }
}

/// The page with what was typed into its form. An ARN is no secret.
#[cfg(feature = "ssr")]
fn page_with(arn: &str) -> String {
    problem::address(PAGE, &[("arn", arn)], None)
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
        ask_for_proof(ports.encryption.delete_key(&who, &arn).await, &page_with(&arn))?;
        back_to_the_page();
        Ok(())
    })
    .await
}
