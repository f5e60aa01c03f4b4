// The manual's two procedures, step by step and letter for letter, with scripts and without.
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { badge, fillSignIn, forgetSession, interactive, jobCompletes, open, openDataEncryption, pageHeading, seeInTime } from '../harness/steps';
import type { Page } from '@playwright/test';

async function fromSignInToDataEncryption(page: Page): Promise<void> {
  await test.step('1. Sign in to a user account. The Workspaces page appears.', async () => {
    await open(page, '/sign-in');
    await fillSignIn(page, administrator.email, administrator.password);
    await expect(pageHeading(page, 'Workspaces')).toBeVisible();
    await expect(page).toHaveURL(/\/workspaces$/);
    await interactive(page);
  });
  await test.step('2. Click the Settings icon in the lower left corner. The Organization Settings page appears.', async () => {
    const icon = page.getByRole('link', { name: 'Settings', exact: true });
    const box = await icon.boundingBox();
    const window = page.viewportSize();
    expect(box, 'the icon is visible').not.toBeNull();
    expect(box!.x + box!.width, 'on the left').toBeLessThan(window!.width / 3);
    expect(box!.y, 'at the bottom').toBeGreaterThan((window!.height * 2) / 3);
    expect(box!.y + box!.height, 'without scrolling').toBeLessThanOrEqual(window!.height);
    await icon.click();
    await expect(pageHeading(page, 'Organization Settings')).toBeVisible();
    await interactive(page);
  });
  await test.step('3. Click Data Encryption. The Data Encryption page appears.', async () => {
    await page.getByRole('link', { name: 'Data Encryption', exact: true }).click();
    await expect(pageHeading(page, 'Data Encryption')).toBeVisible();
    await expect(page).toHaveURL(/\/settings\/data-encryption$/);
    await interactive(page);
  });
}

test('creating and then deleting a customer managed key, as the manual says', async ({ page, deployment, kms }) => {
  await deployment.sample();
  const arn = await kms.createKey();

  await test.step('Creating a customer managed key', async () => {
    await fromSignInToDataEncryption(page);
    await expect(badge(page, 'Provider key')).toBeVisible();
    await test.step('4. In the KMS Key ARN field, enter the ARN of the customer managed key.', async () => {
      await page.getByLabel('KMS Key ARN').fill(arn);
    });
    await test.step('5. Click Activate Key. The key will be activated and used to encrypt data at rest.', async () => {
      await page.getByRole('button', { name: 'Activate Key', exact: true }).click();
      await seeInTime(page, badge(page, 'Your key is in control'));
      await jobCompletes(page);
      await expect(page.getByRole('main').getByText(arn, { exact: true }).first()).toBeVisible();
    });
  });

  await test.step('The data is there, under the new key', async () => {
    await open(page, '/workspaces');
    await expect(page.getByRole('main').getByRole('table').getByRole('link')).toHaveCount(2);
  });
  await forgetSession(page);

  await test.step('Deleting a customer managed key', async () => {
    await fromSignInToDataEncryption(page);
    await expect(badge(page, 'Your key is in control')).toBeVisible();
    await test.step('4. In the KMS Key ARN field, enter the ARN of the key you wish to delete.', async () => {
      await page.getByLabel('KMS Key ARN').fill(arn);
    });
    await test.step('5. Click Delete Key. The provider’s key will be used to encrypt data at rest.', async () => {
      await page.getByRole('button', { name: 'Delete Key', exact: true }).click();
      await seeInTime(page, badge(page, 'Provider key'));
      await jobCompletes(page);
    });
  });

  await test.step('From then on the customer’s key is not needed any more', async () => {
    await kms.disable(arn);
    await open(page, '/workspaces');
    await page.getByRole('main').getByRole('table').getByRole('link').first().click();
    await expect(page.getByRole('main').getByRole('article').first()).toBeVisible();
    await openDataEncryption(page);
    await expect(badge(page, 'Provider key')).toBeVisible();
  });
});

test('a second key can be activated after the first was deleted', async ({ page, deployment, kms }) => {
  await deployment.sample();
  const [first, second] = [await kms.createKey(), await kms.createKey()];
  await fromSignInToDataEncryption(page);
  for (const arn of [first, second]) {
    await page.getByLabel('KMS Key ARN').fill(arn);
    await page.getByRole('button', { name: 'Activate Key' }).click();
    await seeInTime(page, badge(page, 'Your key is in control'));
    await jobCompletes(page);
    await expect(page.getByRole('main').getByText(arn, { exact: true }).first()).toBeVisible();
    if (arn === first) {
      await page.getByLabel('KMS Key ARN').fill(arn);
      await page.getByRole('button', { name: 'Delete Key' }).click();
      await seeInTime(page, badge(page, 'Provider key'));
      await jobCompletes(page);
    }
  }
});
