// A re-encryption job under an administrator's hands: it is paused in the middle, stays so, goes on when it is resumed, and
// leaves a report and a line in the list of past changes. It fails, is turned round, and sets aside what does not open.
import AxeBuilder from '@axe-core/playwright';
import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test } from '../harness/proxied';
import { aria, progress } from '../harness/aria';
import { administrator } from '../harness/deployment';
import { bytes, createNote, createWorkspace, uploadFile } from '../harness/content';
import type { KmsProxy } from '../harness/kms-proxy';
import type { LocalKms } from '../harness/local-kms';
import { run } from '../harness/process';
import { badge, interactive, jobCompletes, open, openDataEncryption, pageHeading, pressActivate, pressDelete, signIn } from '../harness/steps';

const SLOW = 2_000;
/** Their data keys go to KMS sixteen at a time. */
const WORKSPACES = 40;

async function axe(page: Page, name: string): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const short = found.violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html.slice(0, 200)) }));
  expect.soft(short, name).toEqual([]);
}

async function isNarrow(page: Page, name: string): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(320);
  if (before) await page.setViewportSize(before);
}

/** What is read of the job's card. */
function job(page: Page) {
  return aria(page, page.locator('[data-part="job"]'), progress);
}

async function look(page: Page, name: string): Promise<void> {
  await job(page)(name);
  await axe(page, name);
  await isNarrow(page, name);
}

/** Activates a key, which takes its time: there are many data keys, and KMS is slow until `aws.delay` is zero again. */
async function activateSlowly(page: Page, kms: LocalKms, aws: KmsProxy): Promise<string> {
  const arn = await kms.createKey();
  await signIn(page);
  for (let number = 0; number < WORKSPACES; number += 1) await createWorkspace(page.request, `Workspace ${number}`);
  await openDataEncryption(page);
  aws.delay = SLOW;
  await pressActivate(page, arn);
  return arn;
}

test('an administrator pauses a running job and resumes it', async ({ page, otherBrowser, deployment, kms, aws }) => {
  test.setTimeout(240_000);
  const arn = await kms.createKey();
  const member = await otherBrowser.newPage();
  await signIn(member, await deployment.member());
  await signIn(page);
  for (let number = 0; number < WORKSPACES; number += 1) {
    const workspace = await createWorkspace(page.request, `Workspace ${number}`);
    if (number < 5) {
      await createNote(page.request, workspace, `note ${number}`);
      await uploadFile(page.request, workspace, `file ${number}`, bytes(200_000, `file ${number}`));
    }
  }
  await openDataEncryption(page);
  aws.delay = SLOW;
  await pressActivate(page, arn);
  await expect(pageHeading(page, 'Your key took control')).toBeVisible({ timeout: 60_000 });
  await expect(badge(page, 'Running')).toBeVisible();
  await job(page)('job-running');
  await interactive(page);
  await page.getByRole('button', { name: 'Pause' }).focus();
  await page.keyboard.press('Enter');
  await expect(badge(page, 'Paused')).toBeVisible();
  await expect(page.getByText(`Paused by ${administrator.name}`)).toBeVisible();
  // The button that took the place of what was pressed has the focus.
  await expect(page.getByRole('button', { name: 'Resume' })).toBeFocused();
  await look(page, 'job-paused');
  await page.emulateMedia({ colorScheme: 'dark' });
  await axe(page, 'paused, dark');
  await page.emulateMedia({ colorScheme: 'light' });

  // It stays so, for everybody.
  await page.reload();
  await expect(badge(page, 'Paused')).toBeVisible();
  await openDataEncryption(member);
  await expect(badge(member, 'Paused')).toBeVisible();
  await expect(member.getByRole('button', { name: 'Resume' })).toHaveCount(0);

  aws.delay = 0;
  await open(page, '/settings/data-encryption');
  await page.getByRole('button', { name: 'Resume' }).click();
  await jobCompletes(page);
  await expect(badge(member, 'Complete')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('button', { name: /^(Pause|Resume|Try again)$/ })).toHaveCount(0);
  const amounts = page.getByRole('group', { name: 'Re-encrypted of each kind of data' });
  await expect(amounts.getByRole('row', { name: /^File content 5 of 5 0 0 1 MB$/ })).toBeVisible();
});

test('a complete job has a report, and the one before is in the list', async ({ page, kms }) => {
  test.slow();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Reported');
  await createNote(page.request, workspace, 'a note');
  await openDataEncryption(page);
  await expect(pageHeading(page, 'Past changes of key')).toHaveCount(0);
  await pressActivate(page, arn);
  await expect(badge(page, 'Your key is in control')).toBeVisible();
  await jobCompletes(page);
  await expect(pageHeading(page, 'Past changes of key')).toHaveCount(0);
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download report', exact: true }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/\.json$/);
  expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toBeTruthy();

  await pressDelete(page, arn);
  await expect(badge(page, 'Provider key')).toBeVisible();
  await jobCompletes(page);
  await expect(pageHeading(page, 'Past changes of key')).toBeVisible();
  const line = page.getByRole('listitem').filter({ has: pageHeading(page, 'Your key was activated') });
  await expect(line.getByText('Completed', { exact: true })).toBeVisible();
  await expect(line.getByText(`by ${administrator.name}`)).toBeVisible();
  await expect(line.getByRole('link', { name: /^Download report of / })).toBeVisible();
  await axe(page, 'with a past job');
  await isNarrow(page, 'with a past job');
});

test('a change of key that AWS refuses half-way has failed, and nothing has changed', async ({ page, kms, aws }) => {
  test.slow();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Refused');
  // The test of the key, which asks for another scope, still passes.
  aws.answers.set('Encrypt', { code: 'AccessDeniedException', key: arn, scope: workspace });
  await openDataEncryption(page);
  // The page loads itself anew after the press, even if it shows by then how the job has ended.
  const loaded = page.waitForEvent('load');
  await pressActivate(page, arn);
  await loaded;
  await expect(badge(page, 'Failed')).toBeVisible({ timeout: 60_000 });
  await expect(badge(page, 'Provider key')).toBeVisible();
  await look(page, 'job-failed');
});

test('Delete Key in the middle turns the change round, and there is one job', async ({ page, kms, aws }) => {
  test.setTimeout(180_000);
  const arn = await activateSlowly(page, kms, aws);
  await expect(pageHeading(page, 'Your key took control')).toBeVisible({ timeout: 60_000 });
  await pressDelete(page, arn);
  await expect(badge(page, 'Provider key')).toBeVisible({ timeout: 60_000 });
  await expect(badge(page, 'Running')).toBeVisible();
  await look(page, 'job-turned-round');
  aws.delay = 0;
  await jobCompletes(page);
  await expect(pageHeading(page, 'All data is back under the provider key')).toBeVisible();
});

/** Turns the last bit of a stored note; once more, and it is as it was. */
const turnABit = `
import sqlite3
database = sqlite3.connect('keystead.db', timeout=10)
id, sealed = database.execute('SELECT id, text_sealed FROM notes ORDER BY id LIMIT 1').fetchone()
database.execute('UPDATE notes SET text_sealed = ? WHERE id = ?', (sealed[:-1] + bytes([sealed[-1] ^ 1]), id))
database.commit()
`;

test('what does not open is set aside with its reason, and is tried again after it was repaired', async ({ page, deployment, kms }) => {
  test.slow();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Damaged');
  await createNote(page.request, workspace, 'a note');
  await createNote(page.request, workspace, 'another');
  await run('python3', ['-c', turnABit], process.env, deployment.folder);
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await expect(page.getByText('1 item set aside')).toBeVisible({ timeout: 60_000 });
  await look(page, 'job-set-aside');
  await run('python3', ['-c', turnABit], process.env, deployment.folder);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('Nothing is left under the old data keys.')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText('1 item set aside')).toHaveCount(0);
});

test('what somebody else was faster with is told, and the card shows how it is', async ({ page, kms, aws, console }) => {
  test.setTimeout(180_000);
  console.allowStatus(422);
  await activateSlowly(page, kms, aws);
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await interactive(page);
  // The page does not hear of it before the button is pressed.
  await page.route('**/settings/data-encryption', (route) => route.abort());
  console.allowLostConnection();
  await page.request.post('/api/pause_job', { form: {}, headers: { Accept: 'application/json' } });
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'There is no change of key that could be paused now.' })).toBeVisible();
  await page.unroute('**/settings/data-encryption');
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible({ timeout: 30_000 });
  aws.delay = 0;
  await page.getByRole('button', { name: 'Resume' }).click();
  await jobCompletes(page);
});
