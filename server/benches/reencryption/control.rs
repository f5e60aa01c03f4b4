//! Control: how long it takes from the request until a new root key is in control over 1,000 workspaces (stage 1), beside the
//! calls to KMS that it takes, made by themselves: as many at once, of the same data keys, with nothing stored.
//!
//! The calls are counted in one more change of key, behind a proxy that records each: it would only hide what else takes time.

use crate::{
    deployment::{Administrator, until_complete},
    figures::{Bound, RUNS, Scale, line, median, title},
    support::{Database, Ground, TestApp, kms_proxy::KmsProxy},
};
use app::ports::WorkspacesPort;
use futures::{StreamExt, TryStreamExt, stream};
use server::store::{entities::data_key, house};
use std::{collections::HashMap, env, time::Instant};
use vault::{DataKeyId, Kms, KmsError, Scope, WrapContext};

const WORKSPACES: usize = 1_000;
/// As many calls at once as stage 1 makes (`jobs/control.rs`).
const AT_ONCE: usize = 16;

pub async fn measure(scale: Scale) {
    let workspaces = scale.of(WORKSPACES);
    title(&format!("Control: a new root key over {workspaces} workspaces, Sqlite"));
    let ground = Ground::new(Database::Sqlite).await;
    let app = ground.start(&env::var("KEYSTEAD_TEST_KMS_URL").unwrap(), |_| {}).await;
    make_workspaces(&app, workspaces).await;
    let mut administrator =
        Administrator { browser: app.signed_in().await, arn: app.keys.create().await, is_active: false };
    let (mut control, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        calls.push(calls_alone(&app, &administrator).await);
        administrator.change_key().await;
        let job = until_complete(&app.services.store).await;
        control.push((job.control_at.unwrap() - job.created_at) as f64);
    }
    line("time to control, beside the calls to KMS alone", "ms", median(&control), median(&calls), Bound::AtMost(2.0));
    app.stop().await;

    let proxy = KmsProxy::start().await;
    let app = ground.start(&proxy.url, |_| {}).await;
    administrator.browser = app.signed_in().await;
    let mark = proxy.mark();
    administrator.change_key().await;
    let control_at = until_complete(&app.services.store).await.control_at.unwrap();
    let mut counted = HashMap::<String, u32>::new();
    for call in proxy.since(mark).iter().filter(|call| call.at_ms <= control_at) {
        // The organization's data key is unwrapped by the key check besides.
        if call.scope().is_some_and(|scope| scope.parse::<uuid::Uuid>().is_ok()) {
            *counted.entry(call.context["data_key"].clone()).or_default() += 1;
        }
    }
    assert_eq!(counted.len(), workspaces);
    let most = counted.values().max().copied().unwrap_or_default();
    line("calls to KMS for a data key, at most", "", f64::from(most), 1.0, Bound::AtMost(3.0));
    app.stop().await;
    ground.remove().await;
}

async fn make_workspaces(app: &TestApp, count: usize) {
    let who = app.administrator().await;
    let workspaces = &app.services.workspaces;
    let made = stream::iter(0..count).map(|n| {
        let (who, name) = (&who, format!("Workspace {n:04}"));
        async move { workspaces.create(who, &name, "").await }
    });
    made.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await.unwrap();
}

/// Milliseconds for the calls of the next change of key: unwrap, wrap and unwrap, for every data key.
async fn calls_alone(app: &TestApp, administrator: &Administrator) -> f64 {
    let kms = Kms::new(&app.keys.kms);
    let (provider, customer) = (app.keys.provider.as_str(), administrator.arn.as_str());
    let (old, new) = if administrator.is_active { (customer, provider) } else { (provider, customer) };
    let keys = house::all_keys(app.services.store.read()).await.unwrap();
    let began = Instant::now();
    let calls = stream::iter(&keys).map(|key| calls_for(app, &kms, key, old, new));
    calls.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await.unwrap();
    began.elapsed().as_secs_f64() * 1e3
}

async fn calls_for(app: &TestApp, kms: &Kms, key: &data_key::Model, old: &str, new: &str) -> Result<(), KmsError> {
    let id = DataKeyId(key.id);
    let scope = Scope::from_uuid(key.scope);
    let context = WrapContext { deployment: app.services.vault.deployment(), scope, data_key: id };
    let expected = key.check_value.as_slice().try_into().unwrap();
    let opened = kms.unwrap(old, &context, id, &key.wrapped, &expected).await?;
    let wrapped = kms.wrap(new, &context, &opened.key).await?;
    kms.unwrap(new, &context, id, &wrapped.blob, &expected).await?;
    Ok(())
}
