// The customer disables the key in AWS: data goes, says why, and comes back by itself. Also across a crash of everything.
import { expect, test } from '../harness/test';
import { createNote, createWorkspace } from '../harness/content';
import { activate, badge, interactive, leave, open, openDataEncryption, pageHeading, signIn, signOut, unseen } from '../harness/steps';

const lockedFace = 'Your organization has locked this data';

test('disabling the key hides the data on a page that is open, and enabling it brings it back', async ({
  page,
  otherBrowser,
  kms,
  console,
}) => {
  console.allowStatus(423);
  console.allowLostConnection();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Quarterly figures');
  await createNote(page.request, workspace, 'The figure nobody may see is 4711.');
  await activate(page, arn);

  const settings = await otherBrowser.newPage();
  await signIn(settings);
  await openDataEncryption(settings);
  await open(page, `/workspaces/${workspace}`);
  const secret = page.getByText('The figure nobody may see is 4711.');
  await expect(secret).toBeVisible();

  await kms.disable(arn);
  await expect(page.getByText(lockedFace)).toBeVisible({ timeout: 30_000 });
  await expect(secret).toHaveCount(0);
  await expect(page.getByText('Quarterly figures')).toHaveCount(0);
  await expect(page.getByText('DisabledException').first()).toBeVisible();
  await expect(badge(settings, 'Locked by your key')).toBeVisible({ timeout: 30_000 });

  await test.step('every data page and route is closed; settings and signing in are not', async () => {
    await open(page, '/workspaces');
    await expect(page.getByText(lockedFace)).toBeVisible();
    for (const [route, form] of [
      ['list_workspaces', {}],
      ['open_workspace', { workspace }],
      ['create_note', { workspace, text: 'x' }],
      ['create_workspace', { name: 'x', description: '' }],
    ] as const) {
      expect((await page.request.post(`/api/${route}`, { form })).status(), route).toBe(423);
    }
    expect((await page.request.get('/healthz')).status()).toBe(200);
    const ready = await page.request.get('/readyz');
    expect(ready.status()).toBe(200);
    expect((await ready.text()).toLowerCase()).toContain('locked');
    await open(page, '/settings/members');
    await expect(pageHeading(page, 'Members')).toBeVisible();
    await signOut(page);
    await signIn(page);
  });

  await test.step('Delete Key is refused with the reason, and nothing changes', async () => {
    const answer = await page.request.post('/api/delete_key', { form: { arn } });
    expect(answer.ok()).toBe(false);
    await openDataEncryption(page);
    await expect(badge(page, 'Locked by your key')).toBeVisible();
  });

  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText(lockedFace)).toBeVisible();
  await kms.enable(arn);
  await expect(secret).toBeVisible({ timeout: 30_000 });
  await expect(badge(settings, 'Your key is in control')).toBeVisible({ timeout: 30_000 });
});

test('a pending deletion of the key in AWS locks the data as well', async ({ page, kms, console }) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Here and gone');
  await activate(page, arn);
  await open(page, `/workspaces/${workspace}`);
  await kms.scheduleDeletion(arn);
  await expect(page.getByText(lockedFace)).toBeVisible({ timeout: 30_000 });
});

test('an activation that meets a disabled key mid-way is told as paused, and goes on by itself', async ({
  page,
  kms,
  console,
}) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Many');
  for (let number = 0; number < 40; number += 1) await createNote(page.request, workspace, `Note ${number}`);
  await openDataEncryption(page);
  await page.getByLabel('KMS Key ARN').fill(arn);
  await page.getByRole('button', { name: 'Activate Key' }).click();
  await expect(badge(page, 'Your key is in control')).toBeVisible();
  await kms.disable(arn);
  await expect(badge(page, 'Locked by your key')).toBeVisible({ timeout: 30_000 });
  await kms.enable(arn);
  await expect(badge(page, 'Your key is in control')).toBeVisible({ timeout: 30_000 });
  await expect(badge(page, 'Complete')).toBeVisible({ timeout: 60_000 });
});

test('a crash of everything while the key is disabled changes nothing: still locked, readable after enabling', async ({
  page,
  deployment,
  kms,
  console,
}) => {
  console.allowStatus(423);
  console.allowLostConnection();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Survivor');
  await createNote(page.request, workspace, 'Still here after the crash.');
  await activate(page, arn);
  await unseen(page, () => kms.disable(arn), 'locked');
  await open(page, '/workspaces');
  await expect(page.getByText(lockedFace)).toBeVisible();

  await leave(page);
  await deployment.kill();
  await kms.kill();
  await kms.startAgain();
  await deployment.startAgain();

  expect(await kms.state(arn)).toBe('Disabled');
  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText(lockedFace)).toBeVisible();
  await openDataEncryption(page);
  await expect(badge(page, 'Locked by your key')).toBeVisible();

  await kms.enable(arn);
  await expect(badge(page, 'Your key is in control')).toBeVisible({ timeout: 30_000 });
  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText('Still here after the crash.')).toBeVisible();
});

test('a crash in the middle of an activation: the job goes on after the restart and completes', async ({
  page,
  deployment,
  kms,
  console,
}) => {
  console.allowStatus(423, 503);
  console.allowLostConnection();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Interrupted');
  for (let number = 0; number < 60; number += 1) await createNote(page.request, workspace, `Note ${number}`);
  await openDataEncryption(page);
  await page.getByLabel('KMS Key ARN').fill(arn);
  await page.getByRole('button', { name: 'Activate Key' }).click();
  await deployment.kill();
  await leave(page);
  await deployment.startAgain();
  await page.goto('/settings/data-encryption');
  await interactive(page);
  // The press was answered or it was not; both are fine, a state between them is not.
  const field = page.getByRole('button', { name: 'Activate Key' });
  const complete = badge(page, 'Complete');
  await expect(field.or(complete).first()).toBeVisible({ timeout: 60_000 });
  await expect(badge(page, 'Your key is in control').or(badge(page, 'Provider key')).first()).toBeVisible();
  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText('Note 59', { exact: true })).toBeVisible();
});
