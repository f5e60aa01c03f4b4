// What people are told of a lock: on Data Encryption with AWS's own account, in the history afterwards, and before it bites.
import { expect, test } from '../harness/proxied';
import { bytes, createWorkspace, uploadFile } from '../harness/content';
import { activate, appears, badge, leave, open, openDataEncryption, signIn, unseen } from '../harness/steps';
import type { Locator, Page } from '@playwright/test';

const DAY = 24 * 3_600 * 1_000;

/** What stands beside a term in a list of facts. */
const fact = (page: Page, term: string): Locator =>
  page.locator('dt', { hasText: new RegExp(`^${term}$`) }).locator('xpath=following-sibling::dd[1]');

const line = (page: Page, heading: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: heading }) });

test('Data Encryption tells when AWS refused, when access ended and where; the history keeps it', async ({
  page,
  kms,
  console,
}) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  await createWorkspace(page.request, 'Watched');
  await activate(page, arn);
  await expect(fact(page, 'Servers')).toHaveText('1 server, with the key', { timeout: 30_000 });
  await expect(page.getByText(/^Access has never ended here/)).toBeVisible();

  await kms.disable(arn);
  await expect(badge(page, 'Locked by your key')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText('Your key is disabled in AWS', { exact: true })).toBeVisible();
  await expect(page.getByText(`aws kms enable-key --region us-west-1 --key-id ${arn}`)).toBeVisible();
  await expect(fact(page, 'AWS refused the key')).toHaveText(/^\d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC$/);
  await expect(fact(page, 'Access ended')).toHaveText(/ UTC, (less than a second|\d+ seconds?) later, on 1 of 1 server$/, {
    timeout: 30_000,
  });
  await expect(fact(page, 'AWS answered')).toHaveText('DisabledException');
  await expect(fact(page, 'AWS request')).toHaveText(/^[0-9A-Fa-f-]{36}$/);
  const request = await fact(page, 'AWS request').textContent();

  const incident = line(page, 'Your key was disabled in AWS');
  await expect(incident.getByText('Locked now')).toBeVisible({ timeout: 30_000 });
  await expect(incident).toContainText(/Access ended (less than a second|\d+ seconds?) after AWS refused, on 1 of 1 server\./);
  await kms.enable(arn);
  await expect(incident.getByText('Restored', { exact: true }).first()).toBeVisible({ timeout: 30_000 });
  await expect(incident).toContainText(/Restored at \d\d:\d\d:\d\d UTC, after (\d+ seconds?|1 minute)/);
  await expect(incident).toContainText(`AWS answered DisabledException · request ${request}`);
  await expect(badge(page, 'Your key is in control')).toBeVisible({ timeout: 30_000 });

  await test.step("each server's times are opened with the keyboard", async () => {
    await incident.getByText('Times on each server').focus();
    await page.keyboard.press('Enter');
    const times = incident.getByRole('table').getByRole('row').nth(1);
    await expect(times.getByRole('cell')).toHaveText([/./, / UTC$/, / UTC$/, / UTC$/, / UTC$/]);
  });
});

test('a key that is scheduled for deletion: the date, what is lost then, and how to keep it', async ({
  page,
  otherBrowser,
  deployment,
  kms,
  console,
}) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  await activate(page, arn);
  const member = await otherBrowser.newPage();
  await signIn(member, await deployment.member());

  await unseen(member, () => kms.scheduleDeletion(arn), 'locked');
  await expect(badge(page, 'Locked by your key')).toBeVisible({ timeout: 30_000 });
  const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
    .format(new Date(Date.now() + 7 * DAY))
    .replace('Sept', 'Sep');
  const notice = page.getByRole('main').locator('.card .notice', { hasText: 'Your key is scheduled for deletion in AWS' });
  await expect(notice).toContainText('cancel the key');
  await expect(notice).toContainText(`AWS deletes the key on ${date}`, { timeout: 30_000 });
  await expect(page.getByText(`aws kms cancel-key-deletion --region us-west-1 --key-id ${arn}`)).toBeVisible();

  await test.step('the banner stands on every page of an administrator, and on none of a member', async () => {
    const banner = (of: Page): Locator => of.getByRole('region', { name: 'Your key is scheduled for deletion in AWS' });
    for (const path of ['/workspaces', '/settings', '/settings/members', '/settings/data-encryption']) {
      await open(page, path);
      await expect(banner(page), path).toContainText(`AWS deletes the key on ${date}`);
      await open(member, path);
      await expect(banner(member), path).toHaveCount(0);
    }
  });

  await test.step('everybody is told the date where the data would be', async () => {
    await open(member, '/workspaces');
    await expect(member.getByText('Your organization has locked this data')).toBeVisible();
    await expect(member.getByText(`AWS deletes the key on ${date}`)).toBeVisible();
  });

  await unseen(
    page,
    async () => {
      await kms.cancelDeletion(arn);
      await kms.enable(arn);
    },
    'open',
  );
  await openDataEncryption(page);
  await expect(badge(page, 'Your key is in control')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('region', { name: /scheduled for deletion/ })).toHaveCount(0, { timeout: 30_000 });
});

test('imported material near its end raises the banner before the data is locked', async ({
  page,
  deployment,
  kms,
  aws,
  console,
}) => {
  console.allowLostConnection();
  const arn = await kms.createKey();
  await signIn(page);
  await activate(page, arn);
  await open(page, '/workspaces');
  const banner = page.getByRole('region', { name: 'The imported material of your key is about to expire' });
  await expect(banner).toHaveCount(0);
  aws.materialExpires(new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), new Date().getUTCDate() + 3)));
  await leave(page);
  await deployment.kill();
  await deployment.startAgain();
  await appears(page, '/workspaces', banner);
  await expect(banner).toContainText(/It expires on \d+ \w+ \d{4}, 00:00 UTC/);
  await expect(banner).toContainText('From then on all data here is locked.');
  await banner.getByRole('link', { name: 'Open Data Encryption' }).click();
  await expect(badge(page, 'Your key is in control')).toBeVisible();
  await expect(fact(page, 'Its material expires')).toContainText('00:00 UTC');
});

test('a download that is opened while the data is locked says why and what to do', async ({ page, kms, console }) => {
  console.allowStatus(423);
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'With a file');
  const file = await uploadFile(page.request, workspace, 'figures.bin', bytes(1_000, 'locked'));
  await activate(page, arn);
  await kms.disable(arn);
  await expect(badge(page, 'Locked by your key')).toBeVisible({ timeout: 30_000 });
  await page.goto(`/workspaces/${workspace}/files/${file}`);
  await expect(page.getByText(/Your organization has locked this data/)).toBeVisible();
  await expect(page.getByText(/enable the key in the AWS console/)).toBeVisible();
  await page.getByRole('link', { name: 'Open Data Encryption' }).click();
  await expect(badge(page, 'Locked by your key')).toBeVisible();
  await kms.enable(arn);
});
