//! The key policy that is shown, applied to keys: it is enough, it is not more than enough, and each permission in it is needed.

use super::enforced::{
    ALL_OF_KMS, Applied, CUSTOMER, DENIED, DEPLOYMENT, OPERATOR, REGION, Role, code, root, run, statements,
    without_action, without_conditions,
};
use app::{
    key_policy::{Access, Format, PERMISSIONS, operator_policy},
    model::{
        key_arn::KeyArn,
        preflight::{KeyProblem, Preflight, PreflightStep, StepResult},
    },
};
use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use serde_json::{Value, from_str, json};

fn access(role: &Role) -> Access {
    Access {
        deployment: DEPLOYMENT.to_owned(),
        principal: Some(role.arn()),
        partition: "aws".to_owned(),
        region: REGION.to_owned(),
        owner: None,
    }
}

/// The statements as they are shown.
fn shown(access: &Access) -> Vec<Value> {
    from_str(&access.text(Format::Json)).unwrap()
}

/// The policy of a new key, with the statements as they are shown added.
async fn added(applied: &Applied, access: &Access) -> Value {
    let mut policy = applied.policy().await;
    statements(&mut policy).extend(shown(access));
    policy
}

async fn preflight(applied: &Applied, role: &Role) -> Preflight {
    let arn = KeyArn::parse(&applied.arn).unwrap();
    applied.preflights(&role.session).run(&arn).await.unwrap()
}

/// Every step passed, also that another deployment's context is denied.
async fn assert_passes(applied: &Applied, role: &Role) {
    let preflight = preflight(applied, role).await;
    assert_eq!(preflight.steps.len(), 5);
    assert!(preflight.steps.iter().all(|step| step.result == StepResult::Passed), "{preflight:?}");
    assert_eq!(preflight.steps[4].code.as_deref(), Some(DENIED), "another deployment's context is denied");
}

/// This step failed as denied, those before it passed, and none after it was run.
async fn assert_denied(applied: &Applied, role: &Role, action: &str) {
    let (denied, problem) = match action {
        "kms:DescribeKey" => (PreflightStep::Describe, KeyProblem::DescribeDenied),
        "kms:Encrypt" => (PreflightStep::Wrap, KeyProblem::EncryptDenied),
        "kms:Decrypt" => (PreflightStep::Unwrap, KeyProblem::DecryptDenied),
        other => panic!("no step asks for {other}"),
    };
    let mut expected = StepResult::Passed;
    for step in preflight(applied, role).await.steps {
        if step.step == denied {
            assert_eq!(step.result, StepResult::Failed(problem), "without {action}");
            assert_eq!(step.code.as_deref(), Some(DENIED));
            expected = StepResult::NotRun;
        } else {
            assert_eq!(step.result, expected, "{:?} without {action}", step.step);
        }
    }
    assert_eq!(expected, StepResult::NotRun);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_shown_make_a_key_that_the_deployment_can_use_and_that_is_all_it_can() {
    let role = Role::new(OPERATOR, ALL_OF_KMS);
    let access = access(&role);
    let arn = run(&access.text(Format::Cli), &[], &root(CUSTOMER));
    assert!(KeyArn::parse(&arn).is_ok_and(|arn| arn.account() == CUSTOMER && arn.region() == REGION), "{arn}");
    let applied = Applied::to(arn).await;

    let policy = applied.policy().await;
    let owner = json!({
        "Sid": "OwnerManagesKey",
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{CUSTOMER}:root") },
        "Action": "kms:*",
        "Resource": "*"
    });
    let all: Vec<Value> = [owner].into_iter().chain(shown(&access)).collect();
    assert_eq!(policy, json!({ "Version": "2012-10-17", "Statement": all }));

    applied.apply(&policy).await;
    assert_passes(&applied, &role).await;
    assert_nothing_else(&role.client(), &applied.arn).await;
    assert_no_other_deployment(&applied.client(&role.session), &applied.arn).await;
    let stranger = Role::new("777788889999", ALL_OF_KMS);
    assert_denied(&applied, &stranger, "kms:DescribeKey").await;
}

/// The role's own policy allows everything, so it is the key's that denies.
async fn assert_nothing_else(client: &Client, arn: &str) {
    let codes = [
        ("DisableKey", code(client.disable_key().key_id(arn).send().await)),
        ("EnableKey", code(client.enable_key().key_id(arn).send().await)),
        ("ScheduleKeyDeletion", code(client.schedule_key_deletion().key_id(arn).send().await)),
        ("GenerateDataKey", code(client.generate_data_key().key_id(arn).key_spec(DataKeySpec::Aes256).send().await)),
        ("GetKeyPolicy", code(client.get_key_policy().key_id(arn).send().await)),
        ("PutKeyPolicy", code(client.put_key_policy().key_id(arn).policy("{}").send().await)),
        ("ListGrants", code(client.list_grants().key_id(arn).send().await)),
        ("EnableKeyRotation", code(client.enable_key_rotation().key_id(arn).send().await)),
        ("UpdateKeyDescription", code(client.update_key_description().key_id(arn).description("").send().await)),
    ];
    for (call, code) in codes {
        assert_eq!(code.as_deref(), Some(DENIED), "{call}");
    }
}

/// What was encrypted for this deployment is not decrypted for another, nor without saying for which.
async fn assert_no_other_deployment(client: &Client, arn: &str) {
    let encrypt = || client.encrypt().key_id(arn).plaintext(Blob::new(*b"a data key"));
    let blob = encrypt().encryption_context("deployment", DEPLOYMENT).send().await.unwrap().ciphertext_blob.unwrap();
    let decrypt = || client.decrypt().key_id(arn).ciphertext_blob(blob.clone());
    assert_eq!(code(decrypt().encryption_context("deployment", DEPLOYMENT).send().await), None);
    assert_eq!(code(decrypt().encryption_context("deployment", "d-another").send().await).as_deref(), Some(DENIED));
    assert_eq!(code(decrypt().send().await).as_deref(), Some(DENIED));
    assert_eq!(code(encrypt().encryption_context("deployment", "d-another").send().await).as_deref(), Some(DENIED));
    assert_eq!(code(encrypt().send().await).as_deref(), Some(DENIED));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statements_shown_are_what_the_policy_of_an_existing_key_lacks() {
    let role = Role::new(OPERATOR, ALL_OF_KMS);
    let applied = Applied::to_new_key().await;
    assert_denied(&applied, &role, "kms:DescribeKey").await;
    applied.apply(&added(&applied, &access(&role)).await).await;
    assert_passes(&applied, &role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_one_permission_exactly_the_step_that_needs_it_fails() {
    let role = Role::new(OPERATOR, ALL_OF_KMS);
    let applied = Applied::to_new_key().await;
    let whole = added(&applied, &access(&role)).await;
    for permission in PERMISSIONS {
        applied.apply(&without_action(&whole, permission.action)).await;
        assert_denied(&applied, &role, permission.action).await;
    }
    applied.apply(&whole).await;
    assert_passes(&applied, &role).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_policy_is_enough_and_each_permission_in_it_is_needed() {
    let role = Role::new(OPERATOR, ALL_OF_KMS);
    let applied = Applied::to_new_key().await;
    applied.apply(&added(&applied, &access(&role)).await).await;
    let operators = |keys: &[&str]| -> Value {
        let policy = from_str(&operator_policy("aws", REGION, keys, Some(DEPLOYMENT))).unwrap();
        // The condition is that of the key's policy, which the proxy evaluates already.
        without_conditions(&policy, &applied.arn).0
    };
    role.allow(&operators(&[]).to_string());
    assert_passes(&applied, &role).await;
    role.allow(&operators(&[&applied.arn]).to_string());
    assert_passes(&applied, &role).await;
    for permission in PERMISSIONS {
        role.allow(&without_action(&operators(&[]), permission.action).to_string());
        assert_denied(&applied, &role, permission.action).await;
    }
    role.allow(&operators(&[&applied.arn.replace(CUSTOMER, "777788889999")]).to_string());
    assert_denied(&applied, &role, "kms:DescribeKey").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owners_statement_lets_the_owners_people_manage_the_key() {
    let role = Role::new(OPERATOR, ALL_OF_KMS);
    let applied = Applied::to(run(&access(&role).text(Format::Cli), &[], &root(CUSTOMER))).await;
    let people = Role::new(CUSTOMER, ALL_OF_KMS).client();
    people.disable_key().key_id(&applied.arn).send().await.unwrap();
    people.enable_key().key_id(&applied.arn).send().await.unwrap();

    let mut policy = applied.policy().await;
    statements(&mut policy).retain(|statement| statement["Sid"] != "OwnerManagesKey");
    applied.apply(&policy).await;
    assert_eq!(code(people.disable_key().key_id(&applied.arn).send().await).as_deref(), Some(DENIED));
}
