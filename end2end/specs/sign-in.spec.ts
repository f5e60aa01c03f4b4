// Signing in and out: who may, what is said to those who may not, and where one lands.
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { fillSignIn, forgetSession, leavesForSignIn, open, pageHeading, signIn, signOut } from '../harness/steps';

test('a wrong password and an unknown person look the same', async ({ page, console }) => {
  console.allowStatus(401);
  const seen: string[] = [];
  for (const [email, password] of [
    [administrator.email, 'not the password'],
    ['nobody@example.com', 'not the password'],
  ] as const) {
    await open(page, '/sign-in');
    await fillSignIn(page, email, password);
    const message = page.getByRole('alert').filter({ hasText: 'Email and password' });
    await expect(message).toBeVisible();
    seen.push(await message.innerText());
    await expect(page).toHaveURL(/\/sign-in/);
  }
  expect(seen[0]).toBe(seen[1]);
});

test('nobody sees a page without signing in, and lands where they wanted to go', async ({ page }) => {
  for (const path of ['/workspaces', '/settings', '/settings/members', '/settings/data-encryption']) {
    await open(page, path);
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await expect(page).toHaveURL(/\/sign-in(\?next=|$)/);
  }
  await fillSignIn(page, administrator.email, administrator.password);
  await expect(page).toHaveURL(/\/settings\/data-encryption$/);
  await expect(pageHeading(page, 'Data Encryption')).toBeVisible();
});

test('the way back never leads to another site', async ({ page, deployment }) => {
  for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example', '/%5Cevil.example', 'javascript:alert(1)', '/\t/evil.example']) {
    await test.step(next, async () => {
      await forgetSession(page);
      await open(page, `/sign-in?next=${encodeURIComponent(next)}`);
      await fillSignIn(page, administrator.email, administrator.password);
      await expect(pageHeading(page, 'Workspaces')).toBeVisible();
      expect(page.url().startsWith(`${deployment.url}/workspaces`), page.url()).toBe(true);
    });
  }
});

test('signing out ends the session, also for a copied cookie', async ({ page, otherBrowser, console }) => {
  console.allowStatus(401);
  await signIn(page);
  await otherBrowser.addCookies(await page.context().cookies());
  const copy = await otherBrowser.newPage();
  await open(copy, '/workspaces');
  await expect(pageHeading(copy, 'Workspaces')).toBeVisible();
  await signOut(page);
  await leavesForSignIn(copy);
});

test('the session id is new after signing in, and no script can read it', async ({ page }) => {
  await open(page, '/sign-in');
  const before = new Set((await page.context().cookies()).map((cookie) => cookie.value));
  await fillSignIn(page, administrator.email, administrator.password);
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  const cookies = await page.context().cookies();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) {
    expect(before.has(cookie.value), 'renewed').toBe(false);
    expect(cookie.httpOnly).toBe(true);
    expect(['Lax', 'Strict']).toContain(cookie.sameSite);
  }
  expect(await page.evaluate(() => document.cookie)).toBe('');
});
