// Pictures of every page and state, to be looked at: `make screenshots`. Not part of `make test`.
import { join } from 'node:path';
import { test } from './harness/test';
import { everyState } from './harness/states';

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
    await everyState(page, deployment, kms, async (state) => {
      await page.screenshot({ path: join(folder, `${state}.${name}.png`), fullPage: true });
    });
  });
}
