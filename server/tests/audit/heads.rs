//! Signed heads: soon after an event about keys, by any server, confirmed by KMS, and only under the right key.

use crate::{
    on_both_databases,
    scene::{all, attack, fill, until_signed, verifier, verify},
    support::{Database, TestApp},
};
use app::ports::EncryptionPort;
use sea_orm::{EntityTrait, QueryOrder};
use server::{services::audit::verify::Finding, store::entities::audit_signed};
use std::time::Duration;
use tokio::time::Instant;
use vault::{HeadContext, Kms};

on_both_databases!(
    the_head_is_signed_soon_after_an_event_about_keys,
    a_head_counts_only_under_a_key_that_was_named,
    a_blob_of_another_head_is_no_signature,
);

async fn the_head_is_signed_soon_after_an_event_about_keys(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    fill(&app.services.store, 2).await;
    until_signed(&app).await;
    let began = Instant::now();
    app.services.encryption.test_key(&who, &app.keys.create().await).await.unwrap();
    let signed = until_signed(&app).await;
    println!("signed {:?} after the test", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(30), "the next minute was waited for");
    let head = audit_signed::Entity::find_by_id(signed).one(app.services.store.read()).await.unwrap().unwrap();
    assert_eq!(head.hash, all(&app.services.store).await[usize::try_from(signed).unwrap() - 1].hash);
    let context = HeadContext { deployment: app.services.vault.deployment(), sequence: signed.unsigned_abs() };
    let kms = Kms::new(&app.keys.kms);
    let confirmed = kms.signed_head(&app.keys.provider, &context, &head.wrapped).await.unwrap();
    assert_eq!(confirmed.as_slice(), head.hash);
    let report = verify(&app, &[]).await;
    assert!(report.is_intact() && report.is_vouched_for(), "{report:?}");
    assert_eq!(report.vouched.by_kms, Some(signed));
    app.stop().await;
}

async fn a_head_counts_only_under_a_key_that_was_named(database: Database) {
    let app = TestApp::start(database).await;
    fill(&app.services.store, 2).await;
    until_signed(&app).await;
    let mut verifier = verifier(&app);
    verifier.keys = vec![app.keys.create().await];
    let report = verifier.verify(&[]).await.unwrap();
    assert!(report.is_intact() && !report.is_vouched_for(), "{report:?}");
    assert!(report.unconfirmed.is_some());
    app.stop().await;
}

async fn a_blob_of_another_head_is_no_signature(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    until_signed(&app).await;
    app.services.encryption.test_key(&who, &app.keys.create().await).await.unwrap();
    let newest = until_signed(&app).await;
    let heads = audit_signed::Entity::find().order_by_asc(audit_signed::Column::Sequence);
    let heads = heads.all(app.services.store.read()).await.unwrap();
    assert!(heads.len() > 1, "{heads:?}");
    let swap = format!(
        "UPDATE audit_heads SET wrapped = (SELECT wrapped FROM audit_heads WHERE sequence = {}) WHERE sequence = {newest}",
        heads[0].sequence
    );
    attack(&app.services.store, &[swap]).await;
    let report = verify(&app, &[]).await;
    assert!(report.findings.contains(&Finding::Forged(newest)), "{report:?}");
    app.stop().await;
}
