use super::*;
use std::collections::BTreeSet;

fn reader(is_signed_in: bool) -> Reader {
    Reader { style: "/pkg/keystead.css".to_owned(), is_signed_in, servers: is_signed_in.then_some(3) }
}

/// What a person reads, without the marks that separate texts.
fn guide(is_signed_in: bool, terms: &Terms) -> String {
    customer_managed_keys(&reader(is_signed_in), terms).replace("<!>", "")
}

/// The values of one attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_section_is_there_once_with_its_entry_in_the_contents() {
    let page = guide(false, &Terms::EXAMPLE);
    for section in Section::ALL {
        let entry = format!("<a href=\"#{}\">{}</a>", section.id(), section.title());
        assert_eq!(page.matches(&entry).count(), 1, "{entry}");
        assert_eq!(values(&page, "id").iter().filter(|id| **id == section.id()).count(), 1, "{section:?}");
    }
}

#[test]
fn ids_are_unique_and_every_anchor_leads_somewhere() {
    let page = guide(true, &Terms::EXAMPLE);
    let ids = values(&page, "id");
    let unique: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    for anchor in values(&page, "href").iter().filter_map(|href| href.strip_prefix('#')) {
        assert!(unique.contains(anchor), "{anchor}");
    }
}

#[test]
fn no_mark_is_left_over() {
    let page = guide(true, &Terms::EXAMPLE);
    let body = page.split("<main").nth(1).unwrap();
    for mark in ["*", "`", "{", "}"] {
        assert!(!body.contains(mark), "{mark}: {body}");
    }
}

#[test]
fn numbers_come_from_the_configuration() {
    let terms = Terms { key_check: Duration::from_secs(20), outage_grace: Duration::from_secs(90), ..Terms::EXAMPLE };
    let page = guide(true, &terms);
    for told in [
        "every 20 seconds",
        "90 seconds after the last",
        "Yes, for 90 seconds",
        "about 4,320 a day",
        "runs 3 servers now",
    ] {
        assert!(page.contains(told), "{told}");
    }
    assert!(page.contains(&costs::dollars(costs::costs(&terms, 3, 0).cents)));
    assert!(!page.contains("every 5 seconds") && !page.contains("for 5 minutes"));
}

#[test]
fn a_stranger_is_not_told_how_many_servers_there_are() {
    let page = guide(false, &Terms::EXAMPLE);
    assert!(page.contains("For one server. Sign in to see it for the servers that run now"));
    assert!(page.contains("17,280") && page.contains("2.56 USD"));
    assert!(page.contains("href=\"/sign-in?next=/settings/data-encryption\""));
    assert!(guide(true, &Terms::EXAMPLE).contains("href=\"/settings/data-encryption\""));
}

#[test]
fn the_procedures_have_the_labels_of_the_pages() {
    let page = guide(false, &Terms::EXAMPLE).replace("<strong>", "").replace("</strong>", "");
    for label in [
        "Sign in",
        "Settings icon in the lower left corner",
        "Data Encryption",
        "KMS Key ARN",
        "Activate Key",
        "Delete Key",
        "Test Key",
    ] {
        assert!(page.contains(label), "{label}");
    }
}

#[test]
fn there_is_no_script_and_no_style_of_its_own() {
    for page in [index(&reader(false)), index(&reader(true)), guide(false, &Terms::EXAMPLE)] {
        assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
        for unwanted in ["<script", "leptos-island", " style=", "modulepreload"] {
            assert!(!page.contains(unwanted), "{unwanted}");
        }
    }
}
