// The key policy on Data Encryption, in its formats.
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { expect } from './test';

export const formats = [
  { label: 'Key policy', file: 'keystead-key-policy.json', says: '"Sid": "KeysteadUsesDataKeys"' },
  { label: 'AWS CLI', file: 'keystead-key.sh', says: 'aws kms create-key' },
  { label: 'Terraform', file: 'keystead-key.tf', says: 'resource "aws_kms_key"' },
  { label: 'CloudFormation', file: 'keystead-key.yaml', says: 'Type: AWS::KMS::Key' },
] as const;

export type Format = (typeof formats)[number];

/** The radio button that chooses a format. */
export function choice(page: Page, { label }: Format): Locator {
  return page.getByRole('group', { name: 'Format of the key policy' }).getByRole('radio', { name: label, exact: true });
}

/** Where the text of a format is shown. */
export function panel(page: Page, { label }: Format): Locator {
  return page.getByRole('group', { name: label, exact: true });
}

/** The text as it is shown. Only this format's is. */
export async function shown(page: Page, format: Format): Promise<string> {
  for (const other of formats) await expect(panel(page, other)).toHaveCount(other === format ? 1 : 0);
  const text = (await panel(page, format).locator('pre').textContent()) ?? '';
  expect(text).toContain(format.says);
  return text;
}

/** The text as it is downloaded. */
export async function downloaded(page: Page, format: Format): Promise<string> {
  const downloading = page.waitForEvent('download');
  await panel(page, format).getByRole('link', { name: `Download ${format.file}` }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe(format.file);
  return readFile(await download.path(), 'utf8');
}
