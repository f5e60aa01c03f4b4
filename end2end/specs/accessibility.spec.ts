// axe finds nothing on any page in any state, light or dark; assistive technology is given what aria/ says; nothing scrolls
// sideways at 320 px; the keyboard is enough.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../harness/proxied';
import { aria } from '../harness/aria';
import { administrator } from '../harness/deployment';
import { everyLock } from '../harness/locks';
import { everyState, type Look } from '../harness/states';
import { open, pageHeading, signIn } from '../harness/steps';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any page, ${colorScheme}`, async ({ page, deployment, kms, console }) => {
    test.setTimeout(300_000);
    console.allowStatus(401, 404, 422, 423);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await everyState(page, deployment, kms, looks(page, colorScheme));
  });

  test(`axe finds nothing whatever has locked the data, ${colorScheme}`, async ({ page, deployment, kms, aws, console }) => {
    test.setTimeout(400_000);
    console.allowStatus(423, 503);
    console.allowLostConnection();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await everyLock(page, deployment, kms, aws, looks(page, colorScheme));
  });
}

/** What there is to read does not depend on the colours, so it is compared once. */
function looks(page: Page, colorScheme: 'light' | 'dark'): Look {
  const [violations, content] = [axe(page, colorScheme), aria(page)];
  return async (name) => {
    await violations(name);
    if (colorScheme === 'light') await content(name);
  };
}

function axe(page: Page, colorScheme: string): Look {
  return async (name) => {
    const found = await new AxeBuilder({ page }).analyze();
    const short = found.violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html.slice(0, 200)) }));
    expect.soft(short, `${name}, ${colorScheme}`).toEqual([]);
  };
}

test('nothing scrolls sideways at 320 px, and everything can be reached', async ({ page, deployment, kms, console }) => {
  test.setTimeout(300_000);
  console.allowStatus(401, 404, 422, 423);
  await page.setViewportSize({ width: 320, height: 640 });
  await everyState(page, deployment, kms, isNarrow(page));
});

test('nothing scrolls sideways at 320 px, whatever has locked the data', async ({ page, deployment, kms, aws, console }) => {
  test.setTimeout(400_000);
  console.allowStatus(423, 503);
  console.allowLostConnection();
  await page.setViewportSize({ width: 320, height: 640 });
  await everyLock(page, deployment, kms, aws, isNarrow(page));
});

function isNarrow(page: Page): Look {
  return async (name) => {
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect.soft(width, name).toBeLessThanOrEqual(320);
  };
}

test('signing in and going to Data Encryption needs only the keyboard', async ({ page }) => {
  await open(page, '/sign-in');
  await page.getByLabel('Email').focus();
  await page.keyboard.type(administrator.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(administrator.password);
  await page.keyboard.press('Enter');
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await open(page, '/workspaces');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  const settings = page.getByRole('link', { name: 'Settings', exact: true });
  for (let press = 0; press < 12 && !(await settings.evaluate((link) => link === document.activeElement)); press += 1) {
    await page.keyboard.press('Tab');
  }
  await expect(settings).toBeFocused();
  const outline = await settings.evaluate((link) => getComputedStyle(link).outlineStyle);
  expect(outline, 'focus can be seen').not.toBe('none');
  await page.keyboard.press('Enter');
  await expect(pageHeading(page, 'Organization Settings')).toBeVisible();
});

test('every page has one main heading, a language and a title', async ({ page, deployment }) => {
  await deployment.sample();
  await signIn(page);
  for (const path of ['/workspaces', '/settings', '/settings/members', '/settings/data-encryption', '/settings/audit-log']) {
    await open(page, path);
    await expect(page.getByRole('heading', { level: 1 }), path).toHaveCount(1);
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    expect(await page.title(), path).toMatch(/ · Keystead$/);
  }
});
