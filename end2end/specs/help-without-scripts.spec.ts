// The public help pages without scripts, and while the data is locked: all of it can be read.
import { expect, test } from '../harness/test';
import { open, pageHeading, seeInTime } from '../harness/steps';

const guide = '/help/customer-managed-keys';

test('the whole guide is read without scripts and without signing in', async ({ page, deployment, kms }) => {
  await open(page, '/help');
  await expect(pageHeading(page, 'Help')).toBeVisible();
  await page.getByRole('link', { name: 'Key states and what they mean' }).click();
  await expect(page).toHaveURL(/customer-managed-keys#states$/);
  await expect(page.getByRole('rowheader', { name: 'PendingDeletion' })).toBeVisible();
  expect(await page.locator('script').count()).toBe(0);
  await kms.disable(deployment.providerKey);
  await expect.poll(async () => (await page.request.get('/readyz')).text(), { timeout: 40_000 }).toContain('ready: locked');
  await open(page, guide);
  await seeInTime(page, page.getByRole('heading', { name: 'What it costs' }));
});
