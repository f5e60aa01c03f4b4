// What Data Encryption says before a key is changed, and what it says is encrypted: as a person reads it.
import type { Locator, Page } from '@playwright/test';

/** What stands beside the button: "Rewritten", "Time" and so on. */
export function impact(page: Page, button: 'Activate Key' | 'Delete Key'): Locator {
  return page.getByRole('region', { name: `What ${button} will do` });
}

/** The line of a kind of data: how many items, and how many under the key in control. */
export async function coverage(page: Page, data: string): Promise<string[]> {
  const line = page.getByRole('table', { name: 'What is encrypted' }).getByRole('row', { name: data });
  return (await line.getByRole('cell').allInnerTexts()).map((text) => text.trim());
}
