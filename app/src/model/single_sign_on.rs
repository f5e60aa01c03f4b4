//! Single sign-on as it crosses the wire: how it stands for somebody, and what can go wrong with it.

use serde::{Deserialize, Serialize};

/// Single sign-on on one's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SingleSignOn {
    /// What the operator calls it, as on the button of the sign-in page.
    pub label: String,
    /// Since when the account is connected with somebody there; Unix milliseconds.
    pub connected_at: Option<i64>,
}

/// How somebody can prove again who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofWays {
    /// With a password, or a code of the second factor.
    pub password: bool,
    /// At the identity provider, which is called so.
    pub single_sign_on: Option<String>,
}

/// Why single sign-on came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SingleSignOnRefused {
    /// The identity provider gave no answer, or none that could be understood.
    Unreachable,
    /// It was begun too long ago, or in another browser, or has come to its end already.
    Expired,
    /// The identity provider itself says no, or the person has turned back there.
    Declined,
    /// The answer does not stand the checks.
    NotVerified,
    /// The identity provider names no e-mail address.
    EmailMissing,
    /// The identity provider says that the e-mail address has not been verified.
    EmailUnverified,
    /// Somebody with a password has this e-mail address. Nobody gets an account by its address alone.
    AccountExists,
    /// The identity provider gives the person no role here.
    NoRole,
    /// The person there is connected with another account, or the account with another person there.
    ConnectedElsewhere,
    /// Somebody else than the one who is signed in has proved who they are.
    OtherPerson,
    /// The identity provider has not asked again.
    NotAskedAgain,
    /// There is no proof yet.
    NotYet,
    /// Without it nobody could sign in to the account any more.
    OnlyWay,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::error::ApiError;

    #[test]
    fn what_went_wrong_survives_the_wire() {
        let error = ApiError::from(SingleSignOnRefused::AccountExists);
        let text = leptos::serde_json::to_string(&error).unwrap();
        assert_eq!(text, r#"{"single_sign_on":"account_exists"}"#);
        assert_eq!(leptos::serde_json::from_str::<ApiError>(&text).unwrap(), error);
        assert_eq!((error.status(), ApiError::from(SingleSignOnRefused::Unreachable).status()), (403, 503));
    }
}
