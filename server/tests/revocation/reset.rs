//! A denial is a reason to destroy what is locked only if the servers are denied too.

use crate::{
    steps::{Site, patient},
    support::{
        Database,
        kms_proxy::{Act, KmsProxy, Operation, Rule},
    },
};
use app::model::lock::LockCause;
use sea_orm::EntityTrait;
use server::{
    application::clients,
    services::reset::{Reset, ResetRefused},
    store::entities::server as running,
};
use vault::Kms;

fn denied() -> [Rule; 1] {
    [Rule::on(Operation::Decrypt, Act::Fail(400, "AccessDeniedException")).scope("organization")]
}

#[tokio::test(flavor = "multi_thread")]
async fn access_denied_counts_only_with_a_server_that_is_locked_for_it() {
    let site = Site::new(Database::Postgres, patient).await;
    site.activate().await;
    let store = &site.app.services.store;
    // Whoever runs the command has other credentials than the server, and these are denied.
    let mine = KmsProxy::start().await;
    mine.set(denied());
    let kms = Kms::new(&clients(site.app.keys.at(&mine.url)).kms);
    let reset = Reset::open(&site.app.config, store.clone(), kms).await.unwrap();
    assert!(matches!(reset.plan().await, Err(ResetRefused::ServerIsOpen(_))));
    // No server runs that could contradict, but none that agrees either.
    let beats = running::Entity::delete_many().exec(store.write()).await.unwrap();
    assert_eq!(beats.rows_affected, 1);
    let refused = reset.plan().await.unwrap_err();
    assert!(matches!(refused, ResetRefused::DeniedHereOnly(_)), "{refused}");
    assert!(refused.to_string().contains("start a server"), "{refused}");

    site.proxy.set(denied());
    assert_eq!(site.until_locked().await.cause, LockCause::AccessDenied);
    for _ in 0..600 {
        match reset.plan().await {
            Ok(plan) => {
                assert_eq!(plan.answer.code.as_deref(), Some("AccessDeniedException"));
                site.proxy.clear();
                site.until_open().await;
                site.stop().await;
                return;
            }
            Err(ResetRefused::ServerIsOpen(_) | ResetRefused::DeniedHereOnly(_)) => {}
            Err(refused) => panic!("{refused}"),
        }
    }
    panic!("the server's lock was not believed");
}
