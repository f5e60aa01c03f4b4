// Single sign-on against a real identity provider: who comes in, as whom, with which role; and what goes wrong.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { administrator } from '../harness/deployment';
import { label, sayWho, signInAs, test } from '../harness/oidc';
import { ageProof, look } from '../harness/people';
import { badge, fillSignIn, forgetSession, leave, leavesForSignIn, open, openDataEncryption, pageHeading, pressActivate, seeInTime, signIn, signOut } from '../harness/steps';
import { expect } from '../harness/test';

const grace = { email: 'grace@example.com', email_verified: true, name: 'Grace Hopper' };
const admins = { roles: ['keystead-admins'] };

/** The addresses by which the browser came back from the provider. */
function ways(page: Page): string[] {
  const seen: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/sign-in/callback') seen.push(request.url());
  });
  return seen;
}

test('a first sign-in makes a member, and it leads where one wanted to go', async ({ page, otherBrowser, oidc }) => {
  oidc.people['grace'] = grace;
  await open(page, '/settings');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await look(page, AxeBuilder, 'sign-in with single sign-on');
  await page.getByRole('link', { name: label }).click();
  await sayWho(page, 'grace');
  await expect(pageHeading(page, 'Organization Settings')).toBeVisible();
  await open(page, '/account');
  await expect(page.getByText(grace.name).first()).toBeVisible();
  await expect(page.getByText('Connected since')).toBeVisible();
  await expect(page.getByLabel('Current password')).toHaveCount(0);
  await look(page, AxeBuilder, 'account without a password');
  const admin = await otherBrowser.newPage();
  await signIn(admin);
  await open(admin, '/settings/members');
  await expect(admin.getByRole('listitem').filter({ hasText: grace.email })).toContainText('Member');
  await open(admin, '/settings/audit-log');
  await expect(admin.getByText('User added by single sign-on').locator('visible=true').first()).toBeVisible();
});

test('the role follows the claim, from one sign-in to the next', async ({ page, oidc }) => {
  oidc.people['grace'] = { ...grace, ...admins };
  await signInAs(page, 'grace');
  await open(page, '/settings/members');
  await expect(page.getByText('Invite somebody')).toBeVisible();
  oidc.people['grace'] = grace;
  await signOut(page);
  // The provider still knows who it is, and does not ask.
  await page.getByRole('link', { name: label }).click();
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await open(page, '/settings/members');
  await expect(page.getByText('Invite somebody')).toHaveCount(0);
});

test('a way that was gone, or is another one, leads nowhere', async ({ page, otherBrowser, oidc }) => {
  oidc.people['grace'] = grace;
  const seen = ways(page);
  await signInAs(page, 'grace');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  const expired = (there: Page) => expect(there.getByRole('alert').filter({ hasText: 'Start again' })).toBeVisible();
  const other = await otherBrowser.newPage();
  await other.goto(seen[0]!);
  await expired(other);
  await leave(page);
  await page.context().clearCookies({ name: 'keystead' });
  await page.goto(seen[0]!);
  await expired(page);
  await page.goto(seen[0]!.replace(/state=[^&]*/, `state=${'x'.repeat(43)}`));
  await expired(page);
  await look(page, AxeBuilder, 'sign-in, expired');
  await open(page, '/workspaces');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('whoever turns back at the provider is told so', async ({ page, oidc }) => {
  oidc.people['grace'] = grace;
  await open(page, '/sign-in');
  await page.getByRole('link', { name: label }).click();
  await page.getByRole('link', { name: /cancel|abort/i }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'did not let you in' })).toBeVisible();
});

test('while the provider is down, a password is enough; and it may sign with a new key', async ({ page, oidc }) => {
  oidc.people['grace'] = grace;
  await oidc.stop();
  await open(page, '/sign-in?next=/settings');
  await page.getByRole('link', { name: label }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'Single sign-on does not answer now' })).toBeVisible();
  await fillSignIn(page, administrator.email, administrator.password);
  await expect(pageHeading(page, 'Organization Settings')).toBeVisible();
  await signOut(page);
  await oidc.startAgain();
  await expect(async () => {
    await open(page, '/sign-in');
    await page.getByRole('link', { name: label }).click();
    await expect(page.locator('input[name="login"]')).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await sayWho(page, 'grace');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  oidc.rotateKey();
  await forgetSession(page);
  await signInAs(page, 'grace');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
});

test('who is disabled stays out', async ({ page, console, otherBrowser, oidc }) => {
  console.allowStatus(401);
  oidc.people['grace'] = grace;
  await signInAs(page, 'grace');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  const admin = await otherBrowser.newPage();
  await signIn(admin);
  await open(admin, '/settings/members');
  const row = admin.getByRole('listitem').filter({ hasText: grace.email });
  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Disable ${grace.name}` }).click();
  await expect(row.getByText('Disabled')).toBeVisible();
  await leavesForSignIn(page);
  await page.getByRole('link', { name: label }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'Your account is disabled' })).toBeVisible();
});

test('an account is not taken over by its address; its owner connects it', async ({ page, otherBrowser, oidc }) => {
  oidc.people['ada'] = { email: administrator.email, email_verified: true, name: 'Ada', ...admins };
  await signInAs(page, 'ada');
  await expect(page.getByRole('alert').filter({ hasText: 'There is an account with your email address' })).toBeVisible();
  await look(page, AxeBuilder, 'sign-in, account exists');
  await fillSignIn(page, administrator.email, administrator.password);
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await open(page, '/account');
  await page.getByRole('button', { name: 'Connect single sign-on' }).click();
  // It knows who it is, and asks all the same.
  await sayWho(page, 'ada');
  await expect(page.getByText('Single sign-on is connected.')).toBeVisible();
  await look(page, AxeBuilder, 'account, connected');
  const other = await otherBrowser.newPage();
  await signInAs(other, 'ada');
  await expect(pageHeading(other, 'Workspaces')).toBeVisible();
  await open(other, '/account');
  await expect(other.getByText(administrator.email).first()).toBeVisible();
});

test('proof is given in another tab, and what was typed goes on', async ({ page, context, deployment, kms, oidc }) => {
  oidc.people['grace'] = { ...grace, ...admins };
  const arn = await kms.createKey();
  await signInAs(page, 'grace');
  ageProof(deployment);
  await openDataEncryption(page);
  await pressActivate(page, arn);
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel(/^Password/)).toHaveCount(0);
  await look(page, AxeBuilder, 'proof by single sign-on');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(dialog.getByText('There is no proof yet')).toBeVisible();
  const opened = context.waitForEvent('page');
  await dialog.getByRole('button', { name: `Confirm with ${label}` }).click();
  const tab = await opened;
  await sayWho(tab, 'grace');
  await expect(pageHeading(tab, 'Confirmed')).toBeVisible();
  await look(tab, AxeBuilder, 'confirmed');
  await tab.close();
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await seeInTime(page, badge(page, 'Your key is in control'));
  await expect(dialog).toBeHidden();
});
