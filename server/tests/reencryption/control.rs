//! Workspaces that come to be while the root key changes: between any two steps of stage 1, and begun under the old root key and
//! finished under the new one.

use crate::{
    on_both_databases,
    steps::{Filled, headers_agree, job_ended, view},
    support::{
        Database, Ground, TestApp,
        kms_proxy::{Act, Call, Gate, KmsProxy, Operation, Rule},
    },
};
use app::{
    model::{encryption::RootKind, job::JobState, workspace::Workspace},
    ports::{EncryptionPort, Principal, WorkspacesPort},
};
use aws_sdk_kms::primitives::Blob;
use server::store::house;
use std::sync::Arc;

on_both_databases!(
    a_workspace_that_comes_between_any_two_steps_of_the_swap_is_taken_along,
    a_workspace_whose_key_was_wrapped_by_the_old_root_key_is_made_under_the_new_one,
);

/// A server behind a proxy for KMS.
pub struct Site {
    pub ground: Arc<Ground>,
    pub proxy: KmsProxy,
    pub app: TestApp,
    pub who: Principal,
}

impl Site {
    pub async fn new(database: Database) -> Self {
        let ground = Ground::new(database).await;
        let proxy = KmsProxy::start().await;
        let app = ground.start(&proxy.url, |_| {}).await;
        let who = app.administrator().await;
        Self { ground, proxy, app, who }
    }

    pub async fn activate(&self, arn: &str) {
        self.app.services.encryption.activate(&self.who, arn).await.unwrap();
    }

    /// Back to the provider key.
    pub async fn delete_key(&self, arn: &str) {
        self.app.services.encryption.delete_key(&self.who, arn).await.unwrap();
        assert_eq!(job_ended(&self.app, &self.who).await.state, JobState::Complete);
    }

    /// Every data key is wrapped by this root key, as AWS itself sees it.
    pub async fn all_wrapped_by(&self, arn: &str) {
        let keys = house::all_keys(self.app.services.store.read()).await.unwrap();
        let deployment = self.app.services.vault.deployment().to_string();
        for key in keys {
            let scope = if key.scope.is_nil() { "organization".to_owned() } else { key.scope.to_string() };
            let unwrapped = self.ground.keys.kms.decrypt().key_id(arn).ciphertext_blob(Blob::new(key.wrapped));
            let unwrapped = unwrapped
                .encryption_context("deployment", &deployment)
                .encryption_context("scope", scope)
                .encryption_context("data_key", key.id.to_string());
            // The local KMS finds the right key by itself and says which it was; the real one refuses any other.
            assert_eq!(unwrapped.send().await.unwrap().key_id.as_deref(), Some(arn));
        }
    }

    pub async fn stop(self) {
        self.app.stop().await;
        self.ground.remove().await;
    }
}

async fn a_workspace_that_comes_between_any_two_steps_of_the_swap_is_taken_along(database: Database) {
    let site = Site::new(database).await;
    let filled = Filled::new(&site.app, &site.who, "Claims triage", 5, &[70_000]).await;
    let (provider, scope) = (site.ground.keys.provider.clone(), filled.workspace.as_str());
    let mut made: Vec<Filled> = Vec::new();
    for (operation, by_new) in [(Operation::Decrypt, false), (Operation::Encrypt, true), (Operation::Decrypt, true)] {
        let arn = site.ground.keys.create().await;
        let (gate, key) = (Gate::closed(), if by_new { &arn } else { &provider });
        let mark = site.proxy.mark();
        site.proxy.set([Rule::on(operation, Act::Wait(gate.clone())).key(key).scope(scope).times(1)]);
        site.activate(&arn).await;
        let is_it = |call: &Call| call.operation == operation && call.key_id == *key && call.scope() == Some(scope);
        site.proxy.until(mark, 1, "the step that is held back", is_it).await;
        let name = format!("made during {operation:?}");
        made.push(Filled::new(&site.app, &site.who, &name, 2, &[1_000]).await);
        assert_eq!(view(&site.app, &site.who).await.root.kind, RootKind::Provider, "nothing has changed yet");
        gate.open();
        let job = job_ended(&site.app, &site.who).await;
        assert_eq!(job.state, JobState::Complete, "{job:?}");
        let workspaces = 1 + made.len() as u64;
        assert_eq!((job.keys_total, job.keys_done), (1 + workspaces, 1 + workspaces), "the new one too");
        site.all_wrapped_by(&arn).await;
        headers_agree(&site.app).await;
        // A server that knows no key by heart opens everything, and needs the old root key for none of it.
        site.ground.keys.disable(&provider).await;
        let fresh = site.ground.start(&site.proxy.url, |_| {}).await;
        for filled in made.iter().chain([&filled]) {
            filled.is_intact(&fresh, &site.who).await;
        }
        fresh.stop().await;
        site.ground.keys.enable(&provider).await;
        site.proxy.clear();
        site.delete_key(&arn).await;
    }
    site.stop().await;
}

async fn a_workspace_whose_key_was_wrapped_by_the_old_root_key_is_made_under_the_new_one(database: Database) {
    let site = Site::new(database).await;
    let filled = Filled::new(&site.app, &site.who, "Claims triage", 5, &[70_000]).await;
    let (provider, arn) = (site.ground.keys.provider.clone(), site.ground.keys.create().await);
    let gate = Gate::closed();
    // With the provider key in force, nothing is wrapped by it but the key of a new workspace.
    site.proxy.set([Rule::on(Operation::Encrypt, Act::Wait(gate.clone())).key(&provider)]);
    let mark = site.proxy.mark();
    let (services, who) = (site.app.services.clone(), site.who.clone());
    let making = tokio::spawn(async move { services.workspaces.create(&who, "made meanwhile", "").await });
    let is_wrap = |call: &Call| call.operation == Operation::Encrypt && call.key_id == provider;
    site.proxy.until(mark, 1, "its key is being wrapped by the old root key", is_wrap).await;
    site.activate(&arn).await;
    let job = job_ended(&site.app, &site.who).await;
    assert_eq!((job.state, job.keys_total), (JobState::Complete, 2), "nobody knows of the new one yet");
    gate.open();
    let made: Workspace = making.await.unwrap().unwrap();
    site.all_wrapped_by(&arn).await;
    site.ground.keys.disable(&provider).await;
    let fresh = site.ground.start(&site.proxy.url, |_| {}).await;
    assert_eq!(fresh.services.workspaces.get(&site.who, &made.id).await.unwrap(), made);
    fresh.services.workspaces.create_note(&site.who, &made.id, "hello").await.unwrap();
    filled.is_intact(&fresh, &site.who).await;
    headers_agree(&fresh).await;
    fresh.stop().await;
    site.stop().await;
}
