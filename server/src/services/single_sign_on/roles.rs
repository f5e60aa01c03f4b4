//! What the identity provider's roles mean here.

use crate::config::SingleSignOnConfig;
use app::model::identity::Role;
use serde_json::{Map, Value};

/// What the claim says of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// This role.
    Role(Role),
    /// Nothing: roles are given here, by administrators.
    Nothing,
    /// That they have no role here, so they stay out.
    NoRole,
}

/// Whether the claim decides anything.
pub fn matters(config: &SingleSignOnConfig) -> bool {
    config.administrator_role.is_some() || config.member_role.is_some()
}

/// Reads the claim: a word, or a list of words. `claims` are all that the provider tells.
pub fn told(config: &SingleSignOnConfig, claims: &Map<String, Value>) -> Told {
    let words = words(claims, &config.role_claim);
    let has = |role: &Option<String>| role.as_deref().is_some_and(|role| words.contains(&role));
    if has(&config.administrator_role) {
        return Told::Role(Role::Administrator);
    }
    if config.member_role.is_some() && !has(&config.member_role) {
        return Told::NoRole;
    }
    // Without a role that makes administrators, nobody is made one and nobody ceases to be one.
    if config.administrator_role.is_some() { Told::Role(Role::Member) } else { Told::Nothing }
}

/// Whether the claim is there at all.
pub fn is_told(claims: &Map<String, Value>, claim: &str) -> bool {
    find(claims, claim).is_some()
}

fn words<'a>(claims: &'a Map<String, Value>, claim: &str) -> Vec<&'a str> {
    match find(claims, claim) {
        Some(Value::String(word)) => vec![word.as_str()],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The claim of exactly this name, which may have dots in it; or else the one to which its dots lead.
fn find<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    claims.get(claim).or_else(|| {
        let (first, rest) = claim.split_once('.')?;
        find(claims.get(first)?.as_object()?, rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vault::Zeroizing;

    fn config(claim: &str, administrator: Option<&str>, member: Option<&str>) -> SingleSignOnConfig {
        SingleSignOnConfig {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: Zeroizing::new(String::new()),
            label: String::new(),
            scopes: Vec::new(),
            role_claim: claim.to_owned(),
            administrator_role: administrator.map(str::to_owned),
            member_role: member.map(str::to_owned),
        }
    }

    fn of(config: &SingleSignOnConfig, claims: &Value) -> Told {
        told(config, claims.as_object().unwrap())
    }

    #[test]
    fn a_claim_is_a_word_or_a_list_of_words_at_any_depth() {
        for (claim, claims) in [
            ("roles", json!({"roles": ["x", "admins"]})),
            ("roles", json!({"roles": "admins"})),
            ("realm_access.roles", json!({"realm_access": {"roles": ["admins"]}})),
            ("https://example.com/roles", json!({"https://example.com/roles": ["admins"]})),
        ] {
            let told = of(&config(claim, Some("admins"), None), &claims);
            assert_eq!(told, Told::Role(Role::Administrator), "{claims}");
        }
        for claims in
            [json!({}), json!({"roles": []}), json!({"roles": "admins, x"}), json!({"roles": {"admins": true}})]
        {
            assert_eq!(of(&config("roles", Some("admins"), None), &claims), Told::Role(Role::Member), "{claims}");
        }
    }

    #[test]
    fn a_role_for_members_keeps_all_others_out() {
        let both = config("roles", Some("admins"), Some("staff"));
        assert_eq!(of(&both, &json!({"roles": ["staff"]})), Told::Role(Role::Member));
        assert_eq!(of(&both, &json!({"roles": ["admins"]})), Told::Role(Role::Administrator));
        assert_eq!(of(&both, &json!({"roles": ["guests"]})), Told::NoRole);
        assert_eq!(of(&both, &json!({})), Told::NoRole);
    }

    #[test]
    fn without_a_role_for_administrators_roles_are_given_here() {
        assert_eq!(of(&config("roles", None, None), &json!({"roles": ["admins"]})), Told::Nothing);
        assert_eq!(of(&config("roles", None, Some("staff")), &json!({"roles": ["staff"]})), Told::Nothing);
        assert_eq!(of(&config("roles", None, Some("staff")), &json!({})), Told::NoRole);
    }
}
