// With scripts switched off: the impact stands beside the button, and what is not encrypted can be read.
import { expect, test } from '../harness/test';
import { createNote, createWorkspace } from '../harness/content';
import { coverage, impact } from '../harness/impact';
import { activate, openDataEncryption, signIn } from '../harness/steps';

test('the impact is right whenever the page is loaded', async ({ page, kms }) => {
  test.setTimeout(180_000);
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Claims triage');
  await openDataEncryption(page);
  await expect(impact(page, 'Activate Key')).toContainText('1 record and 0 files (0 bytes of content).');
  await createNote(page.request, workspace, 'one more');
  // What was counted is kept for some seconds.
  await expect(async () => {
    await page.reload();
    await expect(impact(page, 'Activate Key')).toContainText('2 records and 0 files', { timeout: 500 });
  }).toPass({ timeout: 30_000 });
  expect(await coverage(page, 'Notes')).toEqual(['1', '1']);
  await page.getByText(/kinds of data that are not encrypted, and why/).click();
  await expect(page.getByRole('row', { name: /^Sessions/ })).toContainText('Of a session\'s id only a hash is stored.');
  await activate(page, await kms.createKey());
  await expect(impact(page, 'Delete Key')).toContainText('2 records and 0 files');
  await expect(async () => {
    await page.reload();
    expect(await coverage(page, 'Notes')).toEqual(['1', '1']);
  }).toPass({ timeout: 30_000 });
});
