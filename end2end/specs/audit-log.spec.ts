// The audit log: what administrators see, find and take with them; and that nobody else reads it.
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test } from '../harness/test';
import { createWorkspace } from '../harness/content';
import { administrator } from '../harness/deployment';
import { fillSignIn, hasScripts, interactive, open, pageHeading, signIn } from '../harness/steps';

const log = '/settings/audit-log';

async function openLog(page: Page, query = ''): Promise<void> {
  await open(page, log + query);
  await expect(pageHeading(page, 'Audit Log')).toBeVisible();
}

const entries = (page: Page) => page.getByRole('list', { name: 'Entries, newest first' }).getByRole('listitem');

test('an administrator finds who did what, newest first, with all that is known behind it', async ({ page }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Harbour survey');
  await open(page, '/settings');
  await page.getByRole('navigation', { name: 'Organization Settings' }).getByRole('link', { name: 'Audit Log' }).click();
  await expect(pageHeading(page, 'Audit Log')).toBeVisible();
  await interactive(page);
  const newest = entries(page).first();
  await expect(newest.getByRole('heading', { name: 'Workspace created' })).toBeVisible();
  await expect(newest).toContainText('Administrator from 127.0.0.1');
  await expect(newest.getByText(workspace)).toBeHidden();
  await newest.getByText('Details').click();
  await expect(newest.getByText(workspace)).toBeVisible();
  await expect(newest.getByText(administrator.email)).toBeVisible();
  await expect(entries(page).nth(1).getByRole('heading', { name: 'Signed in' })).toBeVisible();
  await expect(page.getByRole('main')).not.toContainText('Harbour');
});

test('the filter stands in the address and finds what it says', async ({ page, console }) => {
  console.allowStatus(401);
  await open(page, '/sign-in');
  await fillSignIn(page, administrator.email, 'not the password');
  await expect(page.getByRole('alert').first()).toBeVisible();
  await signIn(page);
  await openLog(page);
  await page.getByLabel('Action').selectOption({ label: 'Sign-in failed' });
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/[?&]action=sign_in_failed/);
  await interactive(page);
  await expect(entries(page)).toHaveCount(1);
  await expect(entries(page)).toContainText('Somebody not signed in from 127.0.0.1');
  await expect(page.getByLabel('Action')).toHaveValue('sign_in_failed');
  await page.getByLabel('Action').selectOption({ label: 'Any action' });
  await page.getByLabel('Who').fill(administrator.email);
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page).toHaveURL(/actor=ada/);
  await interactive(page);
  await expect(entries(page)).toHaveCount(1);
  await expect(entries(page).getByRole('heading', { name: 'Signed in' })).toBeVisible();
  await openLog(page, '?to=2020-01-01');
  await expect(page.getByRole('heading', { name: 'No entry fits' })).toBeVisible();
  await page.getByRole('link', { name: 'Show everything' }).click();
  await interactive(page);
  await expect(entries(page).first()).toBeVisible();
  await openLog(page, '?from=yesterday');
  await expect(page.getByText('This is no time, so it was left out.')).toBeVisible();
});

test('older and newer pages hold every entry once', async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page);
  for (let n = 0; n < 55; n += 1) await createWorkspace(page.request, `Workspace ${n}`);
  await openLog(page);
  await expect(entries(page)).toHaveCount(50);
  const ids = () => entries(page).evaluateAll((items) => items.map((item) => item.id));
  const first = await ids();
  await page.getByRole('link', { name: 'Older' }).click();
  await expect(page).toHaveURL(/older=/);
  await interactive(page);
  const second = await ids();
  expect(second.length).toBeGreaterThan(5);
  expect(first.filter((id) => second.includes(id))).toEqual([]);
  await page.getByRole('link', { name: 'Newer', exact: true }).click();
  await expect(page).toHaveURL(/newer=/);
  await interactive(page);
  expect(await ids()).toEqual(first);
});

test('the log is taken along as CSV and as JSON Lines, and that is noted', async ({ page }) => {
  await signIn(page);
  for (const [label, name] of [
    ['Export CSV', 'keystead-audit-log.csv'],
    ['Export JSON Lines', 'keystead-audit-log.jsonl'],
  ] as const) {
    await openLog(page);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: label }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe(name);
    const text = await readFile(await download.path(), 'utf8');
    expect(text).toContain('audit_exported');
    expect(text).toContain(administrator.email);
    if (name.endsWith('jsonl')) for (const line of text.trim().split('\n')) JSON.parse(line);
    else expect(text.startsWith('sequence,time,action,outcome,')).toBe(true);
  }
  await openLog(page);
  await expect(entries(page).first().getByRole('heading', { name: 'Audit log exported' })).toBeVisible();
});

test('a member is told who reads it, and gets nothing', async ({ page, deployment, console }) => {
  console.allowStatus(403);
  const member = await deployment.member();
  await signIn(page, member);
  await openLog(page);
  await expect(page.getByRole('heading', { name: 'Only administrators read the audit log' })).toBeVisible();
  await expect(page.getByRole('main')).not.toContainText(administrator.email);
  expect((await page.request.post('/api/audit_log')).status()).toBe(403);
  expect((await page.request.post(`${log}/export?format=csv`)).status()).toBe(403);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing, ${colorScheme}, and nothing scrolls sideways at 320 px`, async ({ page }) => {
    test.skip(!hasScripts(), 'axe needs scripts');
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signIn(page);
    await openLog(page);
    await entries(page).first().getByText('Details').click();
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 800 });
      const found = await new AxeBuilder({ page }).analyze();
      const short = found.violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html.slice(0, 200)) }));
      expect.soft(short, `${width} px`).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    await openLog(page, '?to=2020-01-01&from=nonsense');
    const empty = await new AxeBuilder({ page }).analyze();
    expect.soft(empty.violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html.slice(0, 200)) }))).toEqual([]);
  });
}
