// The `test` that every spec uses: a deployment of its own, and a browser console that must be empty at the end.
import { test as base, expect, type BrowserContext, type Page } from '@playwright/test';
import { Deployment } from './deployment';
import { LocalKms } from './local-kms';

/** What the console may say in one test. Everything else fails it. */
export class Console {
  private readonly allowed: RegExp[] = [];
  private readonly unexpected: string[] = [];

  /** The browser logs each answer of this status to a script's own request; the test expects some. */
  allowStatus(...statuses: number[]): void {
    for (const status of statuses) this.allowed.push(new RegExp(`the server responded with a status of ${status} `));
  }

  /** The test makes the server unreachable on purpose. */
  allowLostConnection(): void {
    this.allowed.push(/net::ERR_(CONNECTION_|INCOMPLETE_|EMPTY_RESPONSE|NETWORK_CHANGED|HTTP2|ABORTED|FAILED)/);
  }

  /** A page preloads what its scripts need; a browser that runs none says that nothing has used it. */
  allowUnusedPreloads(): void {
    this.allowed.push(/was preloaded using link preload but not used/);
  }

  watch(page: Page): void {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.note(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.note(`exception: ${error.message}`));
  }

  private note(text: string): void {
    this.unexpected.push(text);
  }

  verify(): void {
    const left = this.unexpected.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    expect(left, 'the browser console must be empty').toEqual([]);
  }
}

type TestFixtures = {
  /** Further environment variables for the test's server: `test.use({ settings: { … } })`. */
  settings: Record<string, string>;
  deployment: Deployment;
  console: Console;
  /** A second browser, with its own session, on the same deployment. */
  otherBrowser: BrowserContext;
};

type WorkerFixtures = { kms: LocalKms };

export const test = base.extend<TestFixtures, WorkerFixtures>({
  kms: [
    async ({}, use) => {
      const kms = await LocalKms.start();
      await use(kms);
      await kms.remove();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  settings: [{}, { option: true }],
  deployment: async ({ kms, settings }, use, info) => {
    const deployment = await Deployment.start(kms, settings);
    await use(deployment);
    if (info.status !== info.expectedStatus) await info.attach('server log', { body: deployment.log });
    await deployment.remove();
  },
  baseURL: async ({ deployment }, use) => {
    await use(deployment.url);
  },
  console: async ({ javaScriptEnabled }, use) => {
    const console = new Console();
    if (javaScriptEnabled === false) console.allowUnusedPreloads();
    await use(console);
    console.verify();
  },
  context: async ({ context, console }, use) => {
    context.on('page', (page) => console.watch(page));
    await use(context);
  },
  otherBrowser: async ({ browser, baseURL, javaScriptEnabled, console }, use) => {
    const context = await browser.newContext({ ...(baseURL ? { baseURL } : {}), javaScriptEnabled: javaScriptEnabled ?? true });
    context.on('page', (page) => console.watch(page));
    await use(context);
    await context.close();
  },
});

export { expect };
