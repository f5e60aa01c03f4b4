// Every way in which a key can be unfit: how it comes about, and what the page has to say of it. Where the local KMS can be in
// that state it is; the rest is answered by the proxy.
import type { Deployment } from './deployment';
import type { KmsProxy } from './kms-proxy';
import { region, type LocalKms } from './local-kms';

export type Scene = { kms: LocalKms; aws: KmsProxy; deployment: Deployment };

export type KeyProblem = {
  what: string;
  /** Brings it about and gives the ARN to test. */
  arrange: (scene: Scene) => Promise<string>;
  /** The step that fails. */
  step: string;
  cause: RegExp;
  /** AWS's own word, where AWS was asked. */
  code?: string;
  /** What the remedy gives to copy, if anything. */
  copy?: RegExp;
  /** Whether it is tried again by itself. */
  isTriedAgain?: true;
  /** For screenshots: whether this one has a face of its own. */
  isPictured?: true;
};

const ARN = 'The ARN names a key that this deployment may use';
const SEEN = 'The key can be seen and is fit for this';
const ENCRYPTS = 'This deployment can encrypt with the key';
const DECRYPTS = 'This deployment can decrypt with the key';

const user = 'User: arn:aws:sts::444455556666:assumed-role/keystead/i-0abc is not authorized to perform: ';

/** A good key, about which the proxy says something else. */
function described(fields: Record<string, unknown>): (scene: Scene) => Promise<string> {
  return async ({ kms, aws }) => {
    aws.described = fields;
    return kms.createKey();
  };
}

function answered(action: string, code: string, message?: string, status?: number): (scene: Scene) => Promise<string> {
  return async ({ kms, aws }) => {
    // Of this key alone: the provider key stays in order, and nothing locks.
    const key = await kms.createKey();
    aws.answers.set(action, { code, key, ...(message ? { message } : {}), ...(status ? { status } : {}) });
    return key;
  };
}

export const keyProblems: KeyProblem[] = [
  {
    what: 'another region',
    arrange: ({ kms }) => kms.createKey({}, 'eu-west-1'),
    step: ARN,
    cause: /The key is in eu-west-1\. This deployment is in us-west-1/,
    copy: /^aws kms create-key --region us-west-1 /,
    isPictured: true,
  },
  {
    what: 'another partition',
    arrange: async ({ kms }) => (await kms.createKey()).replace('arn:aws:', 'arn:aws-cn:'),
    step: ARN,
    cause: /AWS partition aws-cn\. This deployment is in aws\./,
    copy: /^aws kms create-key /,
  },
  {
    what: 'an account that is not allowed',
    arrange: async ({ kms }) => (await kms.createKey()).replace(':000000000000:', ':111122223333:'),
    step: ARN,
    cause: /does not allow keys of the AWS account 111122223333/,
    copy: /^KEYSTEAD_CUSTOMER_ACCOUNTS=111122223333$/,
  },
  {
    what: 'the provider key',
    arrange: async ({ deployment }) => deployment.providerKey,
    step: ARN,
    cause: /This is the provider key itself/,
  },
  {
    what: 'a key that is not there',
    arrange: async ({ kms }) => (await kms.createKey()).replace(/[0-9a-f]{12}$/, '0123456789ab'),
    step: SEEN,
    cause: /AWS does not know this key/,
    code: 'NotFoundException',
    copy: /^aws kms describe-key --region us-west-1 --key-id arn:aws:kms:/,
  },
  {
    what: 'DescribeKey denied',
    arrange: answered('DescribeKey', 'AccessDeniedException'),
    step: SEEN,
    cause: /does not let this deployment see the key/,
    code: 'AccessDeniedException',
    copy: /"Sid": "KeysteadReadsKeyState"/,
    isTriedAgain: true,
  },
  {
    what: 'Encrypt denied',
    arrange: answered('Encrypt', 'AccessDeniedException', `${user}kms:Encrypt because no resource-based policy allows the kms:Encrypt action`),
    step: ENCRYPTS,
    cause: /may not encrypt with it/,
    code: 'AccessDeniedException',
    copy: /"Sid": "KeysteadUsesDataKeys"/,
    isTriedAgain: true,
  },
  {
    what: 'Decrypt denied by the deployment’s own policy',
    arrange: answered('Decrypt', 'AccessDeniedException', `${user}kms:Decrypt because no identity-based policy allows the kms:Decrypt action`),
    step: DECRYPTS,
    cause: /Your key policy is not the cause/,
    code: 'AccessDeniedException',
    copy: /"Resource": "arn:aws:kms:us-west-1:/,
    isTriedAgain: true,
    isPictured: true,
  },
  {
    what: 'Encrypt denied by an organization',
    arrange: answered('Encrypt', 'AccessDeniedException', `${user}kms:Encrypt with an explicit deny in a service control policy`),
    step: ENCRYPTS,
    cause: /policy of an AWS organization denies kms:Encrypt/,
    code: 'AccessDeniedException',
    isTriedAgain: true,
  },
  {
    what: 'disabled',
    arrange: async ({ kms }) => {
      const arn = await kms.createKey();
      await kms.disable(arn);
      return arn;
    },
    step: SEEN,
    cause: /The key is disabled in AWS/,
    copy: /^aws kms enable-key --region us-west-1 --key-id arn:aws:kms:/,
    isPictured: true,
  },
  {
    what: 'pending deletion',
    arrange: async ({ kms }) => {
      const arn = await kms.createKey();
      await kms.scheduleDeletion(arn);
      return arn;
    },
    step: SEEN,
    cause: /AWS deletes the key on \d/,
    copy: /^aws kms cancel-key-deletion .* && aws kms enable-key /,
  },
  {
    what: 'pending import',
    arrange: described({ KeyState: 'PendingImport', Origin: 'EXTERNAL' }),
    step: SEEN,
    cause: /no key material yet/,
    copy: /^aws kms get-parameters-for-import /,
  },
  {
    what: 'unavailable',
    arrange: described({ KeyState: 'Unavailable' }),
    step: SEEN,
    cause: /not ready in AWS yet/,
    copy: /--query KeyMetadata\.KeyState$/,
  },
  {
    what: 'asymmetric',
    arrange: ({ kms }) => kms.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }),
    step: SEEN,
    cause: /must be symmetric/,
    copy: /^aws kms create-key --region us-west-1 --key-spec SYMMETRIC_DEFAULT /,
  },
  {
    what: 'for message authentication',
    arrange: ({ kms }) => kms.createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }),
    step: SEEN,
    cause: /must be symmetric/,
    copy: /^aws kms create-key /,
  },
  {
    what: 'for signing',
    arrange: ({ kms }) => kms.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }),
    step: SEEN,
    cause: /must be symmetric/,
    copy: /^aws kms create-key /,
  },
  {
    what: 'managed by AWS',
    arrange: described({ KeyManager: 'AWS' }),
    step: SEEN,
    cause: /managed by AWS, so you could not disable it/,
    copy: /^aws kms create-key /,
  },
  {
    what: 'throttled',
    arrange: answered('DescribeKey', 'ThrottlingException'),
    step: SEEN,
    cause: /too many requests/,
    code: 'ThrottlingException',
  },
  {
    what: 'unreachable',
    arrange: answered('DescribeKey', 'KMSInternalException', 'internal', 500),
    step: SEEN,
    cause: /AWS KMS did not answer/,
    copy: new RegExp(`^aws kms list-keys --region ${region}`),
  },
  {
    what: 'own credentials missing',
    arrange: answered('DescribeKey', 'UnrecognizedClientException'),
    step: SEEN,
    cause: /own credentials.*Your key is not the cause/,
    code: 'UnrecognizedClientException',
    copy: /^aws sts get-caller-identity$/,
  },
  {
    what: 'own credentials expired',
    arrange: answered('DescribeKey', 'ExpiredTokenException'),
    step: SEEN,
    cause: /own credentials.*Your key is not the cause/,
    code: 'ExpiredTokenException',
    copy: /^aws sts get-caller-identity$/,
  },
];
