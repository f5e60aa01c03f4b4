// The same `test`, with a proxy between the program and the local KMS, and the shortest time that access lasts without AWS.
import { KmsProxy } from './kms-proxy';
import { test as base } from './test';

export const test = base.extend<{ aws: KmsProxy }>({
  aws: async ({ kms }, use) => {
    const proxy = await KmsProxy.start(kms);
    await use(proxy);
    await proxy.stop();
  },
  settings: async ({ aws }, use) => {
    await use({ AWS_ENDPOINT_URL_KMS: aws.endpoint, KEYSTEAD_OUTAGE_GRACE_SECONDS: '10' });
  },
});

export { expect } from './test';
