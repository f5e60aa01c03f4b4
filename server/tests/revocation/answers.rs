//! Every class of answer, through a real server: what becomes of access, and what people are told.

use crate::{
    steps::{GRACE, Site, quick},
    support::{
        Database,
        kms_proxy::{Act, Call, Operation, Rule},
    },
};
use app::model::lock::LockCause;

/// What KMS answers, and what the lock is called then.
struct Case {
    act: Act,
    cause: LockCause,
    code: Option<&'static str>,
}

fn failing(status: u16, code: &'static str, cause: LockCause) -> Case {
    Case { act: Act::Fail(status, code), cause, code: Some(code) }
}

fn other(act: Act, cause: LockCause) -> Case {
    Case { act, cause, code: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_four_codes_about_the_key_are_a_refusal() {
    for case in [
        failing(400, "DisabledException", LockCause::Disabled),
        failing(400, "KMSInvalidStateException", LockCause::InvalidState),
        failing(400, "NotFoundException", LockCause::NotFound),
        failing(400, "AccessDeniedException", LockCause::AccessDenied),
    ] {
        // A server of its own for each: the refusal of an earlier case would be the first of the two.
        let site = Site::new(Database::Sqlite, quick).await;
        let arn = site.activate().await;
        let mark = site.proxy.mark();
        site.proxy.set([Rule::on(Operation::Decrypt, case.act.clone())]);
        site.app.until("the lock has its cause", |_| site.lock().is_some_and(|face| face.cause == case.cause)).await;
        let face = site.lock().unwrap();
        assert_eq!(face.code.as_deref(), case.code);
        assert!(face.refused_at.is_some_and(|refused| refused <= face.since), "{face:?}");
        let asked = site.proxy.since(mark);
        assert!(asked.iter().filter(|call| call.is_refused()).count() >= 2, "one refusal is not enough");
        let deciding = asked
            .iter()
            .filter_map(|call| call.answer.as_ref())
            .any(|answer| answer.request_id == face.request_id && answer.code.as_deref() == case.code);
        assert!(deciding, "the request id is that of a refusal: {face:?}");
        assert!(asked.iter().filter(|call| call.operation == Operation::Decrypt).all(|call| call.key_id == arn));
        site.proxy.clear();
        site.until_open().await;
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_credentials_are_never_a_refusal() {
    nothing_but_the_end_of_the_lease(vec![
        failing(400, "UnrecognizedClientException", LockCause::OwnCredentials),
        failing(400, "ExpiredTokenException", LockCause::OwnCredentials),
        failing(403, "InvalidSignatureException", LockCause::OwnCredentials),
        failing(400, "IncompleteSignatureException", LockCause::OwnCredentials),
        failing(403, "MissingAuthenticationTokenException", LockCause::OwnCredentials),
        failing(403, "InvalidClientTokenId", LockCause::OwnCredentials),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_fit_what_is_stored_is_never_a_refusal() {
    nothing_but_the_end_of_the_lease(vec![
        other(Act::Empty, LockCause::Damaged),
        other(Act::WrongKeyId, LockCause::Damaged),
        other(Act::WrongLength, LockCause::Damaged),
        other(Act::WrongPlaintext, LockCause::Damaged),
        failing(400, "InvalidCiphertextException", LockCause::Damaged),
        failing(400, "IncorrectKeyException", LockCause::Damaged),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_or_failing_service_is_never_a_refusal() {
    nothing_but_the_end_of_the_lease(vec![
        failing(400, "ThrottlingException", LockCause::Unreachable),
        failing(400, "LimitExceededException", LockCause::Unreachable),
        failing(429, "TooManyRequestsException", LockCause::Unreachable),
        failing(500, "KMSInternalException", LockCause::Unreachable),
        failing(500, "KeyUnavailableException", LockCause::Unreachable),
        failing(503, "DependencyTimeoutException", LockCause::Unreachable),
        failing(503, "ServiceUnavailableException", LockCause::Unreachable),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_answers_nobody_knows_are_never_a_refusal() {
    nothing_but_the_end_of_the_lease(vec![
        other(Act::Hang, LockCause::Unreachable),
        other(Act::Reset, LockCause::Unreachable),
        other(Act::Html(502), LockCause::Unreachable),
        other(Act::Html(403), LockCause::Unreachable),
        other(Act::Html(200), LockCause::Unreachable),
        failing(400, "SomethingNewException", LockCause::Unreachable),
        failing(400, "ValidationException", LockCause::Unreachable),
    ])
    .await;
}

/// For each case: access goes on to the end of the lease, then ends under that cause and no other, and comes back by itself.
async fn nothing_but_the_end_of_the_lease(cases: Vec<Case>) {
    let site = Site::new(Database::Sqlite, quick).await;
    let arn = site.activate().await;
    for case in cases {
        let mark = site.proxy.mark();
        site.proxy.set([Rule::on(Operation::Decrypt, case.act.clone())]);
        let face = site.until_locked().await;
        assert_eq!(face.cause, case.cause, "{:?}", case.act);
        assert_eq!(face.refused_at, None, "{face:?}");
        // A page may have its own status in the place of a code; nothing that was answered may be told otherwise.
        if let Some(code) = case.code {
            assert_eq!(face.code.as_deref(), Some(code), "{face:?}");
        }
        let (last, grace) = (last_success(&site, &arn, mark), i64::try_from(GRACE.as_millis()).unwrap());
        // Half of it, for a machine that is busy: a refusal would have locked after two checks, a tenth of it.
        assert!(face.since - last >= grace / 2, "{:?}: locked before the lease had run out", case.act);
        // It stays so, whatever else of the kind comes.
        site.proxy.until(site.proxy.mark(), 3, "checks while locked", Call::is_check).await;
        assert_eq!(site.lock().map(|face| (face.cause, face.refused_at)), Some((case.cause, None)));
        site.proxy.clear();
        site.until_open().await;
    }
    site.stop().await;
}

/// When the last check that passed arrived before the trouble began, in Unix milliseconds.
fn last_success(site: &Site, arn: &str, mark: usize) -> i64 {
    let calls = site.proxy.calls();
    let last = calls[..mark].iter().rev().find(|call| call.is_check() && call.key_id == arn && call.is_good());
    last.unwrap().at_ms
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_awaits_its_deletion_says_until_when_it_can_be_saved() {
    let site = Site::new(Database::Sqlite, quick).await;
    let arn = site.activate().await;
    let kms = &site.app.keys.kms;
    kms.schedule_key_deletion().key_id(&arn).pending_window_in_days(7).send().await.unwrap();
    site.app
        .until("the lock says so", |_| site.lock().is_some_and(|face| face.cause == LockCause::PendingDeletion))
        .await;
    site.app.until("the date is known", |_| site.lock().is_some_and(|face| face.deletion_at.is_some())).await;
    kms.cancel_key_deletion().key_id(&arn).send().await.unwrap();
    site.app.keys.enable(&arn).await;
    site.until_open().await;
    site.stop().await;
}
