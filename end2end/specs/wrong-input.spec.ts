// Everything that must be refused on Data Encryption: each with its own message, and nothing changes.
import { expect, test } from '../harness/test';
import { activate, badge, openDataEncryption, pressActivate, pressDelete, pressTest, signIn } from '../harness/steps';
import type { Page } from '@playwright/test';

const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const account = '000000000000';

const malformed: [what: string, entered: string, message: RegExp][] = [
  ['nothing', '   ', /Enter the ARN of a KMS key/],
  ['a bare key id', id, /only a key id/],
  ['an alias', `arn:aws:kms:us-west-1:${account}:alias/ours`, /This is an alias/],
  ['white space inside', `arn:aws:kms:us-west-1:${account}: key/${id}`, /white space inside/],
  ['a character that no ARN has', `arn:aws:kms:us-west-1:${account}:key/${id}é`, /character that no ARN has/],
  ['something that is no ARN', 'our-key', /begins with arn:/],
  ['a wrong partition', `arn:azure:kms:us-west-1:${account}:key/${id}`, /partition, the second part, is wrong/],
  ['another service', `arn:aws:s3:us-west-1:${account}:key/${id}`, /service, the third part, is wrong/],
  ['no region', `arn:aws:kms::${account}:key/${id}`, /region, the fourth part, is wrong/],
  ['a short account', `arn:aws:kms:us-west-1:1234:key/${id}`, /account, the fifth part, is wrong/],
  ['no key', `arn:aws:kms:us-west-1:${account}:grant/${id}`, /last part is wrong/],
  ['a damaged key id', `arn:aws:kms:us-west-1:${account}:key/1234ABCD`, /key id, after key\/, is wrong/],
  ['another region', `arn:aws:kms:eu-west-1:${account}:key/${id}`, /in eu-west-1\. This deployment is in us-west-1/],
  ['another partition', `arn:aws-cn:kms:us-west-1:${account}:key/${id}`, /partition aws-cn\. This deployment is in aws\./],
  ['an unknown key', `arn:aws:kms:us-west-1:${account}:key/${id}`, /AWS does not know this key/],
];

async function nothingChanged(page: Page, state: 'Provider key' | 'Your key is in control'): Promise<void> {
  await openDataEncryption(page);
  await expect(badge(page, state)).toBeVisible();
  for (const word of ['Running', 'Paused', 'Failed'] as const) await expect(badge(page, word)).toHaveCount(0);
}

/** The message is read out with its field or as an alert, and shown once. */
async function refused(page: Page, message: RegExp): Promise<void> {
  await expect(page.getByRole('main').getByText(message).first()).toBeVisible();
}

test('a malformed or foreign ARN is refused with what is wrong in it', async ({ page, deployment, console }) => {
  console.allowStatus(422);
  await deployment.sample();
  await signIn(page);
  for (const [what, entered, message] of malformed) {
    await test.step(what, async () => {
      await openDataEncryption(page);
      await pressActivate(page, entered);
      await refused(page, message);
      await expect(page.getByLabel('KMS Key ARN'), 'what was typed is still there').toHaveValue(entered);
    });
  }
  await nothingChanged(page, 'Provider key');
});

test('white space around an ARN is no mistake', async ({ page, deployment, kms }) => {
  await deployment.sample();
  const arn = await kms.createKey();
  await signIn(page);
  await activate(page, `  ${arn} `);
  await expect(page.getByRole('main').getByText(arn, { exact: true }).first()).toBeVisible();
});

test('a key that cannot do the work is refused with the reason', async ({ page, deployment, kms, console }) => {
  console.allowStatus(422);
  await deployment.sample();
  const disabled = await kms.createKey();
  await kms.disable(disabled);
  const dying = await kms.createKey();
  await kms.scheduleDeletion(dying);
  const rsa = await kms.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
  const hmac = await kms.createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const elsewhere = await kms.createKey({}, 'eu-west-1');
  const cases: [string, string, RegExp][] = [
    ['disabled', disabled, /The key is disabled in AWS/],
    ['scheduled for deletion', dying, /scheduled for deletion/],
    ['asymmetric', rsa, /wrong type/],
    ['for message authentication', hmac, /wrong type/],
    ['in another region', elsewhere, /in eu-west-1\. This deployment is in us-west-1/],
    ['the provider key itself', deployment.providerKey, /the provider key itself/],
  ];
  await signIn(page);
  for (const [what, arn, message] of cases) {
    await test.step(what, async () => {
      await openDataEncryption(page);
      await pressActivate(page, arn);
      await refused(page, message);
    });
  }
  await nothingChanged(page, 'Provider key');
});

test('Test Key says what is right and wrong, and changes nothing', async ({ page, deployment, kms, console }) => {
  console.allowStatus(422);
  await deployment.sample();
  const good = await kms.createKey();
  const disabled = await kms.createKey();
  await kms.disable(disabled);
  await signIn(page);
  await openDataEncryption(page);
  await pressTest(page, good);
  const verdict = page.getByRole('heading', { name: 'This key can be activated' });
  await expect(verdict).toBeVisible();
  expect((await verdict.boundingBox())!.height, 'on one line, not squeezed into a column').toBeLessThan(40);
  await expect(page.getByRole('heading', { name: 'This deployment can decrypt with the key' })).toBeVisible();
  await openDataEncryption(page);
  await pressTest(page, disabled);
  await refused(page, /The key is disabled in AWS/);
  await expect(page.getByRole('heading', { name: 'This key cannot be activated yet' })).toBeVisible();
  await nothingChanged(page, 'Provider key');
});

test('only one key: a second is refused while the first is active', async ({ page, deployment, kms, console }) => {
  console.allowStatus(422);
  await deployment.sample();
  const [first, second] = [await kms.createKey(), await kms.createKey()];
  await signIn(page);
  await activate(page, first);
  // The page offers no way to activate a second one; a request made by hand is refused by the server.
  await expect(page.getByRole('button', { name: 'Activate Key' })).toHaveCount(0);
  const answer = await page.request.post('/api/activate_key', { form: { arn: second } });
  expect(answer.status()).toBe(422);
  expect(await answer.text()).toContain('already_active');
  await nothingChanged(page, 'Your key is in control');
});

test('Delete Key needs the ARN of the active key', async ({ page, deployment, kms, console }) => {
  console.allowStatus(422);
  await deployment.sample();
  const [active, other] = [await kms.createKey(), await kms.createKey()];
  await signIn(page);
  await activate(page, active);
  const cases: [string, string, RegExp][] = [
    ['nothing', '', /Enter the ARN|This is not the active key/],
    ['another key', other, /This is not the active key/],
    ['the active key, damaged', active.slice(0, -1), /key id, after key\/, is wrong|This is not the active key/],
    ['the provider key', deployment.providerKey, /This is not the active key/],
  ];
  for (const [what, arn, message] of cases) {
    await test.step(what, async () => {
      await openDataEncryption(page);
      await pressDelete(page, arn);
      await refused(page, message);
    });
  }
  await nothingChanged(page, 'Your key is in control');
});
