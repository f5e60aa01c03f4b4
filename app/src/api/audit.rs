//! Reading the audit log.

use crate::model::{
    audit::{AuditFilter, AuditPage},
    error::ApiError,
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{api::answer, ports::authenticated};

/// Where the page is, and where its file comes from.
pub const PAGE: &str = "/settings/audit-log";
pub const EXPORT: &str = "/settings/audit-log/export";

/// One page of the audit log. `older` and `newer` are what an earlier page said.
#[server(prefix = "/api", endpoint = "audit_log")]
pub async fn read_audit_log(
    #[server(default)] filter: AuditFilter,
    older: Option<String>,
    newer: Option<String>,
) -> Result<AuditPage, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.audit.page(&who, &filter, older.as_deref(), newer.as_deref()).await
    })
    .await
}
