import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchShells } from './bench-shell.ts';
import type { LocalAws } from './local-aws/server.ts';
import { startLocalAws } from './local-aws/server.ts';
import { inTurns, median, tableOf, timeOf, whereIs } from './support/bench.ts';
import type { Row } from './support/bench.ts';
import { benchPackage } from './support/package.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runs = 20;

type Environment = Readonly<Record<string, string>>;

/** Prints what design 10 promises as one table; whole processes in turns with a bare Node, as medians. */
const bench = async (): Promise<void> => {
  const home = mkdtempSync(join(tmpdir(), 'aws-iam-login-bench.'));
  const aws = await startLocalAws();
  try {
    const bin = join(home, 'bin');
    mkdirSync(bin);
    // as npm links it
    symlinkSync(join(root, 'shell', 'aws-iam-login.sh'), join(bin, 'aws-iam-login'));
    const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
    const env = { ...ownEnvironment(), PATH: path, HOME: home, AWS_ENDPOINT_URL: aws.url };
    const rows = [
      ...(await benchAnswers(home, env)),
      ...(await benchAwks(home, env)),
      ...(await benchLogin(home, env, aws)),
      ...(await benchShells(bin)),
      ...(await benchPackage(root)),
    ];
    console.log(tableOf(rows));
  } finally {
    await aws.close();
    rmSync(home, { recursive: true, force: true });
  }
};

// Of the user's own environment all that Node may look at, and nothing that AWS's tools or proxies do, nor the
// certificates behind whose 30 ms everything looks good.
const ownEnvironment = (): Environment =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(AWS_|npm_|NODE_EXTRA_CA_CERTS$)|_proxy$/i.test(name) ? [] : [[name, value]],
    ),
  );

const key =
  'aws_access_key_id = AKIAXXXXXXXXXXXXXXXX\naws_secret_access_key = x\nmfa_serial = arn:aws:iam::111122223333:mfa/me\n';
const session = `aws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = secret\naws_session_token = ${'t'.repeat(400)}\nexpiration = 2099-01-01 00:00:00+00:00\n`;
const roleArn = 'arn:aws:iam::111122223333:role/admin';

/** A user and a role, both with a live session, behind so many other profiles. */
const writeFiles = (home: string, others: number): Environment => {
  const many = Array.from({ length: others }, (_, index) => `[user-${index}]\n${key}region = eu-west-1\n\n`);
  const [credentials, config] = [join(home, `credentials-${others}`), join(home, `config-${others}`)];
  writeFileSync(
    credentials,
    `${many.join('')}[default]\n${key}\n[default-sts]\n${session}\n[admin-sts]\n${session}assumed_role_arn = ${roleArn}\nassumed_from = default\n`,
    { mode: 0o600 },
  );
  writeFileSync(config, `[profile admin]\nrole_arn = ${roleArn}\nsource_profile = default\n`);
  return { AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_CONFIG_FILE: config };
};

const bare = [process.execPath, '-e', '0'];

const timesBare = (what: string, ours: readonly number[], nodes: readonly number[], limit?: number): Row => {
  const value = median(ours.map((time, place) => time / (nodes[place] ?? Number.NaN)));
  return {
    what,
    figure: `${value.toFixed(2)} × node`,
    value,
    ...(limit === undefined ? {} : { limit, unit: ' ×' }),
    note: `${median(ours).toFixed(1)} ms`,
  };
};

/** The rows of whole processes that need no AWS. */
const benchAnswers = async (home: string, env: Environment): Promise<Row[]> => {
  const few = { ...env, ...writeFiles(home, 0) };
  const many = { ...env, ...writeFiles(home, 1000) };
  const rows: Array<[what: string, words: string[], env: Environment, limit?: number]> = [
    ['env, user', ['env', 'default'], few, 0.3],
    ['env, role', ['env', 'admin'], few, 0.3],
    ['credential-process, user', ['credential-process', 'default'], few, 0.3],
    ['credential-process, role', ['credential-process', 'admin'], few, 0.3],
    ['exec -- true', ['exec', 'default', '--', 'true'], few, 1.5],
    // as on a Mac, or where a variable has a name that some shells drop
    ['exec -- true, by Node', ['exec', 'default', '--', 'true'], { ...few, 'no.identifier': 'x' }, 1.5],
    ['--version', ['--version'], few, 2],
    ['--help', ['--help'], few, 2],
    ['status', ['status', 'default'], few, 2],
    ['list', ['list'], few, 2],
    ['list, 1,000 profiles', ['list'], many, 2],
    ['doctor --offline', ['doctor', '--offline', '-q'], few],
  ];
  const times = await inTurns(runs, [
    () => timeOf(bare, env),
    ...rows.map(
      ([, words, variables]) =>
        () =>
          timeOf(['aws-iam-login', ...words], variables, words[0] === 'doctor' ? [0, 1] : [0]),
    ),
  ]);
  const nodes = times[0] ?? [];
  return [
    {
      what: 'node -e 0',
      figure: `${median(nodes).toFixed(1)} ms`,
      note: `lowest ${Math.min(...nodes).toFixed(1)} ms`,
    },
    ...rows.map(([what, , , limit], place) => timesBare(what, times[place + 1] ?? [], nodes, limit)),
  ];
};

/** What 10,000 profiles cost `env` more, with each awk that is there: the lowest of each, since other work only adds. */
const benchAwks = async (home: string, env: Environment): Promise<Row[]> => {
  const [few, many] = [writeFiles(home, 0), writeFiles(home, 10_000)];
  const rows: Row[] = [];
  for (const awk of ['gawk', 'mawk', 'original-awk']) {
    const where = whereIs(awk);
    if (where === undefined) continue;
    const folder = join(home, awk);
    mkdirSync(folder);
    // the launcher prefers mawk
    for (const name of ['awk', 'mawk']) symlinkSync(where, join(folder, name));
    const variables = { ...env, PATH: `${folder}${delimiter}${env['PATH'] ?? ''}` };
    for (const profile of ['default', 'admin']) {
      const ask = (files: Environment) => () =>
        timeOf(['aws-iam-login', 'env', profile], { ...variables, ...files });
      const [small = [], large = []] = await inTurns(runs, [ask(few), ask(many)]);
      const value = Math.min(...large) - Math.min(...small);
      rows.push({
        what: `env, 10,000 profiles, ${profile === 'admin' ? 'role' : 'user'}, ${awk}`,
        figure: `+ ${value.toFixed(1)} ms`,
        value,
        limit: 15,
        unit: ' ms',
      });
    }
  }
  return rows;
};

/** `login` with a code in the arguments, and from Enter behind a typed one to the end. Each needs a code of its own. */
const benchLogin = async (home: string, env: Environment, aws: LocalAws): Promise<Row[]> => {
  const user = aws.createUser();
  const device = aws.addMfaDevice(user);
  const credentials = join(home, 'credentials-login');
  const write = (): void =>
    writeFileSync(
      credentials,
      `[default]\naws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\nmfa_serial = ${device.serialNumber}\n`,
      { mode: 0o600 },
    );
  const variables = { ...env, AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_CONFIG_FILE: '/dev/null' };
  const next = (): string => {
    write();
    device.skipToNextStep();
    return device.code();
  };
  const [nodes = [], logins = [], enters = []] = await inTurns(runs / 2, [
    () => timeOf(bare, env),
    () => timeOf(['aws-iam-login', 'login', 'default', '--token-code', next()], variables),
    ...(whereIs('script') === undefined ? [] : [() => timeFromEnter(next(), variables)]),
  ]);
  return [
    timesBare('login --token-code', logins, nodes, 5),
    ...(enters.length === 0 ? [] : [timesBare('login, from Enter to the end', enters, nodes, 1.5)]),
  ];
};

/**
 * Types a code half a second after the question, as the quickest of people would. Milliseconds until the process has
 * ended, which the shell around it says: script itself waits for ten more.
 */
const timeFromEnter = (code: string, env: Environment): Promise<number> => {
  const child = spawn('script', ['-qec', 'aws-iam-login login default && echo it has ended', '/dev/null'], {
    env: { ...env, TERM: 'dumb', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let shown = '';
  let start = 0;
  let end = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const isAsked = shown.includes('MFA code');
    shown += text;
    if (end === 0 && shown.includes('it has ended')) end = performance.now();
    if (isAsked || !shown.includes('MFA code')) return;
    setTimeout(() => {
      child.stdin.write(code);
      start = performance.now();
      child.stdin.write('\r');
    }, 500);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) =>
      status === 0 && start > 0 && end > 0
        ? resolve(end - start)
        : reject(new Error(`login ended with ${String(status)}: ${shown}`)),
    );
  });
};

await bench();
