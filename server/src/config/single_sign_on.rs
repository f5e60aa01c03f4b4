//! Single sign-on by `OpenID` Connect: which identity provider, and what its roles mean here.

use super::{Mistake, checks::given};
use clap::Args;
use http::Uri;
use std::{fmt, net::IpAddr};
use vault::Zeroizing;

const LABEL_CHARS: usize = 60;
/// As long as the columns for it.
const ISSUER_BYTES: usize = 512;
const WORD_BYTES: usize = 255;

/// How the program can be told, as it was told.
#[derive(Args, Clone)]
pub struct SingleSignOnOptions {
    /// The identity provider for single sign-on, by its issuer, such as `https://login.example.com`. None, if not given.
    #[arg(long = "oidc-issuer", env = "KEYSTEAD_OIDC_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,

    /// The id under which the identity provider knows this deployment.
    #[arg(long = "oidc-client-id", env = "KEYSTEAD_OIDC_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,

    /// The secret beside that id. Better given in the environment: others can see the arguments of a program.
    #[arg(
        long = "oidc-client-secret",
        env = "KEYSTEAD_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub client_secret: Option<String>,

    /// What the button on the sign-in page says.
    #[arg(long = "oidc-label", env = "KEYSTEAD_OIDC_LABEL", value_name = "TEXT", default_value = "Single sign-on")]
    pub label: String,

    /// What is asked for, separated by spaces. Some identity providers tell roles only with a scope of their own.
    #[arg(
        long = "oidc-scopes",
        env = "KEYSTEAD_OIDC_SCOPES",
        value_name = "SCOPES",
        default_value = "openid email profile"
    )]
    pub scopes: String,

    /// The claim that holds people's roles; dots lead into claims within claims.
    #[arg(long = "oidc-role-claim", env = "KEYSTEAD_OIDC_ROLE_CLAIM", value_name = "CLAIM", default_value = "roles")]
    pub role_claim: String,

    /// The role there that makes an Administrator here. Without it, single sign-on changes nobody's role.
    #[arg(long = "oidc-administrator-role", env = "KEYSTEAD_OIDC_ADMINISTRATOR_ROLE", value_name = "ROLE")]
    pub administrator_role: Option<String>,

    /// The role there that makes a Member here. Without it, everybody is one whom the identity provider signs in.
    #[arg(long = "oidc-member-role", env = "KEYSTEAD_OIDC_MEMBER_ROLE", value_name = "ROLE")]
    pub member_role: Option<String>,
}

/// Single sign-on, checked. It holds a secret, which it does not show.
#[derive(Clone)]
pub struct SingleSignOnConfig {
    /// Exactly as the identity provider writes it.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Zeroizing<String>,
    pub label: String,
    pub scopes: Vec<String>,
    pub role_claim: String,
    pub administrator_role: Option<String>,
    pub member_role: Option<String>,
}

impl fmt::Debug for SingleSignOnConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleSignOnConfig").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Checks all of it together. `None` if it is not set up, or something is wrong.
pub(super) fn check(options: &SingleSignOnOptions, mistakes: &mut Vec<Mistake>) -> Option<SingleSignOnConfig> {
    let found = mistakes.len();
    let mut wrong = |variable, wrong: &str, expected: &str| mistakes.push(Mistake::new(variable, wrong, expected));
    let issuer = given(options.issuer.as_deref());
    let client_id = given(options.client_id.as_deref());
    let client_secret = options.client_secret.as_deref().filter(|secret| !secret.is_empty());
    let roles = (given(options.administrator_role.as_deref()), given(options.member_role.as_deref()));
    if let Some(issuer) = issuer {
        if let Err(what) = check_issuer(issuer) {
            wrong("KEYSTEAD_OIDC_ISSUER", what, "such as https://login.example.com; http only on this machine");
        }
        let others = [
            ("KEYSTEAD_OIDC_CLIENT_ID", client_id.is_some()),
            ("KEYSTEAD_OIDC_CLIENT_SECRET", client_secret.is_some()),
        ];
        for (variable, _) in others.into_iter().filter(|(_, is_given)| !is_given) {
            wrong(variable, "it is not set, but KEYSTEAD_OIDC_ISSUER is", "what the identity provider has given out");
        }
    } else if client_id.is_some() || client_secret.is_some() || roles.0.is_some() || roles.1.is_some() {
        wrong(
            "KEYSTEAD_OIDC_ISSUER",
            "it is not set, but others of single sign-on are",
            "the identity provider's issuer",
        );
    }
    let label = options.label.trim();
    let fits = (1..=LABEL_CHARS).contains(&label.chars().count()) && !label.chars().any(char::is_control);
    if !fits {
        wrong("KEYSTEAD_OIDC_LABEL", "it cannot be shown on a button", "1 to 60 characters");
    }
    let role_claim = options.role_claim.trim();
    if !is_word(role_claim) {
        wrong("KEYSTEAD_OIDC_ROLE_CLAIM", "it is not the name of a claim", "such as roles or realm_access.roles");
    }
    let scopes: Vec<String> = options.scopes.split_whitespace().map(str::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") || !scopes.iter().all(|scope| is_word(scope)) {
        wrong(
            "KEYSTEAD_OIDC_SCOPES",
            "it does not ask for an identity",
            "openid and others, such as openid email profile",
        );
    }
    for (variable, role) in [("KEYSTEAD_OIDC_ADMINISTRATOR_ROLE", roles.0), ("KEYSTEAD_OIDC_MEMBER_ROLE", roles.1)] {
        if role.is_some_and(|role| role.len() > WORD_BYTES) {
            wrong(variable, "it is too long", "at most 255 characters");
        }
    }
    if roles.0.is_some() && roles.0 == roles.1 {
        wrong("KEYSTEAD_OIDC_MEMBER_ROLE", "it is that of KEYSTEAD_OIDC_ADMINISTRATOR_ROLE", "another role, or none");
    }
    if mistakes.len() > found {
        return None;
    }
    Some(SingleSignOnConfig {
        issuer: issuer?.to_owned(),
        client_id: client_id?.to_owned(),
        client_secret: Zeroizing::new(client_secret?.to_owned()),
        label: label.to_owned(),
        scopes,
        role_claim: role_claim.to_owned(),
        administrator_role: roles.0.map(str::to_owned),
        member_role: roles.1.map(str::to_owned),
    })
}

fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn check_issuer(text: &str) -> Result<(), &'static str> {
    let uri: Uri = text.parse().map_err(|_| "it is not a URL")?;
    let authority = uri.authority().ok_or("it has no host")?;
    if authority.as_str().contains('@') {
        return Err("it contains a user name");
    }
    // A fragment is dropped by the parser, so it is looked for in the text.
    if text.contains(['?', '#']) {
        return Err("it has a query or a fragment");
    }
    if text.len() > ISSUER_BYTES {
        return Err("it is too long");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(authority.host()) => Ok(()),
        Some("http") => Err("everybody on the way could read and change what it says"),
        _ => Err("its scheme is neither https nor http"),
    }
}

/// Whether a host of a URL is this machine.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: SingleSignOnOptions,
    }

    fn checked(arguments: &[&str]) -> (Option<SingleSignOnConfig>, Vec<&'static str>) {
        let line = ["keystead"].iter().chain(arguments).copied();
        let mut mistakes = Vec::new();
        let config =
            check(&Line::try_parse_from(line).map_err(|error| error.to_string()).unwrap().options, &mut mistakes);
        (config, mistakes.into_iter().map(|mistake| mistake.variable).collect())
    }

    #[test]
    fn three_values_are_enough_and_none_is_none() {
        let (config, mistakes) = checked(&[]);
        assert!(config.is_none() && mistakes.is_empty(), "{mistakes:?}");
        let all = ["--oidc-issuer=https://login.example.com/", "--oidc-client-id=a", "--oidc-client-secret=hunter2"];
        let (config, mistakes) = checked(&all);
        let config = config.unwrap_or_else(|| panic!("{mistakes:?}"));
        assert_eq!((config.issuer.as_str(), config.label.as_str()), ("https://login.example.com/", "Single sign-on"));
        assert_eq!((config.role_claim.as_str(), config.scopes.len()), ("roles", 3));
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let issuer = "--oidc-issuer=https://login.example.com";
        assert_eq!(checked(&[issuer]).1, ["KEYSTEAD_OIDC_CLIENT_ID", "KEYSTEAD_OIDC_CLIENT_SECRET"]);
        assert_eq!(checked(&["--oidc-client-id=a"]).1, ["KEYSTEAD_OIDC_ISSUER"]);
        assert_eq!(checked(&["--oidc-administrator-role=a"]).1, ["KEYSTEAD_OIDC_ISSUER"]);
        let all = [issuer, "--oidc-client-id=a", "--oidc-client-secret=b"];
        let with = |more: &[&'static str]| checked(&[all.as_slice(), more].concat()).1;
        assert_eq!(with(&["--oidc-scopes=email"]), ["KEYSTEAD_OIDC_SCOPES"]);
        assert_eq!(with(&["--oidc-role-claim="]), ["KEYSTEAD_OIDC_ROLE_CLAIM"]);
        let same = ["--oidc-administrator-role=x", "--oidc-member-role=x"];
        assert_eq!(with(&same), ["KEYSTEAD_OIDC_MEMBER_ROLE"]);
    }

    #[test]
    fn the_provider_is_reached_over_tls_or_on_this_machine() {
        for issuer in ["https://a.example", "https://a.example/tenant/v2.0", "http://127.0.0.1:4000", "http://[::1]:1"]
        {
            assert_eq!(check_issuer(issuer), Ok(()), "{issuer}");
        }
        for issuer in ["http://a.example", "ftp://a", "a.example", "https://u:p@a", "https://a?b", "https://a#b", ""] {
            assert!(check_issuer(issuer).is_err(), "{issuer}");
        }
    }
}
