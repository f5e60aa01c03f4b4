// With scripts switched off: signing in and out, reading notes, downloading files, and being told that data is locked.
// The manual's two procedures without scripts are in procedures.spec.ts.
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { bytes, createNote, createWorkspace, sha256, sha256OfFile, uploadFile } from '../harness/content';
import { badge, fillSignIn, open, openDataEncryption, pageHeading, pressActivate, pressDelete, seeInTime, signIn, signOut, unseen } from '../harness/steps';

test('a wrong password is told, and the right one works after it', async ({ page }) => {
  await open(page, '/sign-in');
  await fillSignIn(page, administrator.email, 'not the password');
  await expect(page.getByText(/Email and password do not belong together/)).toBeVisible();
  await fillSignIn(page, administrator.email, administrator.password);
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await signOut(page);
  await open(page, '/workspaces');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('notes can be read and files downloaded', async ({ page }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Read me');
  await createNote(page.request, workspace, '# A heading\n\nand *a word* in it');
  const content = bytes(300_000, 'without scripts');
  await uploadFile(page.request, workspace, 'figures é 2026.bin', content);
  await open(page, '/workspaces');
  await page.getByRole('link', { name: 'Read me' }).click();
  await expect(page.getByRole('heading', { name: 'A heading' })).toBeVisible();
  await expect(page.locator('em', { hasText: 'a word' })).toBeVisible();
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'figures é 2026.bin' }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('figures é 2026.bin');
  expect(await sha256OfFile(await download.path())).toBe(sha256(content));
});

test('mistakes on Data Encryption are told', async ({ page, deployment, kms }) => {
  await deployment.sample();
  const arn = await kms.createKey();
  await signIn(page);
  await openDataEncryption(page);
  await pressActivate(page, 'arn:aws:kms:eu-west-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab');
  await expect(page.getByText(/in eu-west-1\. This deployment is in us-west-1/).first()).toBeVisible();
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await seeInTime(page, badge(page, 'Your key is in control'));
  await seeInTime(page, badge(page, 'Complete'));
  await pressDelete(page, deployment.providerKey);
  await expect(page.getByText(/This is not the active key/).first()).toBeVisible();
  await openDataEncryption(page);
  await expect(badge(page, 'Your key is in control')).toBeVisible();
});

test('locked data is told as such, and comes back', async ({ page, kms }) => {
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Locked later');
  await createNote(page.request, workspace, 'readable again');
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await seeInTime(page, badge(page, 'Complete'));
  await unseen(page, () => kms.disable(arn), 'locked');
  await open(page, `/workspaces/${workspace}`);
  await seeInTime(page, page.getByText('Your organization has locked this data'), 30);
  await kms.enable(arn);
  await seeInTime(page, page.getByText('readable again'), 30);
});
