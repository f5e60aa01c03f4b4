// What assistive technology is given of each page, or a part of one, in each state, to the word, compared with the files in aria/.
// After a change that is meant, `--update-snapshots=all` writes them anew, to be read before they are committed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, type Locator, type Page } from '@playwright/test';
import type { Look } from './states';

const folder = join(import.meta.dirname, '..', 'aria');
/** A page may still be settling when it is looked at: it asks for itself again after eight seconds of silence. */
const patience = 15_000;

/** What is not compared, and what stands for it. */
type Instead = [RegExp, string];

/** What differs from run to run. */
const passing: Instead[] = [
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

/** What of a job depends on how far it is. */
export const progress: Instead[] = [
  [/^ *- term: (Rate now|Time left)\n *- definition: .*\n/gm, ''],
  [/(?<!level=)\b\d+(,\d{3})*(\.\d+)?( (bytes|KB|MB|GB))?/g, '(number)'],
];

export function aria(page: Page, part: Locator = page.locator('body'), also: Instead[] = []): Look {
  return async (name) => {
    const file = join(folder, `${name}.aria.yml`);
    if (test.info().config.updateSnapshots === 'all') {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, await seen(part, also));
      return;
    }
    const expected = readFileSync(file, 'utf8');
    const end = Date.now() + patience;
    let found = await seen(part, also);
    while (found !== expected && Date.now() < end) {
      await page.waitForTimeout(200);
      found = await seen(part, also);
    }
    expect.soft(found, name).toBe(expected);
  };
}

async function seen(part: Locator, also: Instead[]): Promise<string> {
  const whole = await part.ariaSnapshot();
  return `${[...passing, ...also].reduce((text, [pattern, instead]) => text.replace(pattern, instead), whole)}\n`;
}
