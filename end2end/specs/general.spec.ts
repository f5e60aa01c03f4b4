// General settings: the organization's name, and the servers, which the page keeps current while somebody types.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../harness/test';
import { look } from '../harness/people';
import { fillSignIn, open, pageHeading, signIn, signOut } from '../harness/steps';

/** In both faces, and where there is little room: axe finds nothing, and nothing is too wide. A picture of each is kept. */
async function lookEverywhere(page: Page, name: string): Promise<void> {
  for (const [face, width] of [['light', 1280], ['dark', 1280], ['light', 320]] as const) {
    await page.emulateMedia({ colorScheme: face, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    await look(page, AxeBuilder, `${name}, ${face}, ${width}`);
    await page.screenshot({ path: test.info().outputPath(`${name}-${face}-${width}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

test('an administrator gives the organization another name', async ({ page, deployment }) => {
  const member = await deployment.member();
  await signIn(page);
  await open(page, '/settings');
  await expect(pageHeading(page, 'General')).toBeVisible();
  const name = page.getByLabel('Name', { exact: true });
  await expect(name).toHaveValue('Example Organization');
  await name.fill('   ');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Enter a name of 1 to 120 characters.')).toBeVisible();
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await lookEverywhere(page, 'name-refused');
  await name.fill('Harbour Office');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The new name is saved.')).toBeVisible();
  await expect(page.getByRole('link', { name: /Harbour Office/ })).toBeVisible();

  await signOut(page);
  await expect(page.getByText('Harbour Office')).toBeVisible();
  await fillSignIn(page, member.email, member.password);
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await open(page, '/settings');
  await expect(page.getByText('Only administrators can change the name.')).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveCount(0);
  await expect(page.getByText('1 server, with the key.')).toBeVisible();
  await expect(page.getByRole('list', { name: 'List of servers' })).toHaveCount(0);
  await lookEverywhere(page, 'as-member');
});

test('servers come and fall silent while the page is open', async ({ page, deployment }) => {
  test.slow();
  await signIn(page);
  await open(page, '/settings');
  const servers = page.getByRole('list', { name: 'List of servers' }).getByRole('listitem');
  await expect(servers).toHaveCount(1);
  await expect(servers.first()).toContainText('(shows this page)');
  await expect(servers.first()).toContainText('With the key');
  await lookEverywhere(page, 'one-server');

  await page.getByLabel('Name', { exact: true }).fill('Not sent yet');
  const other = await deployment.another();
  await expect(servers).toHaveCount(2, { timeout: 30_000 });
  await expect(page.getByText('2 servers, both with the key.')).toBeVisible({ timeout: 30_000 });
  await lookEverywhere(page, 'two-servers');

  await other.end('SIGKILL');
  const silent = servers.filter({ hasText: 'Silent' });
  await expect(silent).toHaveCount(1, { timeout: 60_000 });
  await expect(silent).toContainText('It has stopped, or cannot reach the database.');
  await expect(page.getByText('1 server, with the key.')).toBeVisible();
  await lookEverywhere(page, 'one-silent');
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Not sent yet');
});
