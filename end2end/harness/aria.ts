// What assistive technology is given of each page in each state, compared with the files in aria/. What differs from run to run
// is a pattern there. After a change that is meant, `--update-snapshots` writes them anew, to be read before they are committed.
import { expect, type Page } from '@playwright/test';
import type { Look } from './states';

export function aria(page: Page): Look {
  return async (name) => {
    await expect.soft(page.locator('body'), name).toMatchAriaSnapshot({ name: `${name}.aria.yml` });
  };
}
