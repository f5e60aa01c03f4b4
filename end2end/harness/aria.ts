// What assistive technology is given of each page in each state, to the word, compared with the files in aria/. After a change that
// is meant, `--update-snapshots=all` writes them anew, to be read before they are committed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import type { Look } from './states';

const folder = join(import.meta.dirname, '..', 'aria');
/** A page may still be settling when it is looked at. */
const patience = 5_000;

/** What differs from run to run, and what stands for it. */
const passing: [RegExp, string][] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '(id)'],
  [/[0-9a-f]{8}…[0-9a-f]{4,12}/g, '(short id)'],
  [/\bd-[0-9a-f]{16}\b/g, '(deployment)'],
  [/\b[0-9a-f]{64}\b/g, '(hash)'],
  [/\bSigned up to entry \d+/g, 'Signed up to entry (number)'],
  [/\b\d{1,2} [A-Z][a-z]{2} \d{4}, \d{2}:\d{2}(:\d{2})? UTC/g, '(moment)'],
  [/\b\d{1,2} [A-Z][a-z]{2} \d{4}/g, '(day)'],
  [/\b\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '(moment)'],
  [/\b\d{2}:\d{2}(:\d{2})? UTC/g, '(moment)'],
  [/\b\S+ 127\.0\.0\.1:\d+/g, '(server)'],
  [/\b127\.0\.0\.1(:\d+)?/g, '(address)'],
  [/\b\d+(\.\d+)? (milliseconds?|seconds?|minutes?|ms|s|min)\b/g, '(time)'],
  [/\bless than a (second|minute)\b/g, '(time)'],
  [/\bjust now\b|\b(a|an|one) (second|minute) ago\b|\(time\) ago/g, '(ago)'],
  [/\b\d+ checks? passed, \d+ slow, \d+ without an answer, \d+ denied/g, '(checks)'],
  [/\bLast \d+ checks/g, 'Last (checks)'],
  // What is announced depends on when the page was opened.
  [/^( *- status)\b.*$/gm, '$1'],
];

export function aria(page: Page): Look {
  return async (name) => {
    const file = join(folder, `${name}.aria.yml`);
    if (test.info().config.updateSnapshots === 'all') {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, await seen(page));
      return;
    }
    const expected = readFileSync(file, 'utf8');
    const end = Date.now() + patience;
    let found = await seen(page);
    while (found !== expected && Date.now() < end) {
      await page.waitForTimeout(200);
      found = await seen(page);
    }
    expect.soft(found, name).toBe(expected);
  };
}

async function seen(page: Page): Promise<string> {
  const whole = await page.locator('body').ariaSnapshot();
  return `${passing.reduce((text, [pattern, instead]) => text.replace(pattern, instead), whole)}\n`;
}
