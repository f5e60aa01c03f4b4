// What people do in many tests, in their words: open a page, sign in, activate a key, wait for the end of a job.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { administrator, type Person } from './deployment';

/** Whether this project's browser runs scripts. */
export function hasScripts(): boolean {
  return test.info().project.use.javaScriptEnabled !== false;
}

/** Waits until the page is interactive; without scripts it is so at once. */
export async function interactive(page: Page): Promise<void> {
  if (hasScripts()) await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
}

export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await interactive(page);
}

/** Leaves for an empty page, also when `page` was about to go elsewhere by itself and that got in between. */
export async function leave(page: Page): Promise<void> {
  await expect(async () => {
    await page.goto('about:blank');
  }).toPass({ timeout: 15_000 });
}

/** Opens a page that does not change by itself until `what` can be seen on it. */
export async function appears(page: Page, path: string, what: Locator): Promise<void> {
  await expect(async () => {
    await open(page, path);
    await expect(what).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 40_000 });
}

/** Waits until the server says so at /readyz. */
export async function ready(page: Page, state: 'open' | 'locked'): Promise<void> {
  const answer = async () => (await page.request.get('/readyz')).text();
  await expect.poll(answer, { timeout: 40_000 }).toContain(`ready: ${state}`);
}

/**
 * Changes what locks the data while `page` shows nothing, and waits until the server says so at /readyz. A page that is open
 * loads itself anew when a lock begins or ends, and a test that goes elsewhere in that moment waits for a page that never comes.
 */
export async function unseen(page: Page, change: () => Promise<unknown> | void, state: 'open' | 'locked'): Promise<void> {
  await leave(page);
  await change();
  await ready(page, state);
}

/**
 * A page that was open when its session ended goes to the sign-in page by itself, after a request that the browser logs as
 * answered with 401. A test that goes elsewhere before that may be overtaken by it.
 */
export async function leavesForSignIn(page: Page): Promise<void> {
  await expect(page).toHaveURL(/\/sign-in(\?|$)/);
  await interactive(page);
  // Whoever asks again is sent there too.
  await open(page, '/workspaces');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
}

export function pageHeading(page: Page, name: string): Locator {
  return page.getByRole('heading', { name, exact: true });
}

export async function fillSignIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signIn(page: Page, person: Person = administrator): Promise<void> {
  await open(page, '/sign-in');
  await fillSignIn(page, person.email, person.password);
  await expect(pageHeading(page, 'Workspaces')).toBeVisible();
  await interactive(page);
}

export async function openDataEncryption(page: Page): Promise<void> {
  await open(page, '/settings/data-encryption');
  await expect(pageHeading(page, 'Data Encryption')).toBeVisible();
}

export async function signOut(page: Page): Promise<void> {
  // In its first seconds a page does not ask whether it is locked: it would be told that nobody is signed in while it is being left.
  if (hasScripts()) await page.reload();
  await interactive(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await interactive(page);
}

/** Nobody is signed in any more. A page that is open would notice by itself, and leave for the sign-in page when it likes. */
export async function forgetSession(page: Page): Promise<void> {
  await leave(page);
  await page.context().clearCookies();
}

/** The badge that says whose key is in force, or how the job stands. */
export function badge(page: Page, text: Badge): Locator {
  return page.getByRole('main').locator('.badge', { hasText: new RegExp(`^${text}$`) });
}

export type Badge =
  | 'Provider key'
  | 'Your key is in control'
  | 'Locked by your key'
  | 'Locked: AWS cannot be reached'
  | 'Locked: provider key refused'
  | 'Locked: damaged key'
  | 'Running'
  | 'Paused'
  | 'Complete'
  | 'Failed';

/** Waits until `what` can be seen. Without scripts a page does not change by itself, so it is loaded again meanwhile. */
export async function seeInTime(page: Page, what: Locator, seconds = 60): Promise<void> {
  if (hasScripts()) {
    await expect(what).toBeVisible({ timeout: seconds * 1_000 });
    return;
  }
  await expect(async () => {
    await page.goto(page.url());
    await expect(what).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: seconds * 1_000 });
}

/** The job's card says so. */
export async function jobCompletes(page: Page, seconds = 60): Promise<void> {
  await seeInTime(page, badge(page, 'Complete'), seconds);
}

async function enterArnAndPress(page: Page, arn: string, name: 'Activate Key' | 'Delete Key' | 'Test Key'): Promise<void> {
  const button = page.getByRole('button', { name });
  // The page loads itself anew after a change of key. Its two forms have a field of the same name: the button tells them apart.
  await expect(button).toBeVisible();
  await interactive(page);
  await page.getByLabel('KMS Key ARN').fill(arn);
  await button.click();
}

export async function pressActivate(page: Page, arn: string): Promise<void> {
  await enterArnAndPress(page, arn, 'Activate Key');
}

export async function pressDelete(page: Page, arn: string): Promise<void> {
  await enterArnAndPress(page, arn, 'Delete Key');
}

export async function pressTest(page: Page, arn: string): Promise<void> {
  await enterArnAndPress(page, arn, 'Test Key');
}

/** From any page of an administrator: makes the key at `arn` the root key and waits until all data is under it. */
export async function activate(page: Page, arn: string): Promise<void> {
  await openDataEncryption(page);
  await pressActivate(page, arn);
  await seeInTime(page, badge(page, 'Your key is in control'));
  await jobCompletes(page);
}
