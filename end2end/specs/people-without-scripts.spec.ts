// With scripts switched off: inviting and joining, a second factor, and proof before something grave.
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { ageProof, code, invite, join } from '../harness/people';
import { badge, fillSignIn, open, openDataEncryption, pageHeading, pressActivate, seeInTime, signIn, signOut } from '../harness/steps';

test('inviting, joining and changing a role', async ({ page, otherBrowser }) => {
  const guest = { email: 'guest@example.com', name: 'Guest', password: 'four words for a guest' };
  await signIn(page);
  const link = await invite(page, guest.email, 'Member');
  const visitor = await otherBrowser.newPage();
  await join(visitor, link, guest);
  await signIn(visitor, guest);
  await open(page, '/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: guest.email });
  await row.getByText('Change', { exact: true }).click();
  await row.getByLabel('Role', { exact: true }).selectOption('Administrator');
  await row.getByRole('button', { name: 'Save role of Guest' }).click();
  await open(visitor, '/settings/members');
  await expect(visitor.getByText('Invite somebody')).toBeVisible();
});

test('a second factor', async ({ page }) => {
  await signIn(page);
  await open(page, '/account');
  await page.getByRole('button', { name: 'Set up second factor' }).click();
  const secret = (await page.getByLabel('Key', { exact: true }).innerText()).replace(/\s/g, '');
  await page.getByLabel('Code', { exact: true }).fill(code(secret));
  await page.getByRole('button', { name: 'Switch on' }).click();
  await expect(page.locator('.recovery-codes li')).toHaveCount(10);
  await signOut(page);
  await fillSignIn(page, administrator.email, administrator.password);
  await page.getByLabel('Code', { exact: true }).fill(code(secret, 1));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
});

test('proof is asked for on a page, and what was typed is there again', async ({ page, deployment, kms }) => {
  const arn = await kms.createKey();
  await signIn(page);
  ageProof(deployment);
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await expect(pageHeading(page, 'Confirm that it is you')).toBeVisible();
  await page.locator('#confirm-secret').fill('not the password');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByText('This is not right')).toBeVisible();
  await page.locator('#confirm-secret').fill(administrator.password);
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
  await page.getByRole('button', { name: 'Activate Key' }).click();
  await seeInTime(page, badge(page, 'Your key is in control'));
});
