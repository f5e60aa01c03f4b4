// Before something grave the page asks for proof, if the last one is old; what was typed stays.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { createWorkspace } from '../harness/content';
import { ageProof, look } from '../harness/people';
import { badge, open, openDataEncryption, pressActivate, seeInTime, signIn } from '../harness/steps';

test('Activate Key asks who it is, and goes on by itself', async ({ page, deployment, kms, console }) => {
  console.allowStatus(422);
  const arn = await kms.createKey();
  await signIn(page);
  ageProof(deployment);
  await openDataEncryption(page);
  await pressActivate(page, arn);
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await expect(dialog).toBeVisible();
  await expect(dialog.getByLabel(/^Password/)).toBeFocused();
  await look(page, AxeBuilder, 'proof');
  await dialog.getByLabel(/^Password/).fill('not the password');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(dialog.getByText('This is not right')).toBeVisible();
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
  await dialog.getByLabel(/^Password/).fill(administrator.password);
  await page.keyboard.press('Enter');
  await seeInTime(page, badge(page, 'Your key is in control'));
  await expect(dialog).toBeHidden();
});

test('Cancel does nothing, and the server insists', async ({ page, deployment, kms }) => {
  const arn = await kms.createKey();
  await signIn(page);
  ageProof(deployment);
  await openDataEncryption(page);
  await pressActivate(page, arn);
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
  const answer = await page.request.post('/api/activate_key', { form: { arn } });
  expect(answer.status()).toBe(403);
  expect(await answer.text()).toContain('proof_needed');
  await openDataEncryption(page);
  await expect(badge(page, 'Provider key')).toBeVisible();
});

test('a member is removed after proof', async ({ page, deployment }) => {
  const member = await deployment.member();
  await signIn(page);
  ageProof(deployment);
  await open(page, '/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: member.email });
  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Remove ${member.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByLabel(/^Password/).fill(administrator.password);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: member.email })).toHaveCount(0);
});

test('an owner is named after proof', async ({ page, deployment, otherBrowser, console }) => {
  console.allowStatus(401);
  const member = await deployment.member();
  const theirs = await otherBrowser.newPage();
  await signIn(theirs, member);
  const workspace = await createWorkspace(theirs.request, 'Harbour survey');
  await signIn(page);
  await open(page, '/settings/members');
  const row = page.getByRole('listitem').filter({ hasText: member.email });
  await row.getByText('Change', { exact: true }).click();
  await row.getByRole('button', { name: `Disable ${member.name}` }).click();
  const make = page.getByRole('button', { name: `Make owner of ${workspace}` });
  await expect(make).toBeVisible();
  ageProof(deployment);
  await open(page, '/settings/members');
  await make.click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await dialog.getByLabel(/^Password/).fill(administrator.password);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(make).toHaveCount(0);
  await open(page, '/workspaces');
  await expect(page.getByRole('link', { name: 'Harbour survey' })).toBeVisible();
});
