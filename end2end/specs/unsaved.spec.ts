// What somebody is writing when the data becomes locked is still there afterwards, and every note beside it is itself.
import { expect, test } from '../harness/test';
import { addToWorkspace, createNote, createWorkspace } from '../harness/content';
import { activate, open, signIn } from '../harness/steps';
import type { Locator, Page } from '@playwright/test';

const lockedFace = 'Your organization has locked this data';

const note = (page: Page, id: string): Locator => page.locator(`[data-note="${id}"]`);

/** Begins to write a new note, and does not save it. */
async function write(page: Page, text: string): Promise<Locator> {
  await page.getByRole('button', { name: 'New note' }).click();
  const field = page.getByLabel('Note', { exact: true });
  await field.fill(text);
  return field;
}

test('what is being written outlasts a lock, and so does what stands beside it', async ({ page, otherBrowser, kms, console }) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Watched');
  const first = await createNote(page.request, workspace, 'The first note');
  const second = await createNote(page.request, workspace, 'The second note');
  await activate(page, arn);
  await open(page, `/workspaces/${workspace}`);
  const field = await write(page, 'Half a thought');
  // Somebody else adds a note and deletes one, of which this page does not hear.
  const other = await otherBrowser.newPage();
  await signIn(other);
  await createNote(other.request, workspace, 'The third note');
  const deleted = await other.request.post('/api/delete_note', { form: { workspace, note: second.id } });
  expect(deleted.ok(), await deleted.text()).toBe(true);

  await kms.disable(arn);
  await expect(page.getByText(lockedFace)).toBeVisible({ timeout: 30_000 });
  await expect(field).toBeHidden();
  await expect(page.getByText(/^The (first|second) note$/)).toHaveCount(0);

  await kms.enable(arn);
  await expect(field).toBeVisible({ timeout: 30_000 });
  await expect(field).toHaveValue('Half a thought');
  await expect(page.getByText(lockedFace)).toHaveCount(0);
  await expect(note(page, first.id)).toContainText('The first note');
  await expect(note(page, second.id)).not.toContainText(/The (first|third) note/);

  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('article').filter({ hasText: 'Half a thought' })).toBeVisible();
  await expect(page.getByRole('article')).toHaveCount(3);
});

test('what is being written comes into sight again when its workspace is deleted during a lock', async ({
  page,
  otherBrowser,
  deployment,
  kms,
  console,
}) => {
  console.allowStatus(404, 423);
  const arn = await kms.createKey();
  const member = await deployment.member();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Short-lived');
  await addToWorkspace(page.request, workspace, member.email, 'editor');
  await activate(page, arn);
  const writer = await otherBrowser.newPage();
  await signIn(writer, member);
  await open(writer, `/workspaces/${workspace}`);
  const field = await write(writer, 'Not to be lost');
  await kms.disable(arn);
  await expect(writer.getByText(lockedFace)).toBeVisible({ timeout: 30_000 });
  const deleted = await page.request.post('/api/delete_workspace', { form: { workspace } });
  expect(deleted.ok(), await deleted.text()).toBe(true);
  await expect(field).toBeVisible({ timeout: 30_000 });
  await expect(field).toHaveValue('Not to be lost');
  await kms.enable(arn);
});
