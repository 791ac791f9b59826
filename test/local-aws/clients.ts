import { spawn } from 'node:child_process';
import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { IAM } from '@aws-sdk/client-iam';
import { STS } from '@aws-sdk/client-sts';
import { execa } from 'execa';

/** What a test asks AWS for, whatever the client. */
export type ClientRequest = {
  readonly url: string;
  readonly service: 'sts' | 'iam';
  readonly operation: keyof typeof sdkOperations;
  readonly parameters: ClientParameters;
  readonly credentials: ClientCredentials;
  /** Default us-east-1. */
  readonly region?: string;
};

/** Credentials; the token belongs to temporary ones. */
export type ClientCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

/** The parameters of all operations together. */
export type ClientParameters = {
  readonly SerialNumber?: string;
  readonly TokenCode?: string;
  readonly DurationSeconds?: number;
  readonly RoleArn?: string;
  readonly RoleSessionName?: string;
  readonly ExternalId?: string;
  readonly UserName?: string;
  readonly AccessKeyId?: string;
  readonly Status?: 'Active' | 'Inactive';
  readonly MaxItems?: number;
  readonly Marker?: string;
};

/** What the client made of the answer. `value` finds the first element of that name; `text` is the whole. */
export type Outcome = {
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly text: string;
  readonly value: (name: string) => string | undefined;
};

/** A client that nobody here wrote. */
export type Client = {
  readonly call: (request: ClientRequest) => Promise<Outcome>;
  readonly close: () => Promise<void>;
};

/** An environment without anything of the user's: files in `folder`, no AWS_ variable, no metadata service. */
export const clientEnvironment = (folder: string): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  LC_ALL: 'C.UTF-8',
  AWS_CONFIG_FILE: join(folder, 'config'),
  AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_PAGER: '',
  AWS_MAX_ATTEMPTS: '1',
});

/** All programs of this name on PATH, links to one file counted once. */
export const findPrograms = (name: string): string[] => {
  const found = new Map<string, string>();
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      const real = realpathSync(path);
      if (!found.has(real)) found.set(real, path);
    } catch {
      continue;
    }
  }
  return [...found.values()];
};

/** The JS SDK, with one attempt. */
export const sdkClient = (): Client => ({
  call: async ({ url, operation, parameters, credentials: given, region = 'us-east-1' }) => {
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
    const { sessionToken, ...pair } = given;
    const credentials = sessionToken === undefined ? pair : { ...pair, sessionToken };
    const options = { endpoint: url, region, credentials, maxAttempts: 1 };
    const clients = { sts: new STS(options), iam: new IAM(options) };
    try {
      return success(JSON.stringify(await sdkOperations[operation](clients, parameters)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return failure('Code' in error ? String(error.Code) : error.name, error.message);
    } finally {
      clients.sts.destroy();
      clients.iam.destroy();
    }
  },
  close: async () => {},
});

/** `curl --aws-sigv4`. */
export const curlClient = (folder: string): Client => ({
  call: async ({ url, service, operation, parameters, credentials, region = 'us-east-1' }) => {
    const version = service === 'sts' ? '2011-06-15' : '2010-05-08';
    const form = new URLSearchParams({ Action: operation, Version: version });
    for (const [name, value] of Object.entries(parameters)) form.set(name, String(value));
    const config = [
      `url = "${url}"`,
      `aws-sigv4 = "aws:amz:${region}:${service}"`,
      `user = "${credentials.accessKeyId}:${credentials.secretAccessKey}"`,
      `data = "${form.toString()}"`,
      ...(credentials.sessionToken === undefined
        ? []
        : [`header = "X-Amz-Security-Token: ${credentials.sessionToken}"`]),
    ];
    const { stdout } = await execa('curl', ['--silent', '--show-error', '--config', '-'], {
      input: `${config.join('\n')}\n`,
      env: clientEnvironment(folder),
      extendEnv: false,
      stripFinalNewline: false,
    });
    const code = xmlValue(stdout, 'Code');
    return code === undefined ? success(stdout) : failure(code, xmlValue(stdout, 'Message'));
  },
  close: async () => {},
});

/** An AWS CLI, one process a call. */
export const cliClient = (program: string, folder: string): Client => ({
  call: async ({ url, service, operation, parameters, credentials, region = 'us-east-1' }) => {
    const command = operation
      .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
      .replace('MFAD', 'mfa-d')
      .toLowerCase();
    const options = ['--endpoint-url', url, '--region', region, '--output', 'json'];
    const { stdout, stderr, exitCode } = await execa(
      program,
      [service, command, ...options, '--cli-input-json', JSON.stringify(parameters)],
      {
        env: {
          ...clientEnvironment(folder),
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
        },
        extendEnv: false,
        reject: false,
      },
    );
    if (exitCode === 0) return success(stdout);
    const [, code, message] =
      /\((\w+)\) when calling the \w+ operation(?: \(reached max[^)]*\))?: ([^\n]*)/.exec(stderr) ?? [];
    return failure(code ?? stderr, message);
  },
  close: async () => {},
});

/** boto3 in one Python process for all calls; `presign` makes a URL of a request, good for an hour or so many seconds. Undefined without boto3. */
export const botoClient = async (
  python: string,
  folder: string,
): Promise<
  (Client & { presign: (request: ClientRequest, expiresIn?: number) => Promise<string> }) | undefined
> => {
  const script = fileURLToPath(new URL('boto.py', import.meta.url));
  const child = spawn(python, [script], {
    env: clientEnvironment(folder),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  if ((await lines.next()).done === true) return undefined;
  const ask = async (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(String((await lines.next()).value));
  };
  return {
    call: async (request) => {
      const reply = await ask({ region: 'us-east-1', ...request });
      const text = JSON.stringify(reply);
      const code = jsonValue(reply, 'code');
      return code === undefined ? success(text) : failure(code, jsonValue(reply, 'message'));
    },
    presign: async (request, expiresIn = 3600) =>
      jsonValue(await ask({ region: 'us-east-1', presign: true, expiresIn, ...request }), 'url') ?? '',
    close: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
    },
  };
};

const sdkOperations = {
  GetCallerIdentity: ({ sts }: SdkClients) => sts.getCallerIdentity({}),
  GetSessionToken: ({ sts }: SdkClients, parameters: ClientParameters) => sts.getSessionToken(parameters),
  AssumeRole: ({ sts }: SdkClients, { RoleArn, RoleSessionName, ...rest }: ClientParameters) =>
    sts.assumeRole({ RoleArn, RoleSessionName, ...rest }),
  GetAccessKeyInfo: ({ sts }: SdkClients, { AccessKeyId }: ClientParameters) =>
    sts.getAccessKeyInfo({ AccessKeyId }),
  ListMFADevices: ({ iam }: SdkClients, parameters: ClientParameters) => iam.listMFADevices(parameters),
  GetUser: ({ iam }: SdkClients, parameters: ClientParameters) => iam.getUser(parameters),
  ListAccessKeys: ({ iam }: SdkClients, parameters: ClientParameters) => iam.listAccessKeys(parameters),
  CreateAccessKey: ({ iam }: SdkClients, parameters: ClientParameters) => iam.createAccessKey(parameters),
  UpdateAccessKey: ({ iam }: SdkClients, { AccessKeyId, Status, ...rest }: ClientParameters) =>
    iam.updateAccessKey({ AccessKeyId, Status, ...rest }),
  DeleteAccessKey: ({ iam }: SdkClients, { AccessKeyId, ...rest }: ClientParameters) =>
    iam.deleteAccessKey({ AccessKeyId, ...rest }),
  GetAccessKeyLastUsed: ({ iam }: SdkClients, { AccessKeyId }: ClientParameters) =>
    iam.getAccessKeyLastUsed({ AccessKeyId }),
};

type SdkClients = { readonly sts: STS; readonly iam: IAM };

const success = (text: string): Outcome => ({
  code: undefined,
  message: undefined,
  text,
  value: (name) => (text.startsWith('<') ? xmlValue(text, name) : jsonValue(JSON.parse(text || '{}'), name)),
});

const failure = (code: string, message: string | undefined): Outcome => ({
  code,
  message,
  text: '',
  value: () => undefined,
});

const xmlValue = (text: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];

const jsonValue = (value: unknown, name: string): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = key === name && typeof inner !== 'object' ? String(inner) : jsonValue(inner, name);
    if (found !== undefined) return found;
  }
  return undefined;
};
