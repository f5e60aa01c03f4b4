// What the tests use of npm `oidc-provider`, which brings no types.
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http';

  type Grant = { addOIDCScope(scope: string): void; save(): Promise<string> };
  export type Context = {
    oidc: {
      provider: { Grant: new (of: { clientId: string; accountId: string }) => Grant };
      session: { accountId: string };
    };
  };

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    callback(): RequestListener;
  }
}
