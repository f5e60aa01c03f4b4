// The public help pages, with scripts: nobody has to sign in, axe finds nothing, nothing scrolls sideways, the figures are those
// of the configuration, and one comes back to the product.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../harness/test';
import { administrator } from '../harness/deployment';
import { fillSignIn, interactive, open, pageHeading, signIn } from '../harness/steps';

const index = '/help';
const guide = '/help/customer-managed-keys';

test.use({ settings: { KEYSTEAD_KEY_CHECK_SECONDS: '2', KEYSTEAD_OUTAGE_GRACE_SECONDS: '240' } });

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on the help pages, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const path of [index, guide]) {
      await open(page, path);
      const found = await new AxeBuilder({ page }).analyze();
      expect.soft(found.violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) })), path).toEqual([]);
    }
  });
}

test('the help pages do not scroll sideways at 320 px, and their tables can be reached by keyboard', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  for (const path of [index, guide]) {
    await open(page, path);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
  }
  const states = page.getByRole('region', { name: 'States of a key' });
  await states.focus();
  await expect(states).toBeFocused();
});

test('the guide has the structure that a screen reader tells', async ({ page }) => {
  await open(page, guide);
  await expect(page.getByRole('banner')).toMatchAriaSnapshot(`
    - banner:
      - link "Keystead":
        - /url: /workspaces
      - navigation "Main":
        - link "Help":
          - /url: /help
        - link "Sign in":
          - /url: /sign-in?next=/settings/data-encryption
  `);
  await expect(page.getByRole('navigation', { name: 'On this page' })).toMatchAriaSnapshot(`
    - navigation "On this page":
      - heading "On this page" [level=2]
      - list:
        - listitem:
          - link "What a customer managed key is"
        - listitem:
          - link "What you need first"
        - listitem:
          - link "Create a key in AWS"
        - listitem:
          - link "Activate the key"
        - listitem:
          - link "What happens then"
        - listitem:
          - link "Disable and enable the key"
        - listitem:
          - link "Delete the key from Keystead"
        - listitem:
          - link "Replace the key"
        - listitem:
          - link "Rotate the key in AWS"
        - listitem:
          - link "Key states and what they mean"
        - listitem:
          - link "What is promised, and what is not"
        - listitem:
          - link "Backups"
        - listitem:
          - link "What it costs"
        - listitem:
          - link "Questions"
  `);
  await expect(page.locator('#activate')).toMatchAriaSnapshot(`
    - heading "Activate the key" [level=2]
    - list:
      - listitem:
        - strong: Sign in
        - text: as an administrator. You see Workspaces.
      - listitem:
        - text: Choose the
        - strong: Settings icon
        - text: in the lower left corner. You see Organization Settings.
      - listitem:
        - text: Choose
        - strong: Data Encryption
        - text: .
      - listitem:
        - text: Enter the ARN of your key in the field
        - strong: KMS Key ARN
        - text: /You find it in the AWS console/
      - listitem:
        - text: If you like, press
        - strong: Test Key
        - text: first. It tries everything and changes nothing.
      - listitem:
        - text: Press
        - strong: Activate Key
        - text: /There is no second question/
    - paragraph: /If something is not right/
  `);
});

test('the figures of the guide are those of the configuration', async ({ page }) => {
  await open(page, guide);
  const costs = page.locator('#costs');
  await expect(costs).toContainText('one call to KMS every 2 seconds, which is about 43,200 a day');
  await expect(costs).toContainText('For one server. Sign in to see it');
  await expect(costs.getByRole('row').nth(1)).toContainText('1,296,000');
  await expect(costs.getByRole('row').nth(1)).toContainText('4.89 USD');
  await expect(page.locator('#limits')).toContainText('Access ends 4 minutes after');
  await signIn(page);
  await open(page, guide);
  await expect(costs).toContainText('This deployment runs 1 server now');
});

test('from the guide one comes to Data Encryption, also by signing in, and from there to the guide', async ({ page }) => {
  await open(page, index);
  await page.getByRole('link', { name: 'Customer managed keys for data encryption' }).click();
  await expect(pageHeading(page, 'Customer managed keys for data encryption')).toBeVisible();
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
  await interactive(page);
  await fillSignIn(page, administrator.email, administrator.password);
  await expect(pageHeading(page, 'Data Encryption')).toBeVisible();
  await interactive(page);
  await page.getByRole('link', { name: 'How does activating work?' }).click();
  await expect(page).toHaveURL(/customer-managed-keys#activate$/);
  await expect(page.getByRole('heading', { name: 'Activate the key' })).toBeInViewport();
  await page.getByRole('banner').getByRole('link', { name: 'Data Encryption' }).click();
  await expect(pageHeading(page, 'Data Encryption')).toBeVisible();
});
