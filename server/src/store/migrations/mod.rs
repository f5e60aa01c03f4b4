//! The schema, in steps that are only ever added to.
//!
//! Every table with sealed data declares, when it is made, the foreign key `(scope, data_key_id)` to `data_keys`, on delete
//! restrict: the database itself proves that a data key is unused before it can be destroyed. `SQLite` cannot add it later.

#![allow(
    elided_lifetimes_in_paths,
    reason = "the trait of SeaORM elides this lifetime, and async-trait wants it the same"
)]

mod m0001_accounts;
mod m0002_keys;
mod m0003_workspaces;
mod m0004_jobs;
mod m0005_servers;
mod m0006_revocation;
mod m0007_job_accounts;
mod m0008_backups;
mod m0009_turned_jobs;
mod m0010_key_tests;
mod m0011_audit;
mod m0012_workspace_members;
mod m0013_people;
mod m0014_single_sign_on;
mod m0015_organization;
mod m0016_audit_order;
mod m0017_store_marks;
mod m0018_cleaned_files;

use sea_orm_migration::prelude::*;

/// Each step goes in one transaction, also on `SQLite`: a server that is killed in the middle of one begins it anew.
const WHOLE: Option<bool> = Some(true);

/// Applies the steps in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_accounts::Migration),
            Box::new(m0002_keys::Migration),
            Box::new(m0003_workspaces::Migration),
            Box::new(m0004_jobs::Migration),
            Box::new(m0005_servers::Migration),
            Box::new(m0006_revocation::Migration),
            Box::new(m0007_job_accounts::Migration),
            Box::new(m0008_backups::Migration),
            Box::new(m0009_turned_jobs::Migration),
            Box::new(m0010_key_tests::Migration),
            Box::new(m0011_audit::Migration),
            Box::new(m0012_workspace_members::Migration),
            Box::new(m0013_people::Migration),
            Box::new(m0014_single_sign_on::Migration),
            Box::new(m0015_organization::Migration),
            Box::new(m0016_audit_order::Migration),
            Box::new(m0017_store_marks::Migration),
            Box::new(m0018_cleaned_files::Migration),
        ]
    }
}

/// The foreign key that every table with sealed data declares, and the index that finds what a data key still holds.
///
/// A macro-free builder: `table` is given its columns `scope` and `data_key_id` beforehand.
fn sealed_under(table: &mut TableCreateStatement, name: &'static str) {
    table.foreign_key(
        ForeignKey::create()
            .name(format!("{name}_data_key"))
            .from(Alias::new(name), (Alias::new("scope"), Alias::new("data_key_id")))
            .to(Alias::new("data_keys"), (Alias::new("scope"), Alias::new("id")))
            .on_delete(ForeignKeyAction::Restrict)
            .on_update(ForeignKeyAction::Restrict),
    );
}

/// The index by which a sweep finds the rows of `table` that still name a data key.
fn index_by_data_key(table: &'static str, id: &'static str) -> IndexCreateStatement {
    Index::create()
        .name(format!("{table}_by_data_key"))
        .table(Alias::new(table))
        .col(Alias::new("data_key_id"))
        .col(Alias::new(id))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Migrator, MigratorTrait, WHOLE};

    #[test]
    fn every_step_is_whole() {
        let broken: Vec<_> = Migrator::migrations()
            .iter()
            .filter(|step| step.use_transaction() != WHOLE)
            .map(|step| step.name().to_owned())
            .collect();
        assert!(broken.is_empty(), "a server that is killed in the middle of {broken:?} never starts again");
    }
}
