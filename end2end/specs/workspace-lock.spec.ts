// A single workspace whose scope the key policy denies is locked alone: it says so, hides by itself, and can be deleted.
import { expect, test } from '../harness/proxied';
import { bytes, createNote, createWorkspace, uploadFile } from '../harness/content';
import { denyScope } from '../harness/locks';
import { activate, badge, open, openDataEncryption, pageHeading, signIn } from '../harness/steps';
import type { Locator } from '@playwright/test';

const lockedAlone = 'Your organization has locked this workspace';

test('a workspace whose scope is denied is locked alone, and comes back by itself', async ({ page, kms, aws, console }) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  const denied = await createWorkspace(page.request, 'Denied', 'Its description is the organization’s.');
  await createNote(page.request, denied, 'The denied note.');
  const file = await uploadFile(page.request, denied, 'denied.bin', bytes(1_000, 'denied'));
  const other = await createWorkspace(page.request, 'Not denied');
  await createNote(page.request, other, 'The other note.');
  await activate(page, arn);
  await denyScope(page, kms, aws, arn, denied);

  await test.step('an open page of Data Encryption tells of it, and leaves what somebody reads there as it is', async () => {
    const summary = page.getByText('Times on each server');
    await summary.focus();
    await page.keyboard.press('Enter');
    const times = page.getByRole('listitem').getByRole('table');
    await expect(times).toBeVisible();
    expect((await page.request.post('/api/open_workspace', { form: { workspace: denied } })).ok()).toBe(true);
    await expect(page.getByRole('heading', { name: 'Locked alone' })).toBeVisible({ timeout: 30_000 });
    await expect(summary).toHaveCount(2);
    await expect(times).toBeVisible();
    await expect(summary.last()).toBeFocused();
  });

  await open(page, `/workspaces/${denied}`);
  await expect(page.getByText(lockedAlone)).toBeVisible({ timeout: 30_000 });
  await expect(pageHeading(page, 'Denied')).toBeVisible();
  await expect(page.getByRole('paragraph').filter({ hasText: 'Its description is the organization’s.' })).toBeVisible();
  await expect(page.getByText('The denied note.')).toHaveCount(0);
  await expect(page.getByText('denied.bin')).toHaveCount(0);
  await expect(page.getByText(`Scope in the key policy: ${denied}`)).toBeVisible();
  expect((await page.request.get(`/workspaces/${denied}/files/${file}`)).status()).toBe(423);
  expect((await page.request.post('/api/create_note', { form: { workspace: denied, text: 'x' } })).status()).toBe(423);

  await test.step('the rest works, and the name can be changed', async () => {
    await page.getByRole('button', { name: 'Rename' }).click();
    const dialog = page.getByRole('dialog', { name: 'Rename or describe' });
    await dialog.getByLabel('Name', { exact: true }).fill('Denied, renamed');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(pageHeading(page, 'Denied, renamed')).toBeVisible();
    await expect(page.getByText(lockedAlone)).toBeVisible();
    await open(page, '/workspaces');
    const row = (name: string): Locator => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
    await expect(row('Denied, renamed').getByText('Locked', { exact: true })).toBeVisible();
    await expect(row('Not denied').getByText('Locked', { exact: true })).toHaveCount(0);
    await row('Not denied').getByRole('link').click();
    await expect(page.getByText('The other note.')).toBeVisible();
  });

  await test.step('Data Encryption lists it with the way out, and the key stays in control', async () => {
    await openDataEncryption(page);
    await expect(badge(page, 'Your key is in control')).toBeVisible();
    const list = page.locator('section', { has: page.getByRole('heading', { name: 'Locked alone' }) });
    await expect(list).toContainText('allow the workspace');
    await expect(list).toContainText('AccessDeniedException');
    await list.getByRole('link', { name: denied }).click();
    await expect(page.getByText(lockedAlone)).toBeVisible();
  });

  aws.behave();
  await expect(page.getByText('The denied note.')).toBeVisible({ timeout: 60_000 });
  await openDataEncryption(page);
  await expect(page.getByRole('heading', { name: 'Locked alone' })).toHaveCount(0);
  const incident = page.getByRole('listitem').filter({ hasText: 'Only workspace' });
  await expect(incident.getByRole('link', { name: denied })).toBeVisible();
  await expect(incident.getByText('Restored', { exact: true }).first()).toBeVisible({ timeout: 30_000 });
});

test('a page that is open hides what is in the workspace when that is locked alone', async ({
  page,
  otherBrowser,
  deployment,
  kms,
  aws,
  console,
}) => {
  console.allowStatus(423, 503);
  console.allowLostConnection();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Open on a screen');
  await createNote(page.request, workspace, 'Nobody may see this any more.');
  await activate(page, arn);
  await open(page, `/workspaces/${workspace}`);
  const secret = page.getByText('Nobody may see this any more.');
  await expect(secret).toBeVisible();

  // The server has the data key for minutes; one that has just started asks AWS for it again.
  aws.deniedScopes.add(workspace);
  await deployment.kill();
  await deployment.startAgain();
  const other = await otherBrowser.newPage();
  await signIn(other);
  await open(other, `/workspaces/${workspace}`);
  await expect(other.getByText(lockedAlone)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText(lockedAlone)).toBeVisible({ timeout: 30_000 });
  await expect(secret).toHaveCount(0);
  await expect(pageHeading(page, 'Open on a screen')).toBeVisible();

  await test.step('when everything is locked, the name goes too', async () => {
    await kms.disable(arn);
    await expect(page.getByText('Your organization has locked this data')).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText('Open on a screen')).toHaveCount(0);
    await kms.enable(arn);
    await expect(page.getByText(lockedAlone)).toBeVisible({ timeout: 60_000 });
    await expect(pageHeading(page, 'Open on a screen')).toBeVisible();
  });
});

test('a workspace with nothing in it is locked as well', async ({ page, kms, aws, console }) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  const empty = await createWorkspace(page.request, 'Nothing in it yet');
  await activate(page, arn);
  await denyScope(page, kms, aws, arn, empty);
  const answer = await page.request.post('/api/create_note', { form: { workspace: empty, text: 'x' } });
  expect(answer.status()).toBe(423);
  await open(page, `/workspaces/${empty}`);
  await expect(page.getByText(lockedAlone)).toBeVisible();
  await expect(page.getByText('No notes here yet.')).toHaveCount(0);
});
