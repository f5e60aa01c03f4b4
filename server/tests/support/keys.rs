//! Keys in the local KMS, made for one test.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_kms::Client;
use std::env;

pub struct Keys {
    pub sdk: SdkConfig,
    pub kms: Client,
    /// The ARN of the provider key.
    pub provider: String,
}

impl Keys {
    /// Makes a provider key.
    pub async fn new() -> Self {
        let url = env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local KMS");
        let credentials = Credentials::new("test", "test", None, None, "tests");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-west-1"))
            .endpoint_url(url)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let kms = Client::new(&sdk);
        let provider = create(&kms).await;
        Self { sdk, kms, provider }
    }

    /// The same, with KMS at another place.
    pub fn at(&self, endpoint: &str) -> SdkConfig {
        self.sdk.clone().into_builder().endpoint_url(endpoint).build()
    }

    /// The ARN of a new key.
    pub async fn create(&self) -> String {
        create(&self.kms).await
    }

    pub async fn disable(&self, arn: &str) {
        self.kms.disable_key().key_id(arn).send().await.unwrap();
    }

    pub async fn enable(&self, arn: &str) {
        self.kms.enable_key().key_id(arn).send().await.unwrap();
    }
}

async fn create(kms: &Client) -> String {
    kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap()
}
