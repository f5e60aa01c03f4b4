// Single sign-on with scripts switched off: signing in, connecting, and proof before something grave.
import { administrator } from '../harness/deployment';
import { label, sayWho, signInAs, test } from '../harness/oidc';
import { ageProof } from '../harness/people';
import { badge, open, openDataEncryption, pageHeading, pressActivate, seeInTime, signIn } from '../harness/steps';
import { expect } from '../harness/test';

test('signing in, and proof on a page that brings back what was typed', async ({ page, deployment, kms, oidc }) => {
  oidc.people['grace'] = { email: 'grace@example.com', name: 'Grace', roles: ['keystead-admins'] };
  const arn = await kms.createKey();
  await signInAs(page, 'grace');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  ageProof(deployment);
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await expect(pageHeading(page, 'Confirm that it is you')).toBeVisible();
  await page.getByRole('button', { name: `Confirm with ${label}` }).click();
  await sayWho(page, 'somebody-else');
  // The provider lets go of whoever was signed in there before; without scripts it asks for a press.
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'Somebody else signed in there' })).toBeVisible();
  await page.getByRole('button', { name: `Confirm with ${label}` }).click();
  await sayWho(page, 'grace');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
  await page.getByRole('button', { name: 'Activate Key' }).click();
  await seeInTime(page, badge(page, 'Your key is in control'));
});

test('connecting an account, and letting it go', async ({ page, oidc }) => {
  oidc.people['ada'] = { email: administrator.email, name: 'Ada', roles: ['keystead-admins'] };
  await signInAs(page, 'ada');
  await expect(page.getByText('There is an account with your email address')).toBeVisible();
  await signIn(page);
  await open(page, '/account');
  await page.getByRole('button', { name: 'Connect single sign-on' }).click();
  await sayWho(page, 'ada');
  await expect(page.getByText('Single sign-on is connected.')).toBeVisible();
  await page.getByRole('button', { name: 'Disconnect' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
  await expect(page.getByText('Single sign-on is disconnected.')).toBeVisible();
});
