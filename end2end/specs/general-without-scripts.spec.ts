// With scripts switched off: the organization's name is changed by a plain form, and what was wrong is told beside it.
import { expect, test } from '../harness/test';
import { open, signIn } from '../harness/steps';

test('the name of the organization, and its servers', async ({ page }) => {
  await signIn(page);
  await open(page, '/settings');
  const name = page.getByLabel('Name', { exact: true });
  await name.fill('   ');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Enter a name of 1 to 120 characters.')).toBeVisible();
  await name.fill('Harbour Office');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The new name is saved.')).toBeVisible();
  await expect(name).toHaveValue('Harbour Office');
  await expect(page.getByRole('list', { name: 'List of servers' }).getByRole('listitem')).toHaveCount(1);
});
