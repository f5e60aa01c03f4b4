//! What Activate Key and Delete Key refuse, each with an answer of its own, and nothing changes.

use crate::{
    on_both_databases,
    steps::{activate, view},
    support::{Database, TestApp},
};
use app::{
    model::{
        error::{ApiError, Invalid, KeyRefused},
        key_arn::KeyArnError,
        key_test::{Activation, TestOutcome, TestPurpose},
        preflight::{KeyProblem, StepResult},
    },
    ports::EncryptionPort,
};
use aws_sdk_kms::types::{KeySpec, KeyUsageType};

on_both_databases!(a_key_that_will_not_do_is_refused_by_name, one_key_at_a_time, only_administrators_change_keys);

async fn a_key_that_will_not_do_is_refused_by_name(database: Database) {
    let app = TestApp::start_with(database, |config| {
        config.customer_accounts = vec!["000000000000".to_owned()];
    })
    .await;
    let who = app.administrator().await;
    app.workspace().await;
    let before = view(&app, &who).await;
    let disabled = app.keys.create().await;
    app.keys.disable(&disabled).await;
    let pending = app.keys.create().await;
    app.keys.kms.schedule_key_deletion().key_id(&pending).pending_window_in_days(7).send().await.unwrap();
    let asymmetric = app.keys.kms.create_key().key_spec(KeySpec::Rsa2048).key_usage(KeyUsageType::EncryptDecrypt);
    let asymmetric = asymmetric.send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let good = app.keys.create().await;
    let unknown = format!("{}0000", &good[..good.len() - 4]);
    for (arn, expected) in
        [("", KeyArnError::Empty), ("arn:aws:kms:us-west-1:000000000000:alias/mine", KeyArnError::Alias)]
    {
        let expected = ApiError::Invalid(Invalid::Arn(expected));
        assert_eq!(app.services.encryption.activate(&who, arn).await, Err(expected), "{arn}");
    }
    let cases = [
        (good.replace("us-west-1", "us-east-1"), KeyProblem::WrongRegion),
        (good.replace("arn:aws:", "arn:aws-cn:"), KeyProblem::WrongPartition),
        (good.replace(":000000000000:", ":111122223333:"), KeyProblem::AccountNotAllowed),
        (app.keys.provider.clone(), KeyProblem::ProviderKey),
        (unknown, KeyProblem::NotFound),
        (disabled, KeyProblem::Disabled),
        (pending.clone(), KeyProblem::PendingDeletion),
        (asymmetric, KeyProblem::WrongType),
    ];
    for (arn, expected) in cases {
        let answer = app.services.encryption.activate(&who, &arn).await.unwrap();
        let Activation::Refused(test) = answer else { panic!("{arn} was activated") };
        let shown = app.services.encryption.view(&who, Some(&test)).await.unwrap().test.unwrap();
        assert_eq!((&shown.arn, shown.purpose, shown.outcome()), (&arn, TestPurpose::Activation, TestOutcome::Failed));
        let found: Vec<_> = shown.answers().map(|answer| answer.preflight.problem()).collect();
        assert_eq!(found, [Some(expected)], "{arn}");
        // The date of the deletion is told with it.
        let dates = shown.answers().flat_map(|answer| &answer.preflight.steps).filter_map(|step| step.at).count();
        assert_eq!(dates, usize::from(arn == pending), "{arn}");
    }
    let after = view(&app, &who).await;
    assert_eq!((after.root, after.job, after.data_keys), (before.root, None, before.data_keys));

    let tested = app.services.encryption.test_key(&who, &good).await.unwrap();
    assert_eq!((tested.purpose, tested.outcome()), (TestPurpose::Test, TestOutcome::Passed));
    let steps: Vec<StepResult> =
        tested.answers().flat_map(|answer| &answer.preflight.steps).map(|step| step.result).collect();
    assert_eq!(steps.len(), 5);
    assert!(!steps.contains(&StepResult::NotRun));
    assert_eq!(view(&app, &who).await.job, None, "a test changes nothing");
    app.stop().await;
}

async fn one_key_at_a_time(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    app.workspace().await;
    let encryption = &app.services.encryption;
    let refused = |refused| Err(ApiError::KeyRefused(refused));
    let other = app.keys.create().await;
    assert_eq!(encryption.delete_key(&who, &other).await, refused(KeyRefused::NoActiveKey));
    let arn = activate(&app, &who).await;
    for another in [&other, &arn] {
        let answer = encryption.activate(&who, another).await;
        assert_eq!(answer, Err(ApiError::KeyRefused(KeyRefused::AlreadyActive)));
    }
    assert_eq!(encryption.delete_key(&who, &other).await, refused(KeyRefused::NotTheActiveKey));
    let alias = encryption.delete_key(&who, "arn:aws:kms:us-west-1:000000000000:alias/mine").await;
    assert_eq!(alias, Err(ApiError::Invalid(Invalid::Arn(KeyArnError::Alias))));
    assert_eq!(view(&app, &who).await.root.arn, arn);
    // Surrounding white space is no reason to refuse what somebody has pasted.
    encryption.delete_key(&who, &format!("  {arn}\n")).await.unwrap();
    crate::steps::job_ended(&app, &who).await;
    assert_eq!(view(&app, &who).await.root.arn, app.keys.provider);
    app.stop().await;
}

async fn only_administrators_change_keys(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member("member@example.com").await;
    let arn = app.keys.create().await;
    let encryption = &app.services.encryption;
    assert_eq!(encryption.activate(&member, &arn).await, Err(ApiError::NotAllowed));
    assert_eq!(encryption.delete_key(&member, &arn).await, Err(ApiError::NotAllowed));
    assert_eq!(encryption.test_key(&member, &arn).await, Err(ApiError::NotAllowed));
    let who = app.administrator().await;
    let test = encryption.test_key(&who, &arn).await.unwrap().id;
    assert!(encryption.view(&who, Some(&test)).await.unwrap().test.is_some());
    assert_eq!(encryption.view(&member, Some(&test)).await.unwrap().test, None, "a test is for administrators");
    assert_eq!(encryption.view(&who, Some("no id")).await.unwrap().test, None);
    let seen = view(&app, &member).await;
    assert!(!seen.may_change);
    assert_eq!(seen.job, None);
    app.stop().await;
}
