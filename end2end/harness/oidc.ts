// An identity provider that other people wrote (npm `oidc-provider`), on loopback, for tests of single sign-on. Whoever gives a
// login there is that person, whatever the password; what it tells of them is in `people` and may change at any time.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Context } from 'oidc-provider';
import type { BrowserContext, Page } from '@playwright/test';
import { test as base } from './test';
import { interactive, open } from './steps';

export const label = 'Example Login';
const scopes = 'openid email profile roles';
const client = { id: 'keystead', secret: 'only-for-tests-on-this-machine' };

export type Told = { email?: string; email_verified?: boolean; name?: string; roles?: string[] };

export class IdentityProvider {
  readonly people: Record<string, Told> = {};
  private server: Server | undefined;
  private answer: RequestListener | undefined;
  private deployment = '';

  private constructor(private readonly port: number) {}

  static async start(): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = new IdentityProvider((server.address() as AddressInfo).port);
    provider.take(server);
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What a server is told of it. */
  get settings(): Record<string, string> {
    return {
      KEYSTEAD_OIDC_ISSUER: this.url,
      KEYSTEAD_OIDC_CLIENT_ID: client.id,
      KEYSTEAD_OIDC_CLIENT_SECRET: client.secret,
      KEYSTEAD_OIDC_LABEL: label,
      KEYSTEAD_OIDC_SCOPES: scopes,
      KEYSTEAD_OIDC_ADMINISTRATOR_ROLE: 'keystead-admins',
    };
  }

  /** Knows the deployment at `url` from now on, and signs with a new key. It forgets who was signed in. */
  serve(url: string): void {
    this.deployment = url;
    const people = this.people;
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
    const provider = new Provider(this.url, {
      clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [`${url}/sign-in/callback`] }],
      jwks: { keys: [{ ...key, kid: randomUUID(), use: 'sig', alg: 'RS256' }] },
      cookies: { keys: [randomUUID()] },
      pkce: { required: () => true },
      scopes: scopes.split(' '),
      claims: { email: ['email', 'email_verified'], profile: ['name'], roles: ['roles'] },
      findAccount: (_context: Context, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
      // Nobody is asked whether Keystead may know who they are: the organization has decided that.
      loadExistingGrant: async (context: Context) => {
        const { provider, session } = context.oidc;
        const grant = new provider.Grant({ clientId: client.id, accountId: session.accountId });
        grant.addOIDCScope(scopes);
        await grant.save();
        return grant;
      },
    });
    this.answer = provider.callback();
  }

  rotateKey(): void {
    this.serve(this.deployment);
  }

  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async startAgain(): Promise<void> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.take(server);
  }

  private take(server: Server): void {
    this.server = server;
    server.on('request', (request, response) => {
      // It has no picture of itself, and the console would say so.
      if (request.url === '/favicon.ico') response.writeHead(204).end();
      else this.answer?.(request, response);
    });
  }
}

/** The provider's own pages ask for fonts from elsewhere, which tests must not need. */
async function withoutFonts(context: BrowserContext): Promise<void> {
  await context.route('https://fonts.googleapis.com/**', (route) => route.fulfill({ contentType: 'text/css', body: '' }));
}

/** A deployment with single sign-on. */
export const test = base.extend<{ oidc: IdentityProvider }>({
  oidc: async ({}, use) => {
    const oidc = await IdentityProvider.start();
    await use(oidc);
    await oidc.stop();
  },
  settings: async ({ oidc }, use) => {
    await use(oidc.settings);
  },
  deployment: async ({ deployment, oidc }, use) => {
    oidc.serve(deployment.url);
    await use(deployment);
  },
  context: async ({ context }, use) => {
    await withoutFonts(context);
    await use(context);
  },
  otherBrowser: async ({ otherBrowser }, use) => {
    await withoutFonts(otherBrowser);
    await use(otherBrowser);
  },
});

/** At the provider: says who it is. */
export async function sayWho(page: Page, login: string): Promise<void> {
  await page.locator('input[name="login"]').fill(login);
  await page.locator('input[name="password"]').fill('whatever');
  await page.locator('button[type="submit"]').click();
}

/** From the sign-in page to the provider, and back as `login`. */
export async function signInAs(page: Page, login: string, path = '/sign-in'): Promise<void> {
  await open(page, path);
  await page.getByRole('link', { name: label }).click();
  await sayWho(page, login);
  await page.waitForURL((url) => !url.pathname.startsWith('/interaction'));
  await interactive(page);
}
