//! The organization and the servers that run it.

use crate::model::{error::ApiError, organization::General};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, is_plain_form},
    ports::authenticated,
    problem,
};

/// Where people return to after pressing a button.
pub const PAGE: &str = "/settings";

/// What the General settings show.
#[server(prefix = "/api", endpoint = "general")]
pub async fn read_general() -> Result<General, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.organization.general(&who).await
    })
    .await
}

/// Gives the organization another name.
#[server(prefix = "/api", endpoint = "rename_organization")]
pub async fn rename_organization(name: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let renamed = ports.organization.rename(&who, &name).await;
        match &renamed {
            Ok(()) => leptos_axum::redirect(&problem::address(PAGE, &[("done", "name")], None)),
            // What was typed comes back, but not so much that the address would be too long.
            Err(error) if is_plain_form() => {
                let typed: String = name.chars().take(200).collect();
                leptos_axum::redirect(&problem::address(PAGE, &[("name", &typed)], Some(error)));
            }
            Err(_) => {}
        }
        renamed
    })
    .await
}
