//! What a deployment stands on: keys in the local KMS, a fresh database, and a folder for objects. Several servers may share one.

use super::{ADMIN, Database, Keys, PASSWORD, TestApp, database::Fresh};
use app::model::key_arn::KeyArn;
use server::{
    config::{Config, DatabaseUrl, FirstAdmin, LogFormat, ObjectsAt, PublicUrl},
    http::patience::Patience,
    services::workspace_locks::WorkspaceKeyTimes,
};
use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use vault::Zeroizing;

pub struct Ground {
    pub keys: Arc<Keys>,
    /// The address of the database.
    pub url: String,
    pub objects: PathBuf,
    pub folder: TempDir,
    database: Fresh,
}

impl Ground {
    pub async fn new(database: Database) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let database = database.fresh(folder.path()).await;
        let (objects, url) = (folder.path().join("objects"), database.url.clone());
        Arc::new(Self { keys: Arc::new(Keys::new().await), url, objects, folder, database })
    }

    /// Copies the database into the folder.
    pub async fn copy_database(&self) -> PathBuf {
        let copy = self.folder.path().join("copy-of-the-database");
        self.database.copy(&copy).await;
        copy
    }

    /// Another deployment, of copies of this one's database and objects, under the same keys.
    pub async fn restored(&self, copy: &Path, objects: PathBuf) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let database = self.database.restored(copy, folder.path()).await;
        let (keys, url) = (Arc::clone(&self.keys), database.url.clone());
        Arc::new(Self { keys, url, objects, folder, database })
    }

    /// What a server that is a process of its own is told; where objects are is the caller's to say.
    pub fn environment(&self, address: SocketAddr) -> [(&'static str, String); 13] {
        let aws = env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local KMS");
        [
            ("KEYSTEAD_LISTEN", address.to_string()),
            ("KEYSTEAD_PUBLIC_URL", format!("http://{address}")),
            ("DATABASE_URL", self.url.clone()),
            ("KEYSTEAD_PROVIDER_KEY_ARN", self.keys.provider.clone()),
            ("KEYSTEAD_ADMIN_EMAIL", ADMIN.to_owned()),
            ("KEYSTEAD_ADMIN_PASSWORD", PASSWORD.to_owned()),
            ("KEYSTEAD_KEY_CHECK_SECONDS", "1".to_owned()),
            ("AWS_REGION", "us-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_ENDPOINT_URL_KMS", aws.clone()),
            ("AWS_ENDPOINT_URL_STS", aws.clone()),
            ("AWS_ENDPOINT_URL_S3", aws),
        ]
    }

    /// The configuration of a server as most tests need it.
    pub fn config(&self) -> Config {
        Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics_listen: None,
            public_url: PublicUrl::parse("http://127.0.0.1:3000").unwrap(),
            database_url: DatabaseUrl::parse(&self.url).unwrap(),
            objects: ObjectsAt::File(self.objects.clone()),
            provider_key_arn: KeyArn::parse(&self.keys.provider).unwrap(),
            deployment_id: None,
            organization: "Northwind Labs".to_owned(),
            first_admin: Some(FirstAdmin { email: ADMIN.to_owned(), password: Zeroizing::new(PASSWORD.to_owned()) }),
            trusted_proxies: Vec::new(),
            mail: None,
            customer_accounts: Vec::new(),
            aws_principal_arn: Some("arn:aws:iam::000000000000:role/keystead".to_owned()),
            key_check: Duration::from_secs(1),
            outage_grace: Duration::from_mins(5),
            workspace_keys: WorkspaceKeyTimes::default(),
            max_file_bytes: 64 * 1024 * 1024,
            patience: Patience::default(),
            log_format: LogFormat::Text,
        }
    }

    /// Starts a server here that calls KMS at `endpoint`, its configuration changed by `change` first.
    pub async fn start(self: &Arc<Self>, endpoint: &str, change: impl FnOnce(&mut Config)) -> TestApp {
        let mut config = self.config();
        change(&mut config);
        TestApp::run(config, self.keys.at(endpoint), Arc::clone(self)).await
    }

    /// Removes the database, unless somebody else still stands on it.
    pub async fn remove(self: Arc<Self>) {
        if let Some(ground) = Arc::into_inner(self) {
            ground.database.remove().await;
        }
    }
}
