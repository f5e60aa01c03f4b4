//! Accounts over a database in memory.

use super::*;
use crate::services::throttle::Address;
use vault::{SystemClock, SystemEntropy, Zeroizing};

async fn accounts() -> Accounts {
    let store = Store::connect("sqlite::memory:").await.unwrap();
    store.migrate().await.unwrap();
    Accounts::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy::new())).unwrap()
}

fn here() -> Address {
    Address::from(std::net::IpAddr::from([127, 0, 0, 1]))
}

async fn refused(accounts: &Accounts, email: &str) -> ApiError {
    match accounts.check_sign_in(email, "incorrect horse", &here()).await {
        Err(error) => error,
        Ok(_) => panic!("somebody signed in as {email}"),
    }
}

#[tokio::test]
async fn the_right_password_signs_in_whatever_the_case_of_the_email() {
    let accounts = accounts().await;
    accounts.create_user(" Ada@Example.com ", "Ada", Role::Member, "correct horse battery").await.unwrap();
    let ada = accounts.check_sign_in("ADA@example.com", "correct horse battery", &here()).await.unwrap().principal;
    accounts.signed_in(&ada, Method::Password, &here()).await.unwrap();
    assert_eq!((ada.email.as_str(), ada.role), ("ada@example.com", Role::Member));
    assert!(accounts.by_email("ada@example.com").await.unwrap().unwrap().last_sign_in_at.is_some());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_get_the_same_answer() {
    let accounts = accounts().await;
    accounts.create_user("ada@example.com", "Ada", Role::Member, "correct horse battery").await.unwrap();
    let wrong = refused(&accounts, "ada@example.com").await;
    let unknown = refused(&accounts, "eve@example.com").await;
    assert_eq!((wrong, unknown), (ApiError::WrongCredentials, ApiError::WrongCredentials));
}

#[tokio::test]
async fn the_first_administrator_is_created_once() {
    let accounts = accounts().await;
    let first = FirstAdmin {
        email: "root@example.com".to_owned(),
        password: Zeroizing::new("correct horse battery".to_owned()),
    };
    assert!(accounts.ensure_first_administrator(&first).await.unwrap());
    assert!(!accounts.ensure_first_administrator(&first).await.unwrap());
    assert_eq!(accounts.first_administrator().await.unwrap().unwrap().email, "root@example.com");
}

#[tokio::test]
async fn what_is_not_as_it_must_be_is_refused_with_its_reason() {
    let accounts = accounts().await;
    let long = "correct horse battery";
    let create = async |email: &str, name: &str, password: &str| {
        accounts.create_user(email, name, Role::Member, password).await.unwrap_err()
    };
    assert!(matches!(create("ada", "Ada", long).await, CreateUserError::EmailInvalid));
    assert!(matches!(create("a b@example.com", "Ada", long).await, CreateUserError::EmailInvalid));
    assert!(matches!(create("ada@example.com", " ", long).await, CreateUserError::NameInvalid));
    assert!(matches!(create("ada@example.com", "Ada", "short").await, CreateUserError::PasswordTooShort));
    accounts.create_user("ada@example.com", "Ada", Role::Member, long).await.unwrap();
    assert!(matches!(create("Ada@example.com", "Ada", long).await, CreateUserError::EmailTaken));
}
