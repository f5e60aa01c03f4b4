// With scripts switched off: a workspace that is locked alone says so, and can be deleted without the key.
import { expect, test } from '../harness/proxied';
import { createNote, createWorkspace } from '../harness/content';
import { denyScope } from '../harness/locks';
import { activate, open, pageHeading, seeInTime, signIn } from '../harness/steps';

test('a workspace that is locked alone is told as such, and can be deleted', async ({ page, kms, aws }) => {
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Denied for good');
  await createNote(page.request, workspace, 'Nobody needs this.');
  await activate(page, arn);
  await denyScope(page, kms, aws, arn, workspace);
  await open(page, `/workspaces/${workspace}`);
  await seeInTime(page, page.getByText('Your organization has locked this workspace'), 30);
  await expect(pageHeading(page, 'Denied for good')).toBeVisible();
  await expect(page.getByText('Nobody needs this.')).toHaveCount(0);
  await page.getByRole('button', { name: 'Delete workspace' }).click();
  await page.getByRole('dialog', { name: 'Delete this workspace?' }).getByRole('button', { name: 'Delete' }).click();
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await expect(page.getByText('Denied for good')).toHaveCount(0);
});
