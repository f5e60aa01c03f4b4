//! The organization and its members.

use crate::model::{error::ApiError, identity::MemberEntry};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{api::answer, ports::authenticated};

/// Everybody who may sign in.
#[server(prefix = "/api", endpoint = "members")]
pub async fn members() -> Result<Vec<MemberEntry>, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.organization.members(&who).await
    })
    .await
}
