// A change of key while people look and work: progress survives leaving and reloading, and nobody gets an edit conflict.
import { expect, test } from '../harness/test';
import { bytes, createNote, createWorkspace, sha256, uploadFile } from '../harness/content';
import { badge, jobCompletes, open, openDataEncryption, pressActivate, pressDelete, signIn } from '../harness/steps';

test('reloading and leaving the page in the middle keeps showing the job, to its end', async ({ page, kms }) => {
  test.slow();
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Large');
  for (let number = 0; number < 8; number += 1) {
    await uploadFile(page.request, workspace, `part ${number}`, bytes(24 * 1024 * 1024, `part ${number}`));
  }
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await expect(badge(page, 'Your key is in control')).toBeVisible();
  const state = badge(page, 'Running').or(badge(page, 'Complete'));
  await page.reload();
  await expect(state.first()).toBeVisible();
  await open(page, '/workspaces');
  await openDataEncryption(page);
  await expect(state.first()).toBeVisible();
  await jobCompletes(page, 120);
  await page.reload();
  await expect(badge(page, 'Complete')).toBeVisible();
  await expect(badge(page, 'Running')).toHaveCount(0);
});

test('another person who has the page open sees the change by itself', async ({ page, otherBrowser, deployment, kms }) => {
  await deployment.sample();
  const arn = await kms.createKey();
  await signIn(page);
  const member = await otherBrowser.newPage();
  await signIn(member, await deployment.member());
  await openDataEncryption(member);
  await expect(badge(member, 'Provider key')).toBeVisible();
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await expect(badge(member, 'Your key is in control')).toBeVisible({ timeout: 30_000 });
  await jobCompletes(member);
  await pressDelete(page, arn);
  await expect(badge(member, 'Provider key')).toBeVisible({ timeout: 30_000 });
});

test('people keep working during the change, and a file read across it is whole', async ({ page, kms }) => {
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Busy');
  const content = bytes(20 * 1024 * 1024, 'busy');
  const file = await uploadFile(page.request, workspace, 'busy.bin', content);
  const note = await createNote(page.request, workspace, 'before');
  const activated = page.request.post('/api/activate_key', { form: { arn } });
  for (let turn = 0; turn < 10; turn += 1) {
    await createNote(page.request, workspace, `during ${turn}`);
    const read = await page.request.get(`/workspaces/${workspace}/files/${file}`);
    expect(read.status()).toBe(200);
    expect(sha256(await read.body())).toBe(sha256(content));
  }
  expect((await activated).ok()).toBe(true);
  // The note was re-encrypted, which is no edit: saving over the revision read before is no conflict.
  const saved = await page.request.post('/api/update_note', { form: { workspace, note: note.id, rev: String(note.rev), text: 'after' } });
  expect(saved.ok(), await saved.text()).toBe(true);
  expect(await saved.text()).not.toContain('conflict');
  await openDataEncryption(page);
  await jobCompletes(page);
  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText('after', { exact: true })).toBeVisible();
  await expect(page.getByText('during 9', { exact: true })).toBeVisible();
});
