// Every cause that locks the data, one after the other, and a workspace that is locked alone. As in states.ts, the
// accessibility tests and the screenshots walk through it.
import { expect, type Page } from '@playwright/test';
import type { Deployment } from './deployment';
import type { KmsProxy } from './kms-proxy';
import type { LocalKms } from './local-kms';
import { createNote, createWorkspace } from './content';
import type { Look } from './states';
import { activate, appears, badge, forgetSession, jobCompletes, leave, open, openDataEncryption, pressDelete, signIn, unseen } from './steps';

const DAY = 24 * 3_600 * 1_000;

type Cause = { name: string; notice: string; begin: () => Promise<void> | void; end: () => Promise<void> | void };

/** The ways to lose a customer managed key. Each `end` undoes its `begin`. */
function causes(kms: LocalKms, aws: KmsProxy, arn: string): Cause[] {
  const refused = (name: string, notice: string, code: string, described = {}): Cause => ({
    name,
    notice,
    begin: () => void Object.assign(aws, { refusal: code, described }),
    end: () => aws.behave(),
  });
  return [
    {
      name: 'disabled',
      notice: 'Your key is disabled in AWS',
      begin: () => kms.disable(arn),
      end: () => kms.enable(arn),
    },
    {
      name: 'pending-deletion',
      notice: 'Your key is scheduled for deletion in AWS',
      begin: () => kms.scheduleDeletion(arn),
      end: async () => {
        // The key is disabled in between, and no key check may find it so.
        aws.silent = true;
        await kms.cancelDeletion(arn);
        await kms.enable(arn);
        aws.behave();
      },
    },
    refused('pending-import', 'Your key has no key material in AWS any more', 'KMSInvalidStateException', {
      KeyState: 'PendingImport',
      Origin: 'EXTERNAL',
    }),
    refused('other-state', 'Your key is in a state in AWS that does not allow its use', 'KMSInvalidStateException', {
      KeyState: 'Unavailable',
    }),
    refused('denied', "Your key's policy no longer lets this deployment use it", 'AccessDeniedException'),
    refused('gone', 'AWS no longer knows your key', 'NotFoundException'),
    refused('own-credentials', "AWS does not accept this deployment's own credentials", 'UnrecognizedClientException'),
    refused('damaged', 'The stored data key is damaged', 'InvalidCiphertextException'),
    {
      name: 'unreachable',
      notice: 'AWS cannot be reached',
      begin: () => void (aws.silent = true),
      end: () => aws.behave(),
    },
  ];
}

/** Takes `page` through all of it and calls `look` in each state. Needs a grace of ten seconds. */
export async function everyLock(
  page: Page,
  deployment: Deployment,
  kms: LocalKms,
  aws: KmsProxy,
  look: Look,
): Promise<void> {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Fraud model, production', 'What the model does.');
  await createNote(page.request, workspace, 'A finding.');
  const arn = await kms.createKey();
  await activate(page, arn);
  for (const cause of causes(kms, aws, arn)) {
    await unseen(page, cause.begin, 'locked');
    await openDataEncryption(page);
    const notice = page.getByRole('main').locator('.card strong', { hasText: cause.notice });
    await expect(notice, cause.name).toBeVisible({ timeout: 40_000 });
    await look(`data-encryption-${cause.name}`);
    await open(page, '/workspaces');
    await expect(page.locator('[data-locked]'), cause.name).toBeVisible();
    await look(`workspaces-${cause.name}`);
    await unseen(page, cause.end, 'open');
    await openDataEncryption(page);
    await expect(badge(page, 'Your key is in control'), cause.name).toBeVisible({ timeout: 40_000 });
  }
  await lockedAlone(page, kms, aws, arn, workspace, look);
  await expiring(page, deployment, aws, look);
  await providerRefused(page, deployment, kms, arn, look);
}

/** The server asks AWS for a data key again after minutes; a lock of everything makes it ask at once. Ends on Data Encryption. */
export async function denyScope(page: Page, kms: LocalKms, aws: KmsProxy, arn: string, workspace: string): Promise<void> {
  await unseen(page, () => kms.disable(arn), 'locked');
  aws.deniedScopes.add(workspace);
  await unseen(page, () => kms.enable(arn), 'open');
  await openDataEncryption(page);
}

async function lockedAlone(page: Page, kms: LocalKms, aws: KmsProxy, arn: string, workspace: string, look: Look): Promise<void> {
  await denyScope(page, kms, aws, arn, workspace);
  await open(page, `/workspaces/${workspace}`);
  await expect(page.getByText('Your organization has locked this workspace')).toBeVisible({ timeout: 30_000 });
  await look('workspace-locked-alone');
  await page.getByRole('button', { name: 'Delete workspace' }).click();
  await look('workspace-locked-alone-delete');
  await openDataEncryption(page);
  await expect(page.getByRole('main').getByRole('link', { name: workspace }).first()).toBeVisible({ timeout: 30_000 });
  await page.getByText('Times on each server').first().click();
  await look('data-encryption-locked-alone');
  await page.getByText(/^\d+ earlier$/).click();
  await look('data-encryption-history');
}

/** Begins with a workspace that is locked alone. */
async function expiring(page: Page, deployment: Deployment, aws: KmsProxy, look: Look): Promise<void> {
  // What AWS says about a key is asked for at the start, and then rarely.
  await leave(page);
  await deployment.stop();
  aws.behave();
  aws.materialExpires(new Date(Date.now() + 5 * DAY));
  await deployment.startAgain();
  await appears(page, '/workspaces', page.getByRole('region', { name: /about to expire/ }));
  await look('workspaces-material-expires');
  await openDataEncryption(page);
  await look('data-encryption-material-expires');
  aws.behave();
}

async function providerRefused(page: Page, deployment: Deployment, kms: LocalKms, arn: string, look: Look): Promise<void> {
  // So much has been looked at that the sign-in is no fresh proof any more.
  await forgetSession(page);
  await signIn(page);
  await openDataEncryption(page);
  await pressDelete(page, arn);
  await expect(badge(page, 'Provider key')).toBeVisible();
  await jobCompletes(page);
  await kms.disable(deployment.providerKey);
  await expect(badge(page, 'Locked: provider key refused')).toBeVisible({ timeout: 30_000 });
  await look('data-encryption-provider-refused');
  await kms.enable(deployment.providerKey);
  await expect(badge(page, 'Provider key')).toBeVisible({ timeout: 30_000 });
}
