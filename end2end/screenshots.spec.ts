// Pictures of every page and state, to be looked at: `make screenshots`. Not part of `make test`.
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { everyLock } from './harness/locks';
import { test } from './harness/proxied';
import { everyState, type Look } from './harness/states';

const folder = process.env['KEYSTEAD_SCREENSHOTS'] ?? 'screenshots';

const looks = [
  { name: 'light', colorScheme: 'light', width: 1280 },
  { name: 'dark', colorScheme: 'dark', width: 1280 },
  { name: 'narrow', colorScheme: 'light', width: 320 },
] as const;

for (const { name, colorScheme, width } of looks) {
  test(`screenshots, ${name}`, async ({ page, deployment, kms, console }) => {
    test.setTimeout(300_000);
    console.allowStatus(401, 404, 422, 423);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: width === 320 ? 640 : 900 });
    await everyState(page, deployment, kms, picture(page, name));
  });

  test(`screenshots of every lock, ${name}`, async ({ page, deployment, kms, aws, console }) => {
    test.setTimeout(400_000);
    console.allowStatus(423, 503);
    console.allowLostConnection();
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: width === 320 ? 640 : 900 });
    await everyLock(page, deployment, kms, aws, picture(page, name));
  });
}

function picture(page: Page, look: string): Look {
  return async (state) => {
    await page.screenshot({ path: join(folder, `${state}.${look}.png`), fullPage: true });
  };
}
