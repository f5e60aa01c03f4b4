// The audit log in a browser that runs no scripts: everything there is plain links and forms.
import { expect, test } from '../harness/test';
import { open, pageHeading, signIn } from '../harness/steps';

test('the log is read, filtered and taken along without scripts', async ({ page }) => {
  await signIn(page);
  await open(page, '/settings/audit-log');
  await expect(pageHeading(page, 'Audit Log')).toBeVisible();
  const entries = page.getByRole('list', { name: 'Entries, newest first' }).getByRole('listitem');
  await expect(entries.first().getByRole('heading', { name: 'Signed in' })).toBeVisible();
  await entries.first().getByText('Details').click();
  await expect(entries.first().getByText('sign_in', { exact: true })).toBeVisible();
  await page.getByLabel('Outcome').selectOption({ label: 'Failed' });
  await page.getByRole('button', { name: 'Filter' }).click();
  await expect(page.getByRole('heading', { name: 'No entry fits' })).toBeVisible();
  await page.getByRole('link', { name: 'Clear' }).click();
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export JSON Lines' }).click();
  expect((await coming).suggestedFilename()).toBe('keystead-audit-log.jsonl');
});
