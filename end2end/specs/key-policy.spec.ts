// The key policy in its formats: chosen by keyboard, copied and downloaded as it is shown, on any width.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../harness/test';
import { choice, downloaded, formats, panel, shown } from '../harness/key-policy';
import { openDataEncryption, signIn } from '../harness/steps';

test('what is shown is what is copied and downloaded, in every format', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page);
  await openDataEncryption(page);
  for (const format of formats) {
    await choice(page, format).check();
    const text = await shown(page, format);
    await panel(page, format).getByRole('button', { name: /^Copy / }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(text);
    expect(await downloaded(page, format)).toBe(text);
  }
});

test('formats are chosen with the arrow keys, and nothing typed is lost', async ({ page }) => {
  await signIn(page);
  await openDataEncryption(page);
  const entered = page.getByLabel('KMS Key ARN');
  await entered.fill('arn:aws:kms:us-west-1:111122223333:key/');
  await choice(page, formats[0]).focus();
  for (const [place, format] of formats.entries()) {
    if (place > 0) await page.keyboard.press('ArrowRight');
    await expect(choice(page, format)).toBeFocused();
    await expect(choice(page, format)).toBeChecked();
    await shown(page, format);
    const outline = await choice(page, format).locator('..').evaluate((label) => getComputedStyle(label).outlineStyle);
    expect(outline, 'the focus can be seen').not.toBe('none');
  }
  await page.keyboard.press('Tab');
  await expect(panel(page, formats[3]).getByRole('button')).toBeFocused();
  await expect(entered).toHaveValue('arn:aws:kms:us-west-1:111122223333:key/');
});

test('each permission has its reason', async ({ page }) => {
  await signIn(page);
  await openDataEncryption(page);
  for (const action of ['kms:Encrypt', 'kms:Decrypt', 'kms:DescribeKey']) {
    const term = page.getByRole('term').filter({ hasText: action });
    await expect(term).toBeVisible();
    await expect(term.locator('+ dd')).toHaveText(/\w+ .*\.$/);
  }
});

test.describe('when AWS does not say who the deployment is', () => {
  test.use({ settings: { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' } });

  test('a placeholder stands in every format, and the page says so', async ({ page }) => {
    await signIn(page);
    await openDataEncryption(page);
    await expect(page.getByText(/principal of this deployment is not known here/)).toBeVisible();
    for (const format of formats) {
      await choice(page, format).check();
      expect(await shown(page, format)).toContain('<ARN of the principal of this deployment>');
    }
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every format is in order at 320 px, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signIn(page);
    await openDataEncryption(page);
    for (const format of formats) {
      await choice(page, format).check();
      await shown(page, format);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), format.label).toBeLessThanOrEqual(320);
      const text = panel(page, format).locator('pre');
      const scrolls = await text.evaluate((element) => element.scrollWidth > element.clientWidth);
      expect(scrolls, 'long lines scroll inside their box').toBe(true);
      const found = await new AxeBuilder({ page }).analyze();
      expect(found.violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html.slice(0, 200)) }))).toEqual([]);
    }
  });
}
