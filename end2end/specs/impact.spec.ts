// What a change of key will do stands beside its button before it is pressed, and is right; so is what is encrypted and what not.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../harness/test';
import { bytes, createNote, createWorkspace, uploadFile } from '../harness/content';
import { coverage, impact } from '../harness/impact';
import { activate, badge, jobCompletes, openDataEncryption, pressActivate, pressDelete, signIn } from '../harness/steps';

test('the impact is shown before each change, and replaced after it', async ({ page, kms }) => {
  const arn = await kms.createKey();
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Claims triage');
  for (let number = 0; number < 3; number += 1) await createNote(page.request, workspace, `note ${number}`);
  await uploadFile(page.request, workspace, 'evaluation.csv', bytes(48_000, 'csv'));
  await openDataEncryption(page);
  const before = impact(page, 'Activate Key');
  await expect(before).toContainText('5 records and 1 file (48 KB of content).');
  await expect(before).toContainText('Less than a minute.');
  await expect(before).toContainText('No change of key that was long enough to measure has run here.');
  await expect(before).toContainText('2,000 records, 100 files and 40 MB a second');
  await expect(before).toContainText('Nothing happens to it.');
  await expect(before).toContainText('Backups made before still open with the provider\'s key.');
  await expect(impact(page, 'Delete Key')).toHaveCount(0);

  // One press acts.
  await pressActivate(page, arn);
  await expect(badge(page, 'Your key is in control')).toBeVisible();
  await jobCompletes(page);
  const after = impact(page, 'Delete Key');
  await expect(after).toContainText('5 records and 1 file (48 KB of content).');
  await expect(after).toContainText('You can no longer take access away by disabling your key.');
  await expect(after).toContainText('Then activate the other one here.');
  await expect(impact(page, 'Activate Key')).toHaveCount(0);

  await pressDelete(page, arn);
  await expect(badge(page, 'Provider key')).toBeVisible();
  await jobCompletes(page);
  await expect(before).toBeVisible();
});

test('the impact follows what people write while the page is open', async ({ page, otherBrowser }) => {
  await signIn(page);
  const workspace = await createWorkspace(page.request, 'Claims triage');
  await openDataEncryption(page);
  await expect(impact(page, 'Activate Key')).toContainText('1 record and 0 files');
  await page.getByLabel('KMS Key ARN').fill('arn:aws:kms:half-typed');
  const other = await otherBrowser.newPage();
  await signIn(other);
  await createNote(other.request, workspace, 'from elsewhere');
  await expect(impact(page, 'Activate Key')).toContainText('2 records and 0 files', { timeout: 20_000 });
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue('arn:aws:kms:half-typed');
});

test('what is encrypted is counted, and what is not is listed with the reason', async ({ page, deployment, kms }) => {
  await deployment.sample();
  await signIn(page);
  await openDataEncryption(page);
  expect(await coverage(page, 'Workspace names and descriptions')).toEqual(['2', '2']);
  expect(await coverage(page, 'Notes')).toEqual(['4', '4']);
  expect(await coverage(page, 'File content')).toEqual(['3', '3']);
  await expect(page.getByRole('columnheader', { name: 'Under the provider key' })).toBeVisible();
  await page.getByText(/kinds of data that are not encrypted, and why/).click();
  const plain = page.getByRole('table', { name: 'What is not encrypted, and why' });
  await expect(plain.getByRole('row', { name: /^Accounts and roles/ })).toContainText('Of a password only a hash is stored.');
  await expect(plain.getByRole('row', { name: /^Accounts and roles/ }).getByRole('cell')).toHaveText('1');
  await expect(plain.getByRole('row', { name: /^Data keys/ }).getByRole('cell')).toHaveText('3');
  await expect(plain.getByRole('row', { name: /^Sizes of files/ })).toContainText('in each item');
  await activate(page, await kms.createKey());
  await expect(page.getByRole('columnheader', { name: 'Under your key' })).toBeVisible();
  await expect.poll(() => coverage(page, 'Notes')).toEqual(['4', '4']);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing wrong with the impact, and it fits 320 px, ${colorScheme}`, async ({ page, deployment, kms }) => {
    test.slow();
    await deployment.sample();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signIn(page);
    const look = async (name: string): Promise<void> => {
      await page.getByText(/kinds of data that are not encrypted, and why/).click();
      const found = await new AxeBuilder({ page }).analyze();
      expect.soft(found.violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html.slice(0, 200)) })), name).toEqual([]);
      const wide = page.viewportSize()!;
      await picture(`${name}.${colorScheme}`);
      await page.setViewportSize({ width: 320, height: 640 });
      const overflow = await page.evaluate(() => {
        const tables = [...document.querySelectorAll('table.census, .impact')];
        return [document.documentElement.scrollWidth, ...tables.map((table) => Math.ceil(table.getBoundingClientRect().right))];
      });
      for (const right of overflow) expect.soft(right, `${name} at 320 px`).toBeLessThanOrEqual(320);
      await picture(`${name}.${colorScheme}.narrow`);
      await page.setViewportSize(wide);
    };
    const picture = async (name: string): Promise<void> => {
      const folder = process.env['KEYSTEAD_SCREENSHOTS'];
      if (folder) await page.screenshot({ path: `${folder}/impact-${name}.png`, fullPage: true });
    };
    await openDataEncryption(page);
    await look('provider');
    await activate(page, await kms.createKey());
    await look('customer');
  });
}
