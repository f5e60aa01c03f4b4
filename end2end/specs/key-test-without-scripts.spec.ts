// With scripts switched off: Test Key shows the same list, the page loads itself anew while a denial is tried again, and what was
// typed is still there.
import { expect, test } from '../harness/proxied';
import { badge, jobCompletes, openDataEncryption, pressActivate, pressTest, seeInTime, signIn } from '../harness/steps';

test('a test shows its list, and goes on by itself', async ({ page, kms, aws }) => {
  await signIn(page);
  await openDataEncryption(page);
  aws.answers.set('Encrypt', { code: 'AccessDeniedException' });
  const arn = await kms.createKey();
  await pressTest(page, arn);
  const result = page.locator('[data-part="test"]');
  await expect(result.getByText(/It is tried again for you/)).toBeVisible();
  await expect(result.getByRole('listitem')).toHaveCount(5);
  await expect(result.getByText('AccessDeniedException')).toBeVisible();
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
  aws.behave();
  // Nobody presses anything.
  await expect(result.getByText('AWS allows access now. This key can be activated')).toBeVisible({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Activate Key' }).click();
  await seeInTime(page, badge(page, 'Your key is in control'));
  await jobCompletes(page);
});

test('a key that is refused is refused with the list', async ({ page, kms }) => {
  await signIn(page);
  await openDataEncryption(page);
  const arn = await kms.createKey();
  await kms.disable(arn);
  await pressActivate(page, arn);
  await expect(page.getByRole('heading', { name: 'The key was not activated' })).toBeVisible();
  await expect(page.getByText('The key is disabled in AWS.')).toBeVisible();
  await expect(page.getByText(/^aws kms enable-key/)).toBeVisible();
  await expect(badge(page, 'Provider key')).toBeVisible();
});
