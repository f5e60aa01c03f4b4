// Every page in every state it has, one after the other. The accessibility tests and the screenshots walk through it.
import { expect, type Page } from '@playwright/test';
import { administrator, type Deployment } from './deployment';
import type { LocalKms } from './local-kms';
import { bytes, createNote, createWorkspace, uploadFile } from './content';
import {
  activate,
  badge,
  fillSignIn,
  forgetSession,
  interactive,
  open,
  openDataEncryption,
  pageHeading,
  pressActivate,
  pressTest,
  signIn,
  unseen,
} from './steps';

export type Look = (name: string) => Promise<void>;

/** Takes `page` through all states and calls `look` in each. Leaves the deployment with its key deleted from AWS's view. */
export async function everyState(page: Page, deployment: Deployment, kms: LocalKms, look: Look): Promise<void> {
  await signedOut(page, look);
  const workspace = await content(page, look);
  await settings(page, look);
  const arn = await choosingAKey(page, kms, look);
  await locked(page, kms, arn, workspace, look);
  await asMember(page, deployment, look);
}

async function signedOut(page: Page, look: Look): Promise<void> {
  await open(page, '/sign-in');
  await look('sign-in');
  await fillSignIn(page, administrator.email, 'not the password');
  await expect(page.getByText(/do not belong together/)).toBeVisible();
  await look('sign-in-refused');
  await open(page, '/help');
  await look('help');
  await open(page, '/help/customer-managed-keys');
  await look('help-customer-managed-keys');
  await open(page, '/no-such-page');
  await look('not-found');
}

async function content(page: Page, look: Look): Promise<string> {
  await signIn(page);
  await expect(page.getByText('No workspaces yet')).toBeVisible();
  await look('workspaces-empty');
  await page.getByRole('button', { name: 'New workspace' }).click();
  await look('workspaces-new');
  await page.keyboard.press('Escape');
  const workspace = await createWorkspace(page.request, 'Fraud model, production', 'What the model does, and where it fails.');
  await open(page, `/workspaces/${workspace}`);
  await look('workspace-empty');
  await createNote(page.request, workspace, '# Findings\n\n- one with **weight**\n- another\n\n> quoted\n\n`code` and [a link](https://example.com/)');
  await createNote(page.request, workspace, `An_endless_word_${'x'.repeat(200)}`);
  await uploadFile(page.request, workspace, 'evaluation-2026.csv', bytes(48_000, 'csv'), 'text/csv');
  await uploadFile(page.request, workspace, `a-very-long-file-name-${'y'.repeat(120)}.bin`, bytes(2_000_000, 'bin'));
  await createWorkspace(page.request, 'Loan underwriting');
  await open(page, '/workspaces');
  await look('workspaces');
  await open(page, `/workspaces/${workspace}`);
  await look('workspace');
  await page.getByRole('button', { name: 'New note' }).click();
  await page.getByLabel('Note', { exact: true }).fill(' ');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText(/A note cannot be empty/)).toBeVisible();
  await look('workspace-note-refused');
  await open(page, `/workspaces/${workspace}`);
  await page.getByRole('button', { name: 'Rename' }).click();
  await look('workspace-rename');
  await open(page, `/workspaces/${workspace}`);
  await page.getByRole('button', { name: 'Delete workspace' }).click();
  await look('workspace-delete');
  await open(page, '/workspaces/01900000-0000-7000-8000-000000000000');
  await look('workspace-not-found');
  return workspace;
}

async function settings(page: Page, look: Look): Promise<void> {
  await open(page, '/settings');
  await expect(pageHeading(page, 'Organization Settings')).toBeVisible();
  await look('settings');
  await open(page, '/settings/members');
  await expect(pageHeading(page, 'Members')).toBeVisible();
  await look('settings-members');
  await open(page, '/settings/audit-log');
  await expect(pageHeading(page, 'Audit Log')).toBeVisible();
  await look('settings-audit-log');
  await open(page, '/account');
  await expect(pageHeading(page, 'Your account')).toBeVisible();
  await look('account');
}

async function choosingAKey(page: Page, kms: LocalKms, look: Look): Promise<string> {
  const [arn, disabled] = [await kms.createKey(), await kms.createKey()];
  await kms.disable(disabled);
  await openDataEncryption(page);
  await look('data-encryption-provider');
  await pressActivate(page, 'arn:aws:kms:us-west-1:1234:key/x');
  await expect(page.getByText(/account, the fifth part, is wrong/).first()).toBeVisible();
  await look('data-encryption-arn-refused');
  await openDataEncryption(page);
  await pressActivate(page, disabled);
  await expect(page.getByText(/The key is disabled in AWS/).first()).toBeVisible();
  await look('data-encryption-key-refused');
  await openDataEncryption(page);
  await pressTest(page, arn);
  await expect(page.getByText('This deployment can decrypt with the key').first()).toBeVisible();
  await look('data-encryption-key-tested');
  await activate(page, arn);
  await look('data-encryption-active');
  await page.getByLabel('KMS Key ARN').fill(disabled);
  await page.getByRole('button', { name: 'Delete Key' }).click();
  await expect(page.getByText(/This is not the active key/).first()).toBeVisible();
  await look('data-encryption-delete-refused');
  return arn;
}

async function locked(page: Page, kms: LocalKms, arn: string, workspace: string, look: Look): Promise<void> {
  await unseen(page, () => kms.disable(arn), 'locked');
  await openDataEncryption(page);
  await expect(badge(page, 'Locked by your key')).toBeVisible({ timeout: 30_000 });
  await look('data-encryption-locked');
  await open(page, '/workspaces');
  await expect(page.getByText('Your organization has locked this data')).toBeVisible();
  await look('workspaces-locked');
  await open(page, `/workspaces/${workspace}`);
  await look('workspace-locked');
  await unseen(page, () => kms.enable(arn), 'open');
  await openDataEncryption(page);
  await expect(badge(page, 'Your key is in control')).toBeVisible({ timeout: 30_000 });
}

async function asMember(page: Page, deployment: Deployment, look: Look): Promise<void> {
  await forgetSession(page);
  await signIn(page, await deployment.member());
  await openDataEncryption(page);
  await look('data-encryption-as-member');
  await interactive(page);
}
