//! A fresh database for each test.

use sea_orm::{ConnectionTrait, Database as Connection, DatabaseConnection};
use std::{
    env,
    path::Path,
    process::{self, Command},
};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A database that nobody else uses.
pub struct Fresh {
    pub url: String,
    /// What to drop in the cluster, if there is one.
    name: Option<String>,
}

impl Database {
    /// Makes one. On `SQLite` it is a file in `folder`.
    pub async fn fresh(self, folder: &Path) -> Fresh {
        match self {
            Self::Sqlite => {
                Fresh { url: format!("sqlite://{}?mode=rwc", folder.join("test.db").display()), name: None }
            }
            Self::Postgres => {
                let name = format!("test_{}_{}", process::id(), plain(folder));
                cluster().await.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
                let url = cluster_url();
                let (server, _) = url.rsplit_once('/').unwrap();
                Fresh { url: format!("{server}/{name}"), name: Some(name) }
            }
        }
    }
}

/// The name of a temporary folder, which is random, as a part of the name of a database.
fn plain(folder: &Path) -> String {
    let name = folder.file_name().unwrap().to_string_lossy().to_lowercase();
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

impl Fresh {
    /// Copies the database to a file while it is in use, as the README tells operators to.
    pub async fn copy(&self, to: &Path) {
        if self.name.is_some() {
            run(Command::new("pg_dump").arg("--format=custom").arg("--file").arg(to).arg(&self.url));
        } else {
            let on = Connection::connect(&self.url).await.unwrap();
            on.execute_unprepared(&format!("VACUUM INTO '{}'", to.display())).await.unwrap();
            on.close().await.unwrap();
        }
    }

    /// Makes another database of such a copy. `folder` is empty.
    pub async fn restored(&self, copy: &Path, folder: &Path) -> Self {
        if self.name.is_some() {
            let fresh = Database::Postgres.fresh(folder).await;
            run(Command::new("pg_restore").arg("--exit-on-error").arg("--dbname").arg(&fresh.url).arg(copy));
            fresh
        } else {
            let fresh = Database::Sqlite.fresh(folder).await;
            std::fs::copy(copy, folder.join("test.db")).unwrap();
            fresh
        }
    }

    pub async fn remove(self) {
        if let Some(name) = self.name {
            cluster().await.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn cluster_url() -> String {
    env::var("KEYSTEAD_TEST_POSTGRES_URL").expect("KEYSTEAD_TEST_POSTGRES_URL must name a PostgreSQL cluster")
}

async fn cluster() -> DatabaseConnection {
    Connection::connect(cluster_url()).await.unwrap()
}
