// One deployment of Keystead: the program, its database and objects in a temporary folder, its provider key, its people.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalKms, region } from './local-kms';
import { Program, freePort, run } from './process';

export type Person = { email: string; password: string; name: string };

export const administrator: Person = {
  email: 'ada@example.com',
  password: 'correct horse battery staple',
  name: 'Administrator',
};

const grace: Person = { email: 'grace@example.com', password: 'another long pass phrase', name: 'Grace' };

export class Deployment {
  private server: Program | undefined;
  private readonly others: Program[] = [];

  private constructor(
    readonly kms: LocalKms,
    readonly folder: string,
    readonly port: number,
    readonly providerKey: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts one with its data folder empty. `settings` are further environment variables. */
  static async start(kms: LocalKms, settings: Record<string, string>): Promise<Deployment> {
    const folder = await mkdtemp(join(tmpdir(), 'keystead-e2e-'));
    const deployment = new Deployment(kms, folder, await freePort(), await kms.createKey(), settings);
    await deployment.startAgain();
    return deployment;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get log(): string {
    return this.server?.log ?? '';
  }

  async startAgain(): Promise<void> {
    this.server = Program.start('keystead', this.program, ['serve'], this.environment(), this.folder);
    await this.server.ready(`${this.url}/readyz`);
  }

  /** Starts one more server over the same database and objects. */
  async another(): Promise<Program> {
    const address = `127.0.0.1:${await freePort()}`;
    const other = Program.start('another keystead', this.program, ['serve'], this.environment(address), this.folder);
    this.others.push(other);
    await other.ready(`http://${address}/readyz`);
    return other;
  }

  async kill(): Promise<void> {
    await this.server?.end('SIGKILL');
  }

  /** Stops it as an operator would: it says goodbye, so nothing counts it as one that may still give out data. */
  async stop(): Promise<void> {
    await this.server?.end('SIGTERM');
  }

  async remove(): Promise<void> {
    try {
      for (const other of this.others) await other.end('SIGKILL');
      await this.server?.end('SIGTERM');
    } finally {
      await rm(this.folder, { recursive: true, force: true });
    }
  }

  /** Loads the sample of two workspaces. */
  async sample(): Promise<void> {
    await this.command(['sample']);
  }

  /** Adds somebody with the role Member. */
  async member(person: Person = grace): Promise<Person> {
    await this.command(['user', 'add', '--email', person.email, '--name', person.name, '--role', 'member'], {
      KEYSTEAD_USER_PASSWORD: person.password,
    });
    return person;
  }

  private async command(args: string[], extra: Record<string, string> = {}): Promise<void> {
    await run(this.program, args, { ...this.environment(), ...extra }, this.folder);
  }

  private get program(): string {
    const program = process.env['KEYSTEAD_PROGRAM'];
    if (!program) throw new Error('KEYSTEAD_PROGRAM must name the program to test: use scripts/test-browser.sh');
    return program;
  }

  /** Nothing of the caller's environment but PATH: a setting of theirs must not decide what is tested. */
  private environment(address = `127.0.0.1:${this.port}`): NodeJS.ProcessEnv {
    return {
      PATH: process.env['PATH'],
      KEYSTEAD_LISTEN: address,
      KEYSTEAD_PUBLIC_URL: this.url,
      DATABASE_URL: 'sqlite://keystead.db?mode=rwc',
      KEYSTEAD_OBJECTS: 'file:./objects',
      KEYSTEAD_PROVIDER_KEY_ARN: this.providerKey,
      KEYSTEAD_ORGANIZATION: 'Example Organization',
      KEYSTEAD_ADMIN_EMAIL: administrator.email,
      KEYSTEAD_ADMIN_PASSWORD: administrator.password,
      KEYSTEAD_KEY_CHECK_SECONDS: '1',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_KMS: this.kms.endpoint,
      AWS_ENDPOINT_URL_STS: this.kms.endpoint,
      AWS_ENDPOINT_URL_S3: this.kms.endpoint,
      ...this.settings,
    };
  }
}
