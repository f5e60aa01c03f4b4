// One's own account: the password and the sessions. A second browser shows that sessions end where they should.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../harness/test';
import { look } from '../harness/people';
import { leavesForSignIn, open, pageHeading, signIn } from '../harness/steps';

const fresh = 'another four words here';

test('another password ends all other sessions', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(401);
  const member = await deployment.member();
  const elsewhere = await otherBrowser.newPage();
  await signIn(page, member);
  await signIn(elsewhere, member);
  await page.getByRole('link', { name: member.name }).click();
  await expect(pageHeading(page, 'Your account')).toBeVisible();
  await page.getByLabel('Current password').fill('not the password');
  await page.getByLabel('New password').fill(fresh);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('This is not your current password')).toBeVisible();
  await page.getByLabel('Current password').fill(member.password);
  await page.getByLabel('New password').fill(fresh);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed')).toBeVisible();
  await open(page, '/workspaces');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await leavesForSignIn(elsewhere);
  await signIn(elsewhere, { ...member, password: fresh });
});

test('a session is ended from another', async ({ page, otherBrowser, console }) => {
  console.allowStatus(401);
  const elsewhere = await otherBrowser.newPage();
  await signIn(page);
  await signIn(elsewhere);
  await open(page, '/account');
  const sessions = page.getByRole('list', { name: 'Where you are signed in' }).getByRole('listitem');
  await expect(sessions).toHaveCount(2);
  await expect(sessions.filter({ hasText: 'This session' })).toContainText('Chrome on ');
  await sessions.getByRole('button', { name: /^End the session/ }).click();
  await expect(sessions).toHaveCount(1);
  await leavesForSignIn(elsewhere);
  await signIn(elsewhere);
  await open(page, '/account');
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expect(sessions).toHaveCount(1);
  await leavesForSignIn(elsewhere);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing, and nothing is too wide, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn(page);
    await open(page, '/account');
    await look(page, AxeBuilder, 'account');
    await open(page, '/account/confirm?then=/account');
    await look(page, AxeBuilder, 'confirm');
  });
}
