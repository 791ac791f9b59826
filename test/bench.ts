import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { benchShells } from './bench-shell.ts';
import { startLocalAws } from './local-aws/server.ts';
import { benchPackage } from './support/package.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, 'dist', 'aws-iam-login.cjs');
const runs = 20;

type Row = { readonly name: string; readonly median: number; readonly ratio: number };

/** Prints what design 10 promises, as medians of paired runs: the command and a bare Node in turn. */
const bench = async (): Promise<void> => {
  const home = mkdtempSync(join(tmpdir(), 'aws-iam-login-bench.'));
  const aws = await startLocalAws();
  try {
    const user = aws.createUser();
    const device = aws.addMfaDevice(user);
    const key = `aws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\nmfa_serial = ${device.serialNumber}\n`;
    const session = `[default-sts]\naws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = secret\naws_session_token = ${'t'.repeat(400)}\nexpiration = 2099-01-01 00:00:00+00:00\n`;
    const small = writeFiles(home, 'small', `[default]\n${key}\n${session}`);
    const many = Array.from(
      { length: 10_000 },
      (_, index) => `[profile-${index}]\n${key}region = eu-west-1\n\n`,
    ).join('');
    const large = writeFiles(home, 'large', `${many}[default]\n${key}\n${session}`);
    const env = { ...ownEnvironment(), HOME: home, AWS_ENDPOINT_URL: aws.url };
    const rows = [
      await compare('node -e 0', ['-e', '0'], env),
      await compare('env, live session', [program, 'env', 'default'], { ...env, ...small }),
      await compare('env, 10,000 profiles', [program, 'env', 'default'], { ...env, ...large }),
      await compare('status', [program, 'status', 'default'], { ...env, ...small }),
      await compare('list', [program, 'list'], { ...env, ...small }),
      await compare('list, 10,000 profiles', [program, 'list'], { ...env, ...large }),
      await compare('doctor --offline', [program, 'doctor', '--offline', '-q'], { ...env, ...small }),
      await compareLogin(env, small, device.code, () => device.skipToNextStep()),
    ];
    console.log(`whole process, median of ${runs} paired runs\n`);
    for (const { name, median, ratio } of rows) {
      console.log(`${name.padEnd(28)} ${median.toFixed(1).padStart(7)} ms   ${ratio.toFixed(3)} × node -e 0`);
    }
  } finally {
    await aws.close();
    rmSync(home, { recursive: true, force: true });
  }
};

type Environment = Readonly<Record<string, string>>;

// Of the user's own environment all that Node may look at, and nothing that AWS's tools or proxies do.
const ownEnvironment = (): Environment =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(AWS_|npm_)|_proxy$/i.test(name) ? [] : [[name, value]],
    ),
  );

const writeFiles = (home: string, name: string, credentials: string): Environment => {
  const path = join(home, name);
  writeFileSync(path, credentials, { mode: 0o600 });
  return { AWS_SHARED_CREDENTIALS_FILE: path };
};

const compare = (name: string, parameters: readonly string[], env: Environment): Promise<Row> =>
  measure(name, async () => parameters, env);

// Each login needs a code of its own: the local AWS takes none twice, as AWS.
const compareLogin = (
  env: Environment,
  files: Environment,
  code: () => string,
  next: () => void,
): Promise<Row> =>
  measure(
    'login, local AWS',
    async () => {
      next();
      return [program, 'login', 'default', '--token-code', code()];
    },
    { ...env, ...files },
  );

const measure = async (
  name: string,
  parametersOf: () => Promise<readonly string[]>,
  env: Environment,
): Promise<Row> => {
  const pairs: Array<{ ours: number; bare: number }> = [];
  for (let index = -1; index < runs; index += 1) {
    const parameters = await parametersOf();
    const pair = { ours: await time(parameters, env), bare: await time(['-e', '0'], env) };
    if (index >= 0) pairs.push(pair);
  }
  return {
    name,
    median: median(pairs.map(({ ours }) => ours)),
    ratio: median(pairs.map(({ ours, bare }) => ours / bare)),
  };
};

/** Wall time of a whole Node process in milliseconds. Raises an error when it fails. */
const time = async (parameters: readonly string[], env: Environment): Promise<number> => {
  const start = performance.now();
  await execa(process.execPath, parameters, { env, extendEnv: false, stdin: 'ignore' });
  return performance.now() - start;
};

const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

await bench();
console.log(`\n${await benchShells()}`);
console.log(await benchPackage(root));
