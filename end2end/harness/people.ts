// What tests about people do: inviting, joining, codes of an authenticator app, and proof that has become old.
import { createHmac } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { join as path } from 'node:path';
import type AxeBuilderType from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import type { Deployment, Person } from './deployment';
import { open } from './steps';

/** Invites somebody, and gives the link. */
export async function invite(page: Page, email: string, role: 'Member' | 'Administrator'): Promise<string> {
  await open(page, '/settings/members');
  await page.getByLabel('Email', { exact: true }).fill(email);
  await page.locator('#invite-role').selectOption(role);
  await page.getByRole('button', { name: 'Invite', exact: true }).click();
  await expect(page.getByText(`Link for ${email}`)).toBeVisible();
  const link = await page.getByLabel('Link', { exact: true }).innerText();
  return new URL(link.trim()).pathname;
}

/** Follows the link of an invitation. */
export async function join(page: Page, link: string, person: Person): Promise<void> {
  await page.goto(link);
  await page.getByLabel('Your name').fill(person.name);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Join' }).click();
}

/** The code that an authenticator app shows now (RFC 6238), or so many steps later. */
export function code(secret: string, later = 0): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const letter of secret) bits += letters.indexOf(letter).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const hash = createHmac('sha1', key).update(step).digest();
  const at = hash[hash.length - 1]! & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Makes the last proof of every session an old one, in the database: nobody waits five minutes in a test. */
export function ageProof(deployment: Deployment): void {
  const script = [
    'import json, sqlite3, sys',
    'db = sqlite3.connect(sys.argv[1], timeout=10)',
    'for key, data in db.execute("SELECT id_hash, data FROM sessions WHERE user_id IS NOT NULL").fetchall():',
    '    kept = json.loads(data); kept["proven"] -= 301000',
    '    db.execute("UPDATE sessions SET data = ? WHERE id_hash = ?", (json.dumps(kept), key))',
    'db.commit()',
  ].join('\n');
  execFileSync('python3', ['-c', script, path(deployment.folder, 'keystead.db')]);
}

/** Axe finds nothing, and nothing scrolls sideways. */
export async function look(page: Page, Axe: typeof AxeBuilderType, name: string): Promise<void> {
  const found = await new Axe({ page }).analyze();
  const short = found.violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map((node) => node.html.slice(0, 200)) }));
  expect.soft(short, name).toEqual([]);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect.soft(over, `${name} is not too wide`).toBeLessThanOrEqual(0);
}
