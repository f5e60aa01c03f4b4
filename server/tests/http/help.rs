//! The public help pages: without signing in, also while the data is locked, without scripts, and with links that lead
//! somewhere.

use crate::{
    on_both_databases,
    support::{Answer, Browser, Database, TestApp},
};
use app::{
    format,
    help::{GUIDE, HELP},
};
use reqwest::{Method, StatusCode};
use std::{collections::BTreeSet, time::Duration};

on_both_databases!(
    help_is_read_without_signing_in_and_while_data_is_locked,
    help_tells_strangers_nothing_about_the_deployment,
    help_has_no_scripts_and_a_policy_that_allows_none,
    every_link_of_the_help_pages_leads_somewhere,
    the_numbers_are_those_of_the_configuration,
    links_into_the_guide_have_their_section,
);

async fn help_is_read_without_signing_in_and_while_data_is_locked(database: Database) {
    let app = TestApp::start(database).await;
    let (stranger, member) = (app.browser(), app.signed_in().await);
    app.lock().await;
    for browser in [&stranger, &member] {
        for (path, heading) in [(HELP, "Help"), (GUIDE, "Customer managed keys for data encryption")] {
            let page = browser.open(path).await;
            assert_eq!((page.status, page.is_page()), (StatusCode::OK, true), "{path}");
            assert!(page.text().contains(&format!("<h1>{heading}</h1>")), "{path}");
            assert_eq!(page.text().matches("<h1").count(), 1, "{path}");
            let head = browser.send(browser.request(Method::HEAD, path)).await;
            assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
        }
    }
    assert!(stranger.open(GUIDE).await.text().contains(r#"href="/sign-in?next=/settings/data-encryption""#));
    let page = member.open(GUIDE).await;
    let led = page.text();
    assert!(
        led.contains(r#"href="/settings/data-encryption""#) && !led.contains("/sign-in?next"),
        "back to the product"
    );
    assert_eq!(stranger.open("/help/").await.header("location"), Some(HELP));
    assert_eq!(stranger.open("/help/other").await.status, StatusCode::NOT_FOUND);
    app.stop().await;
}

async fn help_tells_strangers_nothing_about_the_deployment(database: Database) {
    let app = TestApp::start_with(database, |config| config.organization = "Harbour Office".into()).await;
    let provider = app.config.provider_key_arn.clone();
    let deployment = app.services.vault.deployment().to_string();
    for path in [HELP, GUIDE] {
        let page = app.browser().open(path).await;
        for secret in [&deployment, provider.account(), provider.region(), provider.key_id(), "Harbour Office"] {
            assert!(!page.text().contains(secret), "{path} tells {secret}");
        }
        assert!(!page.text().contains("server runs now") && !page.text().contains("runs 1 server"), "{path}");
    }
    assert!(app.signed_in().await.open(GUIDE).await.text().contains("This deployment runs 1 server now"));
    app.stop().await;
}

async fn help_has_no_scripts_and_a_policy_that_allows_none(database: Database) {
    let app = TestApp::start(database).await;
    for path in [HELP, GUIDE] {
        let page = app.browser().open(path).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
        assert!(!page.text().contains("<script") && !page.text().contains("modulepreload"), "{path}");
        assert_eq!(page.header("set-cookie"), None);
    }
    app.stop().await;
}

async fn every_link_of_the_help_pages_leads_somewhere(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    for path in [HELP, GUIDE] {
        let page = browser.open(path).await;
        let links = values(&page, "href");
        assert!(links.len() > 5, "{links:?}");
        for link in links {
            leads_somewhere(&browser, &page, &link).await;
        }
    }
    app.stop().await;
}

/// Our own links are followed. Those of others are only looked at.
async fn leads_somewhere(browser: &Browser, page: &Answer, link: &str) {
    if link.starts_with("https://") {
        let host = link.trim_start_matches("https://").split('/').next().unwrap();
        assert!(host == "aws.amazon.com" || host == "docs.aws.amazon.com", "{link}");
        return;
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { None } else { Some(browser.open(path).await) };
    let target = target.as_ref().unwrap_or(page);
    // The tests' program may have been built without the site.
    let is_built = path.starts_with("/pkg-") || path == "/favicon.svg";
    assert!(target.status.is_success() || is_built, "{link}: {}", target.status);
    assert!(anchor.is_empty() || values(target, "id").contains(anchor), "{link}");
}

async fn the_numbers_are_those_of_the_configuration(database: Database) {
    let change = |config: &mut server::config::Config| {
        config.key_check = Duration::from_secs(3);
        config.outage_grace = Duration::from_secs(100);
    };
    let app = TestApp::start_with(database, change).await;
    let page = app.browser().open(GUIDE).await;
    let text = page.text().replace("<!>", "");
    for told in
        ["every 3 seconds", "about 28,800 a day", "Yes, for 100 seconds", "for 100 seconds. After that access ends"]
    {
        assert!(text.contains(told), "{told}");
    }
    let renewal = app.config.workspace_keys.renew.as_secs();
    assert!(text.contains(&format!("every {}", format::seconds(renewal))), "{renewal}");
    app.stop().await;
}

/// From each page on which the question arises.
async fn links_into_the_guide_have_their_section(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    let guide = browser.open(GUIDE).await;
    let sections = values(&guide, "id");
    for path in ["/workspaces", "/settings/data-encryption"] {
        let page = browser.open(path).await;
        for link in values(&page, "href").iter().filter_map(|link| link.strip_prefix(&format!("{GUIDE}#"))) {
            assert!(sections.contains(link), "{path} leads to {link}");
        }
    }
    app.stop().await;
}

/// The values of one attribute on a page.
fn values(page: &Answer, attribute: &str) -> BTreeSet<String> {
    let start = format!(" {attribute}=\"");
    let values = page.text().split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next());
    values.map(str::to_owned).collect()
}
