//! The check of each option. Each function reads one, and says what is wrong with it.

use super::{Config, DatabaseUrl, FirstAdmin, Mistake, Mistakes, ObjectsAt, Options, PublicUrl, network};
use crate::{
    http::patience::Patience,
    services::{
        accounts::{check_email, check_password},
        organization::checked_name,
        workspace_locks::WorkspaceKeyTimes,
    },
};
use app::model::key_arn::KeyArn;
use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};
use vault::{DeploymentId, Zeroizing};

pub(super) fn check(options: Options, aws_region: Option<&str>) -> Result<Config, Mistakes> {
    let mut mistakes = Vec::new();
    let first_admin = first_admin(options.admin_email.as_deref(), options.admin_password, &mut mistakes);
    let listen = keep(address("KEYSTEAD_LISTEN", &options.listen), &mut mistakes);
    let metrics_listen = keep(metrics_listen(options.metrics_listen.as_deref(), listen), &mut mistakes);
    let public_url = keep(PublicUrl::parse(&options.public_url), &mut mistakes);
    let database_url = keep(DatabaseUrl::parse(&options.database.database_url), &mut mistakes);
    let objects = keep(objects(&options.objects), &mut mistakes);
    let provider_key_arn = keep(provider_key(options.provider_key_arn.as_deref(), aws_region), &mut mistakes);
    let deployment_id = keep(deployment_id(options.deployment_id.as_deref()), &mut mistakes);
    let organization = keep(organization(&options.organization), &mut mistakes);
    let trusted_proxies = keep(network::proxies(given(options.trusted_proxies.as_deref())), &mut mistakes);
    let mail =
        keep(network::mail(given(options.smtp_url.as_deref()), given(options.mail_from.as_deref())), &mut mistakes);
    let customer_accounts = keep(accounts(options.customer_accounts.as_deref()), &mut mistakes);
    let aws_principal_arn = keep(principal(options.aws_principal_arn.as_deref()), &mut mistakes);
    let key_check = keep(seconds("KEYSTEAD_KEY_CHECK_SECONDS", &options.key_check_seconds, 1..=30), &mut mistakes);
    let outage_grace =
        keep(seconds("KEYSTEAD_OUTAGE_GRACE_SECONDS", &options.outage_grace_seconds, 10..=900), &mut mistakes);
    let max_file_bytes = keep(max_file_bytes(&options.max_file_bytes), &mut mistakes);
    let log_format = keep(options.log.format(), &mut mistakes);

    let config = (|| {
        Some(Config {
            listen: listen?,
            metrics_listen: metrics_listen?,
            public_url: public_url?,
            database_url: database_url?,
            objects: objects?,
            provider_key_arn: provider_key_arn?,
            deployment_id: deployment_id?,
            organization: organization?,
            first_admin,
            trusted_proxies: trusted_proxies?,
            mail: mail?,
            customer_accounts: customer_accounts?,
            aws_principal_arn: aws_principal_arn?,
            key_check: key_check?,
            outage_grace: outage_grace?,
            workspace_keys: WorkspaceKeyTimes::default(),
            max_file_bytes: max_file_bytes?,
            patience: Patience::default(),
            log_format: log_format?,
        })
    })();
    config.filter(|_| mistakes.is_empty()).ok_or(Mistakes(mistakes))
}

fn keep<T>(checked: Result<T, Mistake>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    checked.map_err(|mistake| mistakes.push(mistake)).ok()
}

/// An option that is set to nothing, as shells and service managers do it, counts as not given.
fn given(value: Option<&str>) -> Option<&str> {
    value.map(str::trim).filter(|value| !value.is_empty())
}

fn address(variable: &'static str, text: &str) -> Result<SocketAddr, Mistake> {
    text.trim().parse().map_err(|_| {
        Mistake::new(
            variable,
            &format!("{text:?} is not an address"),
            "an IP address and a port, such as 127.0.0.1:3000",
        )
    })
}

fn metrics_listen(text: Option<&str>, listen: Option<SocketAddr>) -> Result<Option<SocketAddr>, Mistake> {
    const VARIABLE: &str = "KEYSTEAD_METRICS_LISTEN";
    let Some(address) = given(text).map(|text| address(VARIABLE, text)).transpose()? else { return Ok(None) };
    if listen == Some(address) && address.port() != 0 {
        return Err(Mistake::new(VARIABLE, "it is that of KEYSTEAD_LISTEN", "an address and port of its own"));
    }
    Ok(Some(address))
}

fn objects(text: &str) -> Result<ObjectsAt, Mistake> {
    let mistake = |wrong: &str| Mistake::new("KEYSTEAD_OBJECTS", wrong, "file:<folder> or s3://<bucket>/<prefix>");
    if let Some(folder) = text.strip_prefix("file:") {
        // file:///var/lib/keystead is accepted beside file:/var/lib/keystead.
        let folder = folder.strip_prefix("//").unwrap_or(folder);
        return if folder.is_empty() {
            Err(mistake("no folder is named"))
        } else {
            Ok(ObjectsAt::File(PathBuf::from(folder)))
        };
    }
    let Some(place) = text.strip_prefix("s3://") else {
        return Err(mistake(&format!("{text:?} is not a place that is known here")));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(allowed) {
        return Err(mistake(&format!("{bucket:?} is not the name of a bucket")));
    }
    Ok(ObjectsAt::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
}

fn provider_key(text: Option<&str>, aws_region: Option<&str>) -> Result<KeyArn, Mistake> {
    const VARIABLE: &str = "KEYSTEAD_PROVIDER_KEY_ARN";
    const EXPECTED: &str =
        "the ARN of a KMS key, such as arn:aws:kms:us-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let text = given(text).ok_or_else(|| Mistake::new(VARIABLE, "it is not set", EXPECTED))?;
    let arn =
        KeyArn::parse(text).map_err(|error| Mistake::new(VARIABLE, error.message().trim_end_matches('.'), EXPECTED))?;
    match given(aws_region) {
        Some(region) if region != arn.region() => Err(Mistake::new(
            VARIABLE,
            &format!("the key is in {}, but AWS_REGION is {region}", arn.region()),
            "a key in the region of this deployment",
        )),
        _ => Ok(arn),
    }
}

fn deployment_id(text: Option<&str>) -> Result<Option<DeploymentId>, Mistake> {
    given(text).map(DeploymentId::new).transpose().map_err(|_| {
        Mistake::new(
            "KEYSTEAD_DEPLOYMENT_ID",
            "it has other characters or is too long",
            "1 to 64 characters of a-z, 0-9 and -",
        )
    })
}

fn organization(text: &str) -> Result<String, Mistake> {
    checked_name(text).ok_or_else(|| {
        Mistake::new(
            "KEYSTEAD_ORGANIZATION",
            "it is empty, too long or has control characters",
            "a name of 1 to 120 characters",
        )
    })
}

fn first_admin(email: Option<&str>, password: Option<String>, mistakes: &mut Vec<Mistake>) -> Option<FirstAdmin> {
    let email = given(email).map(str::to_owned);
    let password = password.filter(|password| !password.is_empty()).map(Zeroizing::new);
    let found = mistakes.len();
    if let Some(Err(error)) = email.as_deref().map(check_email) {
        mistakes.push(Mistake::new("KEYSTEAD_ADMIN_EMAIL", "it is not an e-mail address", &error.to_string()));
    }
    if let Some(Err(error)) = password.as_ref().map(|password| check_password(password)) {
        mistakes.push(Mistake::new("KEYSTEAD_ADMIN_PASSWORD", "it cannot be used as a password", &error.to_string()));
    }
    match (email, password) {
        (Some(email), Some(password)) => (mistakes.len() == found).then_some(FirstAdmin { email, password }),
        (None, None) => None,
        (Some(_), None) => {
            mistakes.push(Mistake::new(
                "KEYSTEAD_ADMIN_PASSWORD",
                "it is not set, but KEYSTEAD_ADMIN_EMAIL is",
                "both or neither",
            ));
            None
        }
        (None, Some(_)) => {
            mistakes.push(Mistake::new(
                "KEYSTEAD_ADMIN_EMAIL",
                "it is not set, but KEYSTEAD_ADMIN_PASSWORD is",
                "both or neither",
            ));
            None
        }
    }
}

fn accounts(text: Option<&str>) -> Result<Vec<String>, Mistake> {
    let Some(text) = given(text).filter(|text| *text != "any") else { return Ok(Vec::new()) };
    let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    text.split(',')
        .map(str::trim)
        .map(|id| if is_account(id) { Ok(id.to_owned()) } else { Err(format!("{id:?} is not an account id")) })
        .collect::<Result<_, _>>()
        .map_err(|wrong| {
            Mistake::new("KEYSTEAD_CUSTOMER_ACCOUNTS", &wrong, "account ids of 12 digits, separated by commas")
        })
}

fn principal(text: Option<&str>) -> Result<Option<String>, Mistake> {
    let Some(text) = given(text) else { return Ok(None) };
    let mut parts = text.splitn(6, ':');
    let shaped = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| partition.starts_with("aws"))
        && parts.next().is_some_and(|service| matches!(service, "iam" | "sts"))
        && parts.next() == Some("")
        && parts.next().is_some_and(|account| account.len() == 12)
        && parts.next().is_some_and(|resource| !resource.is_empty());
    if shaped && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(text.to_owned()));
    }
    Err(Mistake::new(
        "KEYSTEAD_AWS_PRINCIPAL_ARN",
        "it is not the ARN of a principal",
        "such as arn:aws:iam::111122223333:role/keystead",
    ))
}

fn seconds(variable: &'static str, text: &str, range: RangeInclusive<u64>) -> Result<Duration, Mistake> {
    let expected = format!("a whole number of seconds from {} to {}", range.start(), range.end());
    let found = text
        .trim()
        .parse()
        .map_err(|_| Mistake::new(variable, &format!("{text:?} is not a whole number"), &expected))?;
    if range.contains(&found) {
        Ok(Duration::from_secs(found))
    } else {
        Err(Mistake::new(variable, &format!("{found} is out of range"), &expected))
    }
}

fn max_file_bytes(text: &str) -> Result<u64, Mistake> {
    // The largest size of an object in S3 is 5 TiB; sealing adds a little to the content.
    const MOST: u64 = 4 << 40;
    text.trim().parse().ok().filter(|bytes| (1..=MOST).contains(bytes)).ok_or_else(|| {
        Mistake::new(
            "KEYSTEAD_MAX_FILE_BYTES",
            &format!("{text:?} cannot be used"),
            "a whole number of bytes from 1 to 4398046511104",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    const ARN: &str = "arn:aws:kms:us-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn checked(arguments: &[&str], region: Option<&str>) -> Result<Config, Mistakes> {
        let line = ["keystead"].iter().chain(arguments).copied();
        check(Line::try_parse_from(line).map_err(|error| error.to_string()).unwrap().options, region)
    }

    #[test]
    fn the_provider_key_is_all_that_is_required() {
        let config = checked(&["--provider-key-arn", ARN], Some("us-west-1")).unwrap();
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:3000");
        assert_eq!(config.objects, ObjectsAt::File(PathBuf::from("./objects")));
        assert_eq!((config.key_check.as_secs(), config.outage_grace.as_secs()), (5, 300));
        assert_eq!(config.max_file_bytes, 5 << 30);
    }

    #[test]
    fn every_mistake_is_reported_at_once_and_none_shows_a_secret() {
        let mistakes = checked(
            &[
                "--listen=here",
                "--metrics-listen=there",
                "--public-url=https://a/b",
                "--database-url=mysql://u:hunter2@h/d",
                "--objects=ftp:x",
                "--deployment-id=A B",
                "--organization= ",
                "--admin-email=root",
                "--admin-password=hunter2",
                "--trusted-proxies=proxy.internal",
                "--smtp-url=smtp://u:hunter2@mail.example.com",
                "--mail-from=keystead@example.com",
                "--customer-accounts=123",
                "--aws-principal-arn=me",
                "--key-check-seconds=31",
                "--outage-grace-seconds=9",
                "--max-file-bytes=0",
                "--log-format=xml",
            ],
            None,
        )
        .unwrap_err();
        let mut variables: Vec<_> = mistakes.0.iter().map(|mistake| mistake.variable).collect();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!(variables.len(), 18, "{mistakes}");
        assert!(!mistakes.to_string().contains("hunter2"), "{mistakes}");
    }

    #[test]
    fn a_provider_key_of_another_region_is_refused() {
        let mistakes = checked(&["--provider-key-arn", ARN], Some("eu-west-1")).unwrap_err();
        assert!(mistakes.to_string().contains("the key is in us-west-1, but AWS_REGION is eu-west-1"), "{mistakes}");
    }

    #[test]
    fn an_administrator_needs_both_email_and_password() {
        let mistakes = checked(&["--provider-key-arn", ARN, "--admin-email=a@b"], None).unwrap_err();
        assert_eq!(mistakes.0.len(), 1);
        assert_eq!(mistakes.0[0].variable, "KEYSTEAD_ADMIN_PASSWORD");
    }

    #[test]
    fn figures_are_served_nowhere_or_on_an_address_of_their_own() {
        let with = |metrics: &str| checked(&["--provider-key-arn", ARN, "--listen=127.0.0.1:3000", metrics], None);
        assert_eq!(with("--metrics-listen=").unwrap().metrics_listen, None);
        let apart = with("--metrics-listen=127.0.0.1:9464").unwrap().metrics_listen;
        assert_eq!(apart.map(|address| address.port()), Some(9464));
        let mistakes = with("--metrics-listen=127.0.0.1:3000").unwrap_err();
        assert_eq!((mistakes.0.len(), mistakes.0[0].variable), (1, "KEYSTEAD_METRICS_LISTEN"));
    }

    #[test]
    fn places_of_objects_are_read() {
        assert_eq!(objects("file:/var/x").unwrap(), ObjectsAt::File(PathBuf::from("/var/x")));
        let s3 = |prefix: &str| ObjectsAt::S3 { bucket: "my-bucket".to_owned(), prefix: prefix.to_owned() };
        assert_eq!(objects("s3://my-bucket/a/b/").unwrap(), s3("a/b"));
        assert_eq!(objects("s3://my-bucket").unwrap(), s3(""));
        assert!(objects("s3://B").is_err());
    }
}
