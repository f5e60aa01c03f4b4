//! The key policy: shown, copied, downloaded and printed by the command, always the same text.

use crate::{
    on_both_databases,
    support::{ADMIN, Database, PASSWORD, TestApp, program::Program},
};
use app::{
    key_policy::{Format, statements},
    model::error::ApiError,
};
use reqwest::StatusCode;
use serde_json::{Value, from_str};
use std::{fs, process::Output};

on_both_databases!(what_is_shown_is_what_is_copied_and_downloaded, only_signed_in_people_get_it);

async fn what_is_shown_is_what_is_copied_and_downloaded(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    let page = browser.open("/settings/data-encryption").await.text().to_owned();
    let copied = between_all(&page, "data-copy=\"", "\"");
    let shown = between_all(&page, "<pre tabindex=\"0\">", "</pre>");
    for format in Format::ALL {
        let path = format.address();
        assert!(page.contains(&format!("href=\"{path}\"")), "{path}");
        let file = browser.get(&path).await;
        assert_eq!(file.status, StatusCode::OK);
        let name = format!("attachment; filename=\"{}\"", format.file_name());
        assert_eq!(file.header("content-disposition"), Some(name.as_str()));
        assert_eq!(file.header("content-type"), Some(format.media_type()));
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        let text = file.text().to_owned();
        assert!(shown.contains(&text), "{format:?} is not shown as it is downloaded: {shown:?}");
        assert!(copied.contains(&text), "{format:?} is not copied as it is downloaded: {copied:?}");
        assert!(text.contains("arn:aws:iam::000000000000:role/keystead") && text.ends_with('\n'), "{text}");
    }
    app.stop().await;
}

async fn only_signed_in_people_get_it(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member("member@example.com").await;
    let mut member = app.browser();
    member.sign_in("member@example.com", PASSWORD).await;
    for format in Format::ALL {
        assert_eq!(app.browser().get(&format.address()).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(member.get(&format.address()).await.status, StatusCode::OK, "members read, as on the page");
    }
    let unknown = member.get("/settings/data-encryption/key-policy/yaml").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(from_str::<ApiError>(unknown.text()).unwrap(), ApiError::NotFound);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_the_same_and_nothing_else() {
    let program = Program::start().await;
    let browser = program.signed_in().await;
    for format in Format::ALL {
        let printed = key_policy(&program, &["--format", format.word()], &[]);
        assert!(printed.status.success(), "{printed:?}");
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), browser.get(&format.address()).await.text());
    }
    let page = browser.open("/settings/data-encryption").await.text().to_owned();
    let id = between_all(&page, "kms:EncryptionContext:deployment&quot;: &quot;", "&quot;").remove(0);
    let configured = [
        ("KEYSTEAD_AWS_PRINCIPAL_ARN", "arn:aws:iam::444455556666:role/apps/keystead"),
        ("KEYSTEAD_ADMIN_EMAIL", ADMIN),
    ];
    let printed = key_policy(&program, &["--format", "json"], &configured);
    let expected = statements(&id, Some("arn:aws:iam::444455556666:role/apps/keystead"));
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), expected);

    let printed = key_policy(&program, &["--format", "iam"], &[]);
    let policy: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(policy["Statement"][0]["Condition"]["StringEquals"]["kms:EncryptionContext:deployment"], id);
    assert_eq!(policy["Statement"][0]["Resource"], "arn:aws:kms:us-west-1:*:key/*");
    let key = "arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";
    let printed = key_policy(&program, &["--format", "iam", "--key-arn", key], &[]);
    let policy: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(policy["Statement"][1]["Resource"], key);

    let owned = key_policy(&program, &["--format", "cli", "--owner", "111122223333"], &[]);
    let text = String::from_utf8(owned.stdout).unwrap();
    assert!(text.contains("arn:aws:iam::111122223333:root") && !text.contains("get-caller-identity"), "{text}");
}

/// Variables of the environment.
type Settings<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_is_missing() {
    let program = Program::start().await;
    let empty = tempfile::tempdir().unwrap();
    let database = empty.path().join("none.db");
    let nowhere = format!("sqlite://{}?mode=rwc", database.display());
    let cases: [(&[&str], Settings<'_>, &str); 4] = [
        (&["--format", "json"], &[("DATABASE_URL", &nowhere)], "DATABASE_URL"),
        (&["--format", "json"], &[("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")], "set KEYSTEAD_AWS_PRINCIPAL_ARN"),
        (
            &[
                "--format",
                "iam",
                "--key-arn",
                "arn:aws:kms:eu-west-1:111122223333:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b",
            ],
            &[],
            "is not in the region",
        ),
        (&["--format", "cli", "--owner", "1111"], &[], "12 digits"),
    ];
    for (arguments, environment, message) in cases {
        let refused = key_policy(&program, arguments, environment);
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{arguments:?}: {told}");
        assert!(told.contains(message), "{arguments:?}: {told}");
    }
    let early = key_policy(&program, &["--format", "iam"], &[("DATABASE_URL", &nowhere)]);
    let policy: Value = serde_json::from_slice(&early.stdout).unwrap();
    assert!(policy["Statement"][0]["Condition"].is_null(), "before the first start the id is not known");
    assert!(String::from_utf8(early.stderr).unwrap().contains("after the first start"));
    let given = [("DATABASE_URL", nowhere.as_str()), ("KEYSTEAD_DEPLOYMENT_ID", "d-given")];
    let early = key_policy(&program, &["--format", "json"], &given);
    assert!(String::from_utf8(early.stdout).unwrap().contains("d-given"), "the id can be given instead");
    assert!(!fs::exists(&database).unwrap(), "looking makes no database");
}

fn key_policy(program: &Program, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    program.command().arg("key-policy").args(arguments).envs(environment.iter().copied()).output().unwrap()
}

/// Every text between two others, without the escapes of HTML.
fn between_all(page: &str, before: &str, after: &str) -> Vec<String> {
    let found = page.split(before).skip(1).filter_map(|rest| rest.split(after).next());
    found.map(plain).collect()
}

fn plain(html: &str) -> String {
    const ESCAPES: [(&str, &str); 6] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    ESCAPES.into_iter().fold(html.to_owned(), |text, (escape, character)| text.replace(escape, character))
}
