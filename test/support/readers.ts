import { fileURLToPath } from 'node:url';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromIni } from '@aws-sdk/credential-providers';
import { findPrograms } from '../local-aws/clients.ts';
import { startLocalAws } from '../local-aws/server.ts';
import { execa } from 'execa';
import { type Home, keyLines, makeHome, runCommand, writeCredentials } from './program.ts';
import { once } from './shared.ts';
import { atSize, isLong } from './size.ts';

/** What a program of AWS finds in a profile. */
export type Found = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly region: string | undefined;
};

/** A program or library of AWS that reads its two files by itself. */
export type Reader = {
  readonly name: string;
  readonly read: (home: Home, profile: string) => Promise<Found>;
  /** The ARN that STS at `AWS_ENDPOINT_URL` gives to the profile. */
  readonly whoAmI: (home: Home, profile: string) => Promise<string>;
};

const sdk: Reader = {
  name: 'the JavaScript SDK',
  read: (home, profile) =>
    withEnvironment(home, async () => {
      const client = new STSClient({ profile });
      const {
        accessKeyId,
        secretAccessKey,
        sessionToken = '',
      } = await fromIni({ profile, ignoreCache: true })();
      return {
        accessKeyId,
        secretAccessKey,
        sessionToken,
        region: await client.config.region().catch(() => undefined),
      };
    }),
  whoAmI: (home, profile) =>
    withEnvironment(home, async () => {
      const client = new STSClient({
        credentials: fromIni({ profile, ignoreCache: true }),
        region: 'us-east-1',
      });
      return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? '';
    }),
};

// The SDK looks at the variables of this process.
const withEnvironment = async <Result>(home: Home, work: () => Promise<Result>): Promise<Result> => {
  const before = { ...process.env };
  const own = Object.keys(before).filter((name) => name.startsWith('AWS_') || /_proxy$/i.test(name));
  for (const name of own) delete process.env[name];
  Object.assign(process.env, filesOf(home), { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' });
  try {
    return await work();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
};

const filesOf = ({ credentials, config, env }: Home): Record<string, string> => ({
  AWS_SHARED_CREDENTIALS_FILE: credentials,
  AWS_CONFIG_FILE: config,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_ENDPOINT_URL: env['AWS_ENDPOINT_URL'] ?? '',
});

const boto = (python: string): Reader => {
  const script = fileURLToPath(new URL('ask-boto.py', import.meta.url));
  const ask = async (home: Home, words: readonly string[]): Promise<Found & { arn: string }> =>
    JSON.parse(await output(home, python, [script, ...words]));
  return {
    name: `boto3 of ${python}`,
    read: async (home, profile) => {
      const { accessKeyId, secretAccessKey, sessionToken, region } = await ask(home, [profile]);
      return { accessKeyId, secretAccessKey, sessionToken, region: region ?? undefined };
    },
    whoAmI: async (home, profile) => (await ask(home, [profile, 'who'])).arn,
  };
};

/** Builds test/go-reader; the path of the program. */
export const buildGoReader = async (): Promise<string> => {
  const program = fileURLToPath(new URL('../../build/go-reader', import.meta.url));
  await execa('go', ['build', '-o', program, '.'], {
    cwd: fileURLToPath(new URL('../go-reader', import.meta.url)),
  });
  return program;
};

/** A Go program with aws-sdk-go-v2, undefined where there is no Go to build it with. */
const goProgram = async (): Promise<Reader | undefined> => {
  if (findPrograms('go').length === 0) {
    process.stdout.write('there is no go on this machine: aws-sdk-go-v2 is not tried\n');
    return undefined;
  }
  const program = await buildGoReader();
  const ask = async (home: Home, words: readonly string[]): Promise<Found & { arn: string }> => {
    // roles are assumed at this one only
    const env = { ...home.env, AWS_ENDPOINT_URL_STS: home.env['AWS_ENDPOINT_URL'] ?? '' };
    return JSON.parse(await output({ ...home, env }, program, words));
  };
  return {
    name: 'a Go program with aws-sdk-go-v2',
    read: async (home, profile) => {
      const { accessKeyId, secretAccessKey, sessionToken, region } = await ask(home, [profile]);
      return { accessKeyId, secretAccessKey, sessionToken, region: region === '' ? undefined : region };
    },
    whoAmI: async (home, profile) => (await ask(home, [profile, 'who'])).arn,
  };
};

const commandLine = (program: string): Reader => ({
  name: `AWS CLI ${program}`,
  read: async (home, profile) => {
    const get = async (key: string): Promise<string> => {
      const { stdout } = await runCommand(home, program, ['configure', 'get', key, '--profile', profile]);
      return stdout.trim();
    };
    const keys = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token', 'region'];
    const [accessKeyId = '', secretAccessKey = '', sessionToken = '', region] = await Promise.all(
      keys.map(get),
    );
    return { accessKeyId, secretAccessKey, sessionToken, region: region === '' ? undefined : region };
  },
  whoAmI: async (home, profile) => {
    const words = ['sts', 'get-caller-identity', '--profile', profile, '--query', 'Arn', '--output', 'text'];
    return (await output(home, program, words)).trim();
  },
});

const output = async (home: Home, program: string, words: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await runCommand(home, program, words);
  if (exitCode !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
  return stdout;
};

/**
 * The JavaScript SDK, and the first AWS CLI and boto3 on this machine, or so many of them; in the long run all, and a
 * Go program.
 */
export const findReaders = async (count = atSize(1, Infinity)): Promise<Reader[]> => {
  const pythons = await Promise.all(
    findPrograms('python3').map(async (python) => ((await hasBoto(python)) ? [boto(python)] : [])),
  );
  const go = isLong ? await goProgram() : undefined;
  return [
    sdk,
    ...findPrograms('aws').slice(0, count).map(commandLine),
    ...pythons.flat().slice(0, count),
    ...(go === undefined ? [] : [go]),
  ];
};

const hasBoto = once('has boto3', async (python: string): Promise<boolean> => {
  const home = makeHome('');
  const { exitCode } = await runCommand(home, python, ['-c', 'import boto3']);
  home.remove();
  return exitCode === 0;
});

/**
 * Those of the readers that send their requests to `AWS_ENDPOINT_URL`, which is found out by asking: Debian's AWS CLI
 * 2.9 and boto3 1.26 do not know it.
 */
export const talkativeOf = async (readers: readonly Reader[]): Promise<Reader[]> => {
  const honours = await Promise.all(readers.map((reader) => honoursEndpoint(reader.name, reader)));
  return readers.filter((_reader, index) => honours[index]);
};

// With no other way out.
const honoursEndpoint = once(
  'honours AWS_ENDPOINT_URL',
  async (_name: string, reader: Reader): Promise<boolean> => {
    const server = await startLocalAws();
    const keys = keyLines(server.createUser());
    const home = makeHome(server.url);
    const nowhere = 'http://127.0.0.1:9';
    Object.assign(home.env, { HTTPS_PROXY: nowhere, https_proxy: nowhere, AWS_MAX_ATTEMPTS: '1' });
    writeCredentials(home, `[default]\n${keys}region = us-east-1\n`);
    try {
      return (await reader.whoAmI(home, 'default')).startsWith('arn:');
    } catch {
      return false;
    } finally {
      home.remove();
      await server.close();
    }
  },
);
