// The second factor: setting it up, signing in with a code and with a recovery code, and switching it off.
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import { expect, test } from '../harness/test';
import { code, look } from '../harness/people';
import { fillSignIn, leavesForSignIn, open, pageHeading, signIn, signOut } from '../harness/steps';

test('set up, signed in with it, recovered, and switched off', async ({ page, otherBrowser, deployment, console }) => {
  test.setTimeout(240_000);
  console.allowStatus(401);
  const member = await deployment.member();
  await signIn(page, member);
  await open(page, '/account');
  await page.getByRole('button', { name: 'Set up second factor' }).click();
  await expect(pageHeading(page, 'Set up second factor')).toBeVisible();
  await expect(page.getByRole('img', { name: 'Picture for the authenticator app' })).toBeVisible();
  await look(page, AxeBuilder, 'set-up');
  const secret = (await page.getByLabel('Key', { exact: true }).innerText()).replace(/\s/g, '');
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await page.getByRole('button', { name: 'Switch on' }).click();
  await expect(page.getByText('The code is wrong')).toBeVisible();
  await page.getByLabel('Code', { exact: true }).fill(code(secret));
  await page.getByRole('button', { name: 'Switch on' }).click();
  const shown = page.locator('.recovery-codes li');
  await expect(shown).toHaveCount(10);
  const codes = await shown.allInnerTexts();
  await look(page, AxeBuilder, 'recovery codes');
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  const file = await (await downloading).path();
  expect(await readFile(file, 'utf8')).toContain(codes.join('\n'));
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await expect(page.locator('.recovery-codes')).toHaveCount(0);

  const other = await otherBrowser.newPage();
  await open(other, '/sign-in?next=/settings');
  await fillSignIn(other, member.email, member.password);
  await expect(pageHeading(other, 'Enter your code')).toBeVisible();
  await look(other, AxeBuilder, 'code');
  await other.getByLabel('Code', { exact: true }).fill('000000');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByText('The code is wrong')).toBeVisible();
  // The one after next is too early, the next one is not: clocks differ.
  await other.getByLabel('Code', { exact: true }).fill(code(secret, 1));
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(pageHeading(other, 'Organization Settings')).toBeVisible();

  await signOut(other);
  await fillSignIn(other, member.email, member.password);
  await other.getByLabel('Code', { exact: true }).fill(codes[0]!);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(pageHeading(other, 'Workspaces')).toBeVisible();
  await open(other, '/account');
  await expect(other.getByText('9 recovery codes are left')).toBeVisible();
  await look(other, AxeBuilder, 'account with a second factor');

  await open(other, '/account');
  await other.getByRole('button', { name: 'Switch off' }).first().click();
  await other.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
  await expect(other.getByText('The second factor is off')).toBeVisible();
  await leavesForSignIn(page);
  await signIn(page, member);
});

test('an administrator resets the second factor of somebody', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(401);
  const member = await deployment.member();
  const theirs = await otherBrowser.newPage();
  await signIn(theirs, member);
  await open(theirs, '/account');
  await theirs.getByRole('button', { name: 'Set up second factor' }).click();
  const secret = (await theirs.getByLabel('Key', { exact: true }).innerText()).replace(/\s/g, '');
  await theirs.getByLabel('Code', { exact: true }).fill(code(secret));
  await theirs.getByRole('button', { name: 'Switch on' }).click();
  await expect(theirs.locator('.recovery-codes')).toBeVisible();
  await signIn(page);
  await open(page, '/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: member.email });
  await expect(row.getByText('Second factor', { exact: true })).toBeVisible();
  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Reset second factor of ${member.name}` }).click();
  await expect(row.getByText('Second factor', { exact: true })).toHaveCount(0);
  await leavesForSignIn(theirs);
  await signIn(theirs, member);
});
