// What a page does by itself does not take the place of what a person has just asked for; and is done after all if they stay.
import { expect, test } from '../harness/test';
import type { LocalKms } from '../harness/local-kms';
import { createNote, createWorkspace } from '../harness/content';
import { gate } from '../harness/gate';
import { activate, open, pageHeading, ready, signIn } from '../harness/steps';
import type { Page } from '@playwright/test';

/**
 * Follows the link to the person's account, which is not answered before `end` says how. Meanwhile the data becomes locked, and
 * the page, which is still there, hears of it.
 */
async function leaveWhileLocking(page: Page, kms: LocalKms, arn: string, end: 'continue' | 'abort') {
  const [asking, leaving] = [gate(), gate()];
  await page.route('**/state*', async (route) => {
    await asking.opened;
    await route.continue();
  });
  await page.route('**/account', async (route) => {
    await leaving.opened;
    await (end === 'continue' ? route.continue() : route.abort('aborted'));
  });
  await kms.disable(arn);
  await ready(page, 'locked');
  const followed = page.getByRole('link', { name: 'Administrator', exact: true }).click();
  await page.waitForRequest('**/account');
  const told = page.waitForResponse('**/state*');
  asking.open();
  await told;
  // What the page does then cannot be seen from here while it is being left. A moment is more than it takes.
  await page.waitForTimeout(300);
  return { followed, leave: leaving.open };
}

async function openWorkspace(page: Page, arn: string): Promise<void> {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Watched');
  await createNote(page.request, workspace, 'What nobody may see now');
  await activate(page, arn);
  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText('What nobody may see now')).toBeVisible();
}

test('whoever leaves a page when its data becomes locked gets where they want', async ({ page, kms, console }) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await openWorkspace(page, arn);
  const { followed, leave } = await leaveWhileLocking(page, kms, arn, 'continue');
  leave();
  await followed;
  await expect(pageHeading(page, 'Your account')).toBeVisible();
});

test('whoever then stays sees the data again when it is not locked any more', async ({ page, kms, console }) => {
  console.allowStatus(423);
  console.allowLostConnection();
  const arn = await kms.createKey();
  await openWorkspace(page, arn);
  const { followed, leave } = await leaveWhileLocking(page, kms, arn, 'abort');
  await kms.enable(arn);
  await ready(page, 'open');
  leave();
  await followed.catch(() => undefined);
  await expect(page.getByText('What nobody may see now')).toBeVisible();
});
