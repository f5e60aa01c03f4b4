// Test Key: what each outcome looks like and is read as, that a denial is tried again by itself, and that Activate Key says the same.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../harness/proxied';
import { aria } from '../harness/aria';
import { keyProblems, type KeyProblem } from '../harness/key-problems';
import { badge, interactive, jobCompletes, openDataEncryption, pressActivate, pressTest, seeInTime, signIn } from '../harness/steps';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

const ACCOUNTS = { KEYSTEAD_CUSTOMER_ACCOUNTS: '000000000000' };

const provider = test.extend({
  settings: async ({ aws }, use) => {
    await use({ AWS_ENDPOINT_URL_KMS: aws.endpoint, KEYSTEAD_OUTAGE_GRACE_SECONDS: '900', ...ACCOUNTS });
  },
});

function result(page: Page) {
  return page.locator('[data-part="test"]');
}

/** What depends on how long ago the test began. */
const passing: [RegExp, string][] = [
  [/\b2:[0-5]\d\b/g, '(left)'],
  [/^ *- paragraph: Tried \d+ times\.\n/gm, ''],
];

function slug(what: string): string {
  return what.toLowerCase().replace(/[^a-z]+/g, '-');
}

async function shows(page: Page, problem: KeyProblem, arn: string): Promise<void> {
  const title = problem.isTriedAgain ? /It is tried again for you/ : /This key cannot be activated yet/;
  await expect(result(page).getByText(title)).toBeVisible();
  await expect(result(page)).toContainText(arn);
  const step = result(page).getByRole('listitem').filter({ hasText: problem.step });
  await expect(step).toContainText('Failed');
  await expect(step).toContainText(problem.cause);
  if (problem.code) {
    await expect(step).toContainText(problem.code);
    await expect(step).toContainText(/AWS request [0-9a-f-]{36}/);
  }
  if (problem.copy) {
    const shown = await step.locator('pre').innerText();
    expect(shown).toMatch(problem.copy);
    await step.getByRole('button', { name: /^Copy / }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
  } else {
    await expect(step.locator('pre')).toHaveCount(0);
  }
}

provider('each outcome is told in its step, with cause, remedy, AWS’s answer and its request', async ({ page, kms, aws, deployment }) => {
  test.setTimeout(300_000);
  await signIn(page);
  for (const problem of keyProblems) {
    await test.step(problem.what, async () => {
      await openDataEncryption(page);
      const arn = await problem.arrange({ kms, aws, deployment });
      await pressTest(page, arn);
      await shows(page, problem, arn);
      await aria(page, result(page), passing)(`key-test-${slug(problem.what)}`);
      await expect(page.getByLabel('KMS Key ARN'), 'what was typed is still there').toHaveValue(arn);
      aws.behave();
    });
  }
  await openDataEncryption(page);
  await expect(badge(page, 'Provider key')).toBeVisible();
});

test('a denial is tried again with a countdown, and what passes can be activated', async ({ page, kms, aws }) => {
  await signIn(page);
  await openDataEncryption(page);
  const arn = await kms.createKey();
  aws.answers.set('Decrypt', { code: 'AccessDeniedException', key: arn });
  await pressTest(page, arn);
  const left = result(page).locator('[data-left]');
  await expect(left).toHaveText(/^2:[0-5][0-9]$/);
  const before = await left.innerText();
  await expect(left, 'it counts down').not.toHaveText(before);
  await expect(page.locator('#key-test'), 'the outcome has the focus').toBeFocused();
  await expect(page.locator('[data-part="status"]')).toContainText('AWS denied access to the key');
  aws.behave();
  await seeInTime(page, result(page).getByText('AWS allows access now. This key can be activated'));
  await expect(result(page).getByText(/^Tried \d+ times\.$/)).toBeVisible();
  await expect(left).toHaveCount(0);
  await expect(page.locator('[data-part="status"]')).toContainText('AWS allows access now');
  await page.getByRole('button', { name: 'Activate Key' }).click();
  await seeInTime(page, badge(page, 'Your key is in control'));
  await jobCompletes(page);
});

test('Activate Key runs the same test and refuses with the same list', async ({ page, kms, aws }) => {
  await signIn(page);
  await openDataEncryption(page);
  aws.answers.set('Encrypt', { code: 'AccessDeniedException' });
  const arn = await kms.createKey();
  await pressActivate(page, arn);
  await expect(result(page).getByText(/It is tried again for you/)).toBeVisible();
  await expect(result(page).getByRole('listitem')).toHaveCount(5);
  await expect(badge(page, 'Provider key')).toBeVisible();
  // The address names the test: it is there again after the page is loaded anew.
  await page.reload();
  await interactive(page);
  await expect(result(page).getByRole('listitem')).toHaveCount(5);
  await expect(page.getByLabel('KMS Key ARN')).toHaveValue(arn);
});

test('a test is only for administrators', async ({ page, otherBrowser, deployment, kms }) => {
  await signIn(page);
  await openDataEncryption(page);
  await pressTest(page, await kms.createKey());
  await expect(result(page).getByText('This key can be activated')).toBeVisible();
  const member = await otherBrowser.newPage();
  await signIn(member, await deployment.member());
  await member.goto(page.url());
  await interactive(member);
  await expect(result(member)).toBeEmpty();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the outcomes are accessible and fit on a narrow screen, ${colorScheme}`, async ({ page, kms, aws, deployment }) => {
    await page.emulateMedia({ colorScheme });
    await signIn(page);
    for (const problem of keyProblems.filter(({ isPictured }) => isPictured)) {
      await openDataEncryption(page);
      await pressTest(page, await problem.arrange({ kms, aws, deployment }));
      await expect(result(page).getByRole('listitem')).toHaveCount(5);
      const found = await new AxeBuilder({ page }).analyze();
      expect.soft(found.violations.map(({ id, nodes }) => ({ id, at: nodes.map(({ html }) => html.slice(0, 200)) })), problem.what).toEqual([]);
      await page.setViewportSize({ width: 320, height: 640 });
      expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), problem.what).toBeLessThanOrEqual(320);
      await page.setViewportSize({ width: 1280, height: 900 });
      aws.behave();
    }
  });
}

test('from signed in to control: with the keyboard alone, and in at most eight interactions', async ({ page, kms }) => {
  await signIn(page);
  const arn = await kms.createKey();
  let interactions = 0;
  const act = async (name: string, what: () => Promise<unknown>) => {
    interactions += 1;
    await test.step(`${interactions}. ${name}`, what);
  };
  const press = async (name: string, role: 'link' | 'button') => {
    const target = page.getByRole(role, { name, exact: true });
    await reach(page, () => target.evaluate((element) => element === document.activeElement));
    await page.keyboard.press('Enter');
  };
  await act('Settings', () => press('Settings', 'link'));
  await interactive(page);
  await act('Data Encryption', () => press('Data Encryption', 'link'));
  await interactive(page);
  await act('the AWS CLI tab', async () => {
    const tab = page.getByRole('radio', { name: 'AWS CLI' });
    const group = page.getByRole('radio', { name: 'Key policy' });
    await reach(page, () => group.evaluate((element) => element === document.activeElement));
    await page.keyboard.press('ArrowRight');
    await expect(tab).toBeChecked();
  });
  await act('copy the commands', () => press('Copy AWS CLI commands', 'button'));
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('aws kms create-key');
  await act('paste the ARN that they print', async () => {
    const field = page.getByLabel('KMS Key ARN');
    await reach(page, () => field.evaluate((element) => element === document.activeElement));
    await page.keyboard.insertText(arn);
  });
  await act('Activate Key', () => press('Activate Key', 'button'));
  await expect(badge(page, 'Your key is in control')).toBeVisible({ timeout: 60_000 });
  expect(interactions).toBeLessThanOrEqual(8);
});

/** Presses Tab until `isThere`. */
async function reach(page: Page, isThere: () => Promise<boolean>): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    if (await isThere()) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('the Tab key does not get there');
}
