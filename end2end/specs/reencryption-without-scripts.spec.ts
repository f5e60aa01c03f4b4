// With scripts switched off: pausing a re-encryption job and letting it go on.
import type { Page } from '@playwright/test';
import { expect, test } from '../harness/proxied';
import type { KmsProxy } from '../harness/kms-proxy';
import type { LocalKms } from '../harness/local-kms';
import { administrator } from '../harness/deployment';
import { createWorkspace } from '../harness/content';
import { badge, jobCompletes, openDataEncryption, pageHeading, pressActivate, seeInTime, signIn } from '../harness/steps';

/** Signs in and activates a key, and sees to it that this lasts. */
async function beginSlowly(page: Page, kms: LocalKms, aws: KmsProxy): Promise<void> {
  const arn = await kms.createKey();
  await signIn(page);
  for (let number = 0; number < 40; number += 1) await createWorkspace(page.request, `Workspace ${number}`);
  await openDataEncryption(page);
  aws.delay = 2_000;
  await pressActivate(page, arn);
}

test('an administrator pauses a running job and resumes it', async ({ page, kms, aws }) => {
  test.setTimeout(180_000);
  await beginSlowly(page, kms, aws);
  await seeInTime(page, pageHeading(page, 'Your key took control'));
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(badge(page, 'Paused')).toBeVisible();
  await expect(page.getByText(`Paused by ${administrator.name}`)).toBeVisible();
  await page.reload();
  await expect(badge(page, 'Paused')).toBeVisible();
  aws.delay = 0;
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(badge(page, 'Paused')).toHaveCount(0);
  await jobCompletes(page);
  await expect(page.getByRole('link', { name: 'Download report', exact: true })).toBeVisible();
});

test('pressing what is not possible any more is told', async ({ page, kms, aws }) => {
  test.setTimeout(180_000);
  await beginSlowly(page, kms, aws);
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.request.post('/api/pause_job', { form: {} });
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText('There is no change of key that could be paused now.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible();
});
