// Members: inviting by a link, joining, changing and removing; and what a second browser sees of it.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { invite, join, look } from '../harness/people';
import { leavesForSignIn, open, pageHeading, signIn } from '../harness/steps';

const guest = { email: 'guest@example.com', name: 'Guest', password: 'four words for a guest' };

test('an invitation is a link that works once', async ({ page, otherBrowser, console }) => {
  console.allowStatus(404);
  await signIn(page);
  const link = await invite(page, guest.email, 'Member');
  const visitor = await otherBrowser.newPage();
  await join(visitor, link, guest);
  await expect(visitor.getByText('Your account is ready')).toBeVisible();
  await signIn(visitor, guest);
  await open(page, '/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: guest.email });
  await expect(row).toContainText('Guest');
  await expect(row).not.toContainText('Invited');
  const third = await otherBrowser.newPage();
  await third.goto(link);
  await expect(third.getByText('This invitation does not work')).toBeVisible();
});

test('a bad password is told, and the name stays', async ({ page, otherBrowser }) => {
  await signIn(page);
  const link = await invite(page, guest.email, 'Member');
  const visitor = await otherBrowser.newPage();
  await join(visitor, link, { ...guest, password: 'passwordpassword' });
  await expect(visitor.getByText('This password would be guessed soon')).toBeVisible();
  await expect(visitor.getByLabel('Your name')).toHaveValue(guest.name);
  await expect(visitor.getByLabel('Password')).toHaveValue('');
});

test('withdrawing, roles, disabling and removing', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(401, 403);
  const member = await deployment.member();
  await signIn(page);
  await invite(page, guest.email, 'Member');
  await page.getByRole('button', { name: `Withdraw the invitation of ${guest.email}` }).click();
  await expect(page.getByRole('listitem').filter({ hasText: guest.email })).toHaveCount(0);

  const theirs = await otherBrowser.newPage();
  await signIn(theirs, member);
  const row = page.getByRole('listitem').filter({ hasText: member.email });
  await row.getByText('Change', { exact: true }).click();
  await row.getByLabel('Role', { exact: true }).selectOption('Administrator');
  await row.getByRole('button', { name: `Save role of ${member.name}` }).click();
  await expect(row.getByText('Administrator', { exact: true }).first()).toBeVisible();
  await open(theirs, '/settings/members');
  await expect(theirs.getByText('Invite somebody')).toBeVisible();

  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Disable ${member.name}` }).click();
  await expect(row.getByText('Disabled', { exact: true })).toBeVisible();
  await leavesForSignIn(theirs);
  await theirs.getByLabel('Email').fill(member.email);
  await theirs.getByLabel('Password').fill(member.password);
  await theirs.getByRole('button', { name: 'Sign in' }).click();
  await expect(theirs.getByText('Your account is disabled')).toBeVisible();

  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Remove ${member.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByRole('listitem').filter({ hasText: member.email })).toHaveCount(0);
});

test('the last administrator stays', async ({ page }) => {
  await signIn(page);
  await open(page, '/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: administrator.email });
  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Disable ${administrator.name}` }).click();
  await expect(page.getByText('This is the last administrator')).toBeVisible();
  await expect(pageHeading(page, 'Members')).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing, and nothing is too wide, ${colorScheme}`, async ({ page, otherBrowser, deployment, console }) => {
    console.allowStatus(404);
    await deployment.member();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn(page);
    const link = await invite(page, guest.email, 'Administrator');
    await look(page, AxeBuilder, 'a fresh link');
    await open(page, '/settings/members');
    await page.getByText('Change', { exact: true }).first().click();
    await look(page, AxeBuilder, 'members');
    const visitor = await otherBrowser.newPage();
    await visitor.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await visitor.setViewportSize({ width: 320, height: 640 });
    await visitor.goto(link);
    await look(visitor, AxeBuilder, 'an invitation');
    await visitor.goto('/invitations/nothing');
    await look(visitor, AxeBuilder, 'no invitation');
  });
}
