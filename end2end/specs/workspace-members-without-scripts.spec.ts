// With scripts switched off: an owner looks after the members, and each member reads.
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { createNote, createWorkspace } from '../harness/content';
import { open, pageHeading, signIn } from '../harness/steps';

test('members are added, given another role and removed', async ({ page, otherBrowser, deployment, console }) => {
  console.allowStatus(404);
  const grace = await deployment.member();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Harbour survey');
  await createNote(page.request, workspace, 'soundings of the spring');
  await open(page, `/workspaces/${workspace}`);
  await page.getByRole('link', { name: 'Members', exact: true }).click();
  await page.getByLabel('Email').fill(grace.email);
  await page.getByRole('button', { name: 'Add member' }).click();
  const role = page.getByRole('combobox', { name: `Role of ${grace.name}` });
  await expect(role).toHaveValue('reader');

  const other = await otherBrowser.newPage();
  await signIn(other, grace);
  await other.getByRole('link', { name: 'Harbour survey' }).click();
  await expect(other.getByText('soundings of the spring')).toBeVisible();
  await expect(other.getByRole('button', { name: 'Rename' })).toHaveCount(0);

  await role.selectOption('owner');
  await page.getByRole('button', { name: `Save the role of ${grace.name}` }).click();
  await expect(role).toHaveValue('owner');
  await open(other, `/workspaces/${workspace}/members`);
  await other.getByRole('button', { name: `Remove ${administrator.name}` }).click();
  await other.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(other.getByRole('combobox', { name: `Role of ${administrator.name}` })).toHaveCount(0);
  const answer = await page.goto(`/workspaces/${workspace}`);
  expect(answer?.status()).toBe(404);
  await open(page, '/workspaces');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await expect(page.getByText('Harbour survey')).toHaveCount(0);
});
