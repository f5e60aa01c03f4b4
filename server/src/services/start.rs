//! Starting the services: the first root key and data key, and everything that runs in the background.

use super::{
    Aws, Polite, Services, Tasks,
    accounts::{Accounts, PrepareError},
    audit::{Audit, keeper::Keeper, read::AuditLog},
    background::keep,
    coverage::Counter,
    data_keys::DataKeys,
    encryption::Encryption,
    failure::Failure,
    files::Files,
    heartbeat::Heartbeat,
    ids::new_id,
    invitations::Invitations,
    key_check::KeyCheck,
    key_facts::KeyFacts,
    key_state::KeyState,
    key_tests::KeyTests,
    kms_connections,
    lock_journal::LockJournal,
    mail::{MailError, Mailer},
    members::Members,
    news,
    object_storage::{ObjectStorage, StorageError},
    object_writer::ObjectWriting,
    organization::{Organization, OrganizationName},
    outgoing::Outgoing,
    peers::Peers,
    preflight::Preflights,
    principal_arn::{self, AwsPrincipal},
    requests::Requests,
    single_sign_on::SingleSignOn,
    workspace_keys::WorkspaceKeys,
    workspace_locks::WorkspaceLocks,
    workspaces::Workspaces,
};
use crate::{
    config::Config,
    jobs::{collector::Collector, cores::Cores, database_file::DatabaseFile, worker::Worker},
    metrics::{Metrics, scrape::Sources},
    store::{
        Store,
        entities::{
            data_key,
            encryption::{self, RootKind},
        },
        house,
    },
};
use app::model::identity::Deployment;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, SqlErr};
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use vault::{Clock, DeploymentId, Entropy, EntropyError, Kms, Scope, SystemClock, SystemEntropy, Vault};

/// Why the services could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("DATABASE_URL: the database failed: {0}")]
    Database(#[from] DbErr),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(
        "KEYSTEAD_DEPLOYMENT_ID is {given}, but this database belongs to the deployment {stored}. Use that id, or leave it out"
    )]
    OtherDeployment { given: String, stored: String },
    #[error(
        "KEYSTEAD_PROVIDER_KEY_ARN is {given}, but the data is under the provider key {stored}. Use that key: without it \
         nothing can be opened"
    )]
    OtherProviderKey { given: String, stored: String },
    #[error("the database holds a deployment id that is none: {0}")]
    DeploymentId(String),
    #[error("the first data key could not be made with KEYSTEAD_PROVIDER_KEY_ARN: {0}")]
    FirstDataKey(Failure),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error(transparent)]
    Accounts(#[from] PrepareError),
    #[error("KEYSTEAD_SMTP_URL: {0}")]
    Mail(#[from] MailError),
    #[error("single sign-on: the HTTP client could not be made: {0}")]
    SingleSignOn(#[from] reqwest::Error),
}

/// What the parts share before they are put together.
struct Parts {
    store: Store,
    kms: Kms,
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Services {
    /// Makes what the first start needs, checks that database and configuration belong together, and starts the tasks.
    ///
    /// # Errors
    /// One clear message about what does not fit or cannot be had.
    pub async fn start(config: &Config, name: String, store: Store, aws: Aws) -> Result<Self, StartError> {
        let storage = ObjectStorage::open(&config.objects, &aws.sdk)?;
        let (metrics, clock) = (Metrics::default(), Arc::new(SystemClock));
        let kms = Kms::new(&aws.kms).observed(Arc::new(metrics.clone()), clock.clone());
        let parts = Parts { store, kms, metrics, clock, entropy: Arc::new(SystemEntropy::new()) };
        let deployment = parts.deployment(config).await?;
        let vault = parts.vault(config, deployment);
        parts.check_provider_key(config).await?;
        let principal = principal_arn::find(config.aws_principal_arn.clone(), &aws.sts).await;
        parts.assemble(config, name, vault, storage, principal)
    }
}

impl Parts {
    fn vault(&self, config: &Config, deployment: DeploymentId) -> Arc<Vault> {
        let (clock, entropy) = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        Arc::new(Vault::new(deployment, clock, entropy, config.outage_grace))
    }

    /// The stored deployment id; at the first start it is made, together with the organization's first data key.
    async fn deployment(&self, config: &Config) -> Result<DeploymentId, StartError> {
        let found = encryption::Entity::find_by_id(1).one(self.store.read()).await?;
        let stored = match found {
            Some(row) => row.deployment_id,
            None => self.first_start(config).await?,
        };
        match &config.deployment_id {
            Some(given) if given.as_str() != stored => {
                Err(StartError::OtherDeployment { given: given.to_string(), stored })
            }
            _ => DeploymentId::new(&stored).map_err(|_| StartError::DeploymentId(stored)),
        }
    }

    async fn first_start(&self, config: &Config) -> Result<String, StartError> {
        let deployment = match &config.deployment_id {
            Some(given) => given.clone(),
            None => self.new_deployment()?,
        };
        let vault = self.vault(config, deployment.clone());
        let state = Arc::new(KeyState::new(Arc::clone(&vault)));
        let locks = Arc::new(WorkspaceLocks::new(vault, config.workspace_keys));
        let keys = DataKeys::new(self.store.clone(), state, self.kms.clone(), locks, Arc::default());
        let arn = config.provider_key_arn.as_str();
        let fresh = keys.generate(Scope::Organization, arn).await.map_err(StartError::FirstDataKey)?;
        let now = self.clock.wall_ms();
        let row = encryption::ActiveModel {
            id: Set(1),
            deployment_id: Set(deployment.to_string()),
            root_key_arn: Set(arn.to_owned()),
            root_kind: Set(RootKind::Provider),
            generation: Set(1),
            since: Set(now),
            set_by: Set(None),
            turn: Set(0),
        };
        let transaction = self.store.begin().await?;
        match encryption::Entity::insert(row).exec_without_returning(&transaction).await {
            Ok(_) => {}
            // Another server has started for the first time in the same moment.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                transaction.rollback().await?;
                return Ok(house::root(self.store.write()).await?.deployment_id);
            }
            Err(error) => return Err(error.into()),
        }
        let key = fresh.row(Scope::Organization, 1, now);
        data_key::Entity::insert(key).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        tracing::info!(event = "first_start", deployment = %deployment, "made the deployment and its first data key");
        Ok(deployment.to_string())
    }

    fn new_deployment(&self) -> Result<DeploymentId, StartError> {
        let mut random = [0; 8];
        self.entropy.fill(&mut random)?;
        let id = format!("d-{}", hex::encode(random));
        DeploymentId::new(&id).map_err(|_| StartError::DeploymentId(id))
    }

    async fn check_provider_key(&self, config: &Config) -> Result<(), StartError> {
        let root = house::root(self.store.read()).await?;
        let given = config.provider_key_arn.as_str();
        if root.root_kind == RootKind::Provider && root.root_key_arn != given {
            return Err(StartError::OtherProviderKey { given: given.to_owned(), stored: root.root_key_arn });
        }
        Ok(())
    }

    #[allow(clippy::too_many_lines, reason = "one list of parts, each made once and handed on")]
    fn assemble(
        self,
        config: &Config,
        name: String,
        vault: Arc<Vault>,
        storage: ObjectStorage,
        principal: Option<AwsPrincipal>,
    ) -> Result<Services, StartError> {
        let Self { store, kms, metrics, clock, entropy } = self;
        let requests = Requests::new(Arc::clone(&clock));
        let server = new_id(&vault)?;
        let (doubt, garbage, wake) = (Arc::<Notify>::default(), Arc::<Notify>::default(), Arc::<Notify>::default());
        let (changed, _) = watch::channel(0);
        let state = Arc::new(KeyState::new(Arc::clone(&vault)));
        let locks = Arc::new(WorkspaceLocks::new(Arc::clone(&vault), config.workspace_keys));
        let outgoing = Arc::new(Outgoing::new(Arc::clone(&vault)));
        let keys =
            DataKeys::new(store.clone(), Arc::clone(&state), kms.clone(), Arc::clone(&locks), Arc::clone(&doubt));
        let keys = Arc::new(keys);
        let writing =
            ObjectWriting { store: store.clone(), storage: storage.clone(), vault: Arc::clone(&vault), server };
        let files = Arc::new(Files::new(
            store.clone(),
            Arc::clone(&keys),
            writing.clone(),
            config.max_file_bytes,
            Arc::clone(&garbage),
        ));
        let heartbeat = Heartbeat { store: store.clone(), state: Arc::clone(&state), server, name: name.clone() };
        let preflights = Preflights {
            kms: kms.clone(),
            vault: Arc::clone(&vault),
            provider_key: config.provider_key_arn.clone(),
            customer_accounts: config.customer_accounts.clone(),
        };
        let key_tests = KeyTests {
            store: store.clone(),
            preflights: Arc::new(preflights),
            server,
            server_name: name.clone(),
            changed: changed.clone(),
            trying: Arc::default(),
        };
        let testing = key_tests.clone();
        let audit = Audit::of_server(store.clone(), server);
        let keeper = Keeper {
            audit: audit.clone(),
            store: store.clone(),
            kms: kms.clone(),
            deployment: vault.deployment().clone(),
            provider_key: config.provider_key_arn.as_str().to_owned(),
            server,
        };
        let journal = LockJournal {
            store: store.clone(),
            state: Arc::clone(&state),
            workspaces: Arc::clone(&locks),
            outgoing: Arc::clone(&outgoing),
            server,
            server_name: name,
            metrics: metrics.clone(),
            changed: changed.clone(),
        };
        let cores = Cores::new(requests.clone());
        let worker = Worker {
            store: store.clone(),
            keys: Arc::clone(&keys),
            kms: kms.clone(),
            objects: writing,
            cores: cores.clone(),
            server,
            wake: Arc::clone(&wake),
            garbage: Arc::clone(&garbage),
            changed: changed.clone(),
        };
        let database_file = DatabaseFile { store: store.clone(), cores, clock: Arc::clone(&clock) };
        let key_check = KeyCheck {
            store: store.clone(),
            kms: kms.clone(),
            state: Arc::clone(&state),
            unwrapping: Arc::clone(keys.unwrapping()),
            every: config.key_check,
            customer_accounts: config.customer_accounts.clone(),
            doubt: Arc::clone(&doubt),
            metrics: metrics.clone(),
        };
        let workspace_keys = WorkspaceKeys {
            vault: Arc::clone(&vault),
            unwrapping: Arc::clone(keys.unwrapping()),
            locks: Arc::clone(&locks),
        };
        let key_facts = KeyFacts { kms: kms.clone(), state: Arc::clone(&state) };
        let peers = Peers { store: store.clone(), state: Arc::clone(&state), server, doubt };
        let collector = Collector { store: store.clone(), storage, garbage };
        let connections = (Arc::clone(&vault), kms.clone());
        let (time, news, beating) = (Arc::clone(&vault), (store.clone(), changed.clone()), heartbeat.clone());
        let stop = CancellationToken::new();
        let others = vec![
            keep("key_check", stop.clone(), move || key_check.clone().run()),
            keep("workspace_keys", stop.clone(), move || workspace_keys.clone().run()),
            keep("time", stop.clone(), move || keep_time(Arc::clone(&time))),
            keep("connections", stop.clone(), move || {
                kms_connections::let_connections_go(Arc::clone(&connections.0), connections.1.clone())
            }),
            keep("key_facts", stop.clone(), move || key_facts.clone().run()),
            keep("key_tests", stop.clone(), move || testing.clone().run()),
            keep("peers", stop.clone(), move || peers.clone().run()),
            keep("heartbeat", stop.clone(), move || beating.clone().run()),
            keep("collector", stop.clone(), move || collector.clone().run()),
            keep("database_file", stop.clone(), move || database_file.clone().run()),
            keep("audit", stop.clone(), move || keeper.clone().run()),
            keep("news", stop, move || news::follow(news.0.clone(), news.1.clone())),
        ];
        let worker = Polite::new(|stop| keep("worker", stop.clone(), move || worker.clone().run(stop.clone())));
        let journal = Polite::new(|stop| keep("lock_journal", stop.clone(), move || journal.clone().run(stop.clone())));
        let tasks = Tasks { worker, journal, others, heartbeat };
        let accounts = Arc::new(Accounts::new(store.clone(), Arc::clone(&clock), Arc::clone(&entropy))?);
        let single_sign_on = SingleSignOn::of(config, &accounts, &entropy)?;
        let organization_name = OrganizationName { store: store.clone(), configured: config.organization.clone() };
        let members = Members {
            store: store.clone(),
            accounts: Arc::clone(&accounts),
            clock: Arc::clone(&clock),
            invitations: Invitations {
                store: store.clone(),
                clock,
                entropy,
                mailer: config.mail.as_ref().map(Mailer::new).transpose()?,
                public_url: config.public_url.as_str().to_owned(),
                organization: organization_name.clone(),
            },
        };
        let configured = Deployment {
            organization: config.organization.clone(),
            id: vault.deployment().to_string(),
            partition: config.provider_key_arn.partition().to_owned(),
            region: config.provider_key_arn.region().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            max_file_bytes: config.max_file_bytes,
        };
        let organization = Organization {
            store: store.clone(),
            name: organization_name,
            configured,
            server,
            state: Arc::clone(&state),
            workspace_locks: Arc::clone(&locks),
        };
        let encryption = Encryption {
            store: store.clone(),
            keys: Arc::clone(&keys),
            state: Arc::clone(&state),
            workspace_locks: Arc::clone(&locks),
            key_tests,
            provider_key: config.provider_key_arn.clone(),
            outage_grace: config.outage_grace,
            principal,
            counter: Counter::default(),
            audit: audit.clone(),
            wake,
            changed: changed.clone(),
        };
        let figures = Sources {
            store: store.clone(),
            state: Arc::clone(&state),
            workspaces: locks,
            outgoing: Arc::clone(&outgoing),
        };
        let audit_log = AuditLog { store: store.clone(), audit: audit.clone(), vault: Arc::clone(&vault) };
        Ok(Services {
            workspaces: Arc::new(Workspaces::new(store.clone(), keys, Arc::clone(&files))),
            store,
            vault,
            accounts,
            organization: Arc::new(organization),
            members: Arc::new(members),
            single_sign_on,
            files,
            encryption: Arc::new(encryption),
            audit_log: Arc::new(audit_log),
            requests,
            audit,
            outgoing,
            metrics,
            figures,
            state,
            changed,
            tasks: Arc::new(tasks),
        })
    }
}

async fn keep_time(vault: Arc<Vault>) {
    vault.keep_time().await;
}
