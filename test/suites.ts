import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type SuiteFile, findSuiteFiles, mentions } from './support/suite-files.ts';

// Runs every suite side by side and ends with the line that sums them up. With `--long` it runs the suites with sweeps,
// at full size; with `shell` only what bats runs, and with more words bats itself, with these.

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, 'build');
const bats = join(root, 'node_modules', 'bats', 'bin', 'bats');

/** How many tests a suite ran, by its own report. What was skipped, or could not start, counts as failed. */
type Count = { readonly passed: number; readonly failed: number };

/** Something that suites call and that a machine may lack, by what Debian and Homebrew name the package. */
type Tool = {
  readonly name: string;
  readonly debian: string;
  readonly brew: string;
  /** The suites that need it speak of it so. */
  readonly pattern: RegExp;
  readonly isThere: () => Promise<boolean>;
};

const command = (name: string, debian = name, brew = debian): Tool => ({
  name,
  debian,
  brew,
  pattern: new RegExp(`\\b${name}\\b`),
  isThere: async () => isOnPath(name),
});

const tools: readonly Tool[] = [
  {
    ...command('bash'),
    // Under the 3.2 of macOS a `[[ ]]` that is false does not end a test.
    pattern: /\bbats\b/,
    isThere: async () => (await run(['bash', '-c', '((BASH_VERSINFO[0] > 3))'], 'ignore')) === 0,
  },
  command('zsh'),
  command('fish'),
  command('tmux'),
  // Named in comments everywhere, called by no suite.
  { ...command('shellcheck'), pattern: /(?!)/ },
  command('curl'),
  command('openssl'),
  command('ps', 'procps', ''),
  command('oathtool', 'oathtool', 'oath-toolkit'),
  command('git'),
  command('mandoc'),
  { ...command('make'), pattern: /'make'/ },
  // what the launcher has to work with
  ...['dash', 'busybox', 'ksh', 'mksh', 'gawk', 'mawk'].map((name) => command(name)),
  ...(process.platform === 'linux' ? [command('original-awk')] : []),
  { ...command('pass'), pattern: /support\/(pass|key-store|rotation)\b/ },
  { ...command('gpg', 'gnupg'), pattern: /support\/(pass|key-store|rotation)\b/ },
  ...(process.platform === 'linux'
    ? [
        command('gnome-keyring-daemon', 'gnome-keyring'),
        command('dbus-daemon', 'dbus-daemon'),
        command('dbus-send', 'dbus-bin'),
        command('secret-tool', 'libsecret-tools'),
      ].map((tool) => ({ ...tool, pattern: /support\/(key-store|rotation)\b/ }))
    : []),
  command('direnv'),
  command('zoxide'),
  ...(process.platform === 'linux'
    ? [command('strace'), command('setfacl', 'acl', ''), command('setfattr', 'attr', '')]
    : []),
  {
    name: 'aws',
    debian: 'awscli',
    brew: 'awscli',
    pattern: /findPrograms|\baws (configure|s3|sts) /,
    isThere: async () => existsSync('/usr/bin/aws') || (!isOnPath('apt-get') && isOnPath('aws')),
  },
  {
    name: 'boto3',
    debian: 'python3-boto3',
    brew: '',
    pattern: /boto/,
    isThere: async () =>
      !isOnPath('apt-get') || (await run(['/usr/bin/python3', '-c', 'import boto3'], 'ignore')) === 0,
  },
];

const runSuites = async (words: readonly string[]): Promise<number> => {
  const [first, ...rest] = words;
  if (first === 'shell' && rest.length > 0) return run(['bash', bats, ...rest]);
  const isLong = first === '--long';
  if (isLong) process.env['AWS_IAM_LOGIN_TEST_LONG'] = '1';
  mkdirSync(reports, { recursive: true });
  const missing = await installTools();
  const files = findSuiteFiles(root)
    .filter((file) => !isLong || mentions(root, file, /\batSize\b|\bisLong\b|AWS_IAM_LOGIN_TEST_LONG/))
    .filter(({ runner }) => runner === 'bats' || first !== 'shell');
  const counts = [
    ...(first === undefined ? await sideBySide(checks(missing)) : []),
    ...(await sideBySide(suites(files, missing))),
  ];
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  if (missing.length > 0) console.log(whatToInstall(missing));
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
};

/** Installs what is missing with the machine's package manager where it may; returns what is missing still. */
const installTools = async (): Promise<Tool[]> => {
  const missing = await missingOf(tools);
  if (missing.length === 0) return [];
  const packages = packagesOf(missing);
  if (isOnPath('apt-get')) {
    const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
    const aptGet = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
    console.log(`installing ${packages.join(' ')}`);
    await run([...aptGet, 'update', '-qq'], 'ignore');
    await run([...aptGet, 'install', '-y', '-qq', '--no-install-recommends', ...packages], 'ignore');
  } else if (isOnPath('brew')) {
    await run(['brew', 'install', ...packages]);
  }
  const left = await missingOf(missing);
  if (left.length > 0) console.log(whatToInstall(left));
  return left;
};

const missingOf = async (wanted: readonly Tool[]): Promise<Tool[]> => {
  const areThere = await Promise.all(wanted.map((tool) => tool.isThere()));
  return wanted.filter((_tool, index) => areThere[index] !== true);
};

const packagesOf = (wanted: readonly Tool[]): string[] =>
  wanted.map(({ debian, brew }) => (isOnPath('apt-get') ? debian : brew)).filter((name) => name !== '');

const whatToInstall = (missing: readonly Tool[]): string => {
  const names = missing.map(({ name }) => name).join(', ');
  const manager = isOnPath('apt-get') ? 'apt-get' : 'brew';
  return `Suites that need ${names} count as failed; to run them: ${manager} install ${packagesOf(missing).join(' ')}`;
};

const isOnPath = (name: string): boolean =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, name)));

/** Runs a command and resolves to its exit code, 127 when it cannot be started. */
const run = async (words: readonly string[], output: 'inherit' | 'ignore' = 'inherit'): Promise<number> => {
  const [file = '', ...parameters] = words;
  const result = await execa(file, parameters, {
    cwd: root,
    preferLocal: true,
    stdin: 'ignore',
    stdout: output,
    stderr: output,
    reject: false,
  });
  return result.exitCode ?? 127;
};

type Job = () => Promise<Count>;

/**
 * Runs jobs in as many lanes as keep all cores busy: most tests wait for a shell, a terminal or the local AWS. Where
 * nobody waits for the outcome, a terminal gets a little more of the machine.
 */
const sideBySide = async (jobs: readonly Job[]): Promise<Count[]> => {
  const left = [...jobs];
  const counts: Count[] = [];
  const lane = async (): Promise<void> => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) counts.push(await job());
  };
  const spare = process.env['CI'] === 'true' ? 1 : 2;
  await Promise.all(Array.from({ length: spare + Math.max(2, availableParallelism()) }, lane));
  return counts;
};

const scriptsIn = (...folders: readonly string[]): string[] =>
  folders
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((path) => /\.(bash|bats)$/.test(path));

const checks = (missing: readonly Tool[]): Job[] => {
  // In tests, text for another shell stands in single quotes, and bats reads variables that nobody here does.
  const forTests = ['--severity=warning', '--exclude=SC2034,SC2154'];
  const all = [
    {
      name: 'oxlint',
      words: ['oxlint', '--deny-warnings', '--type-aware', 'src', 'test', '.ci/release', 'vitest.config.ts'],
    },
    { name: 'oxfmt', words: ['oxfmt', '--check', 'src', 'test', '.ci/release', 'vitest.config.ts'] },
    { name: 'tsc', words: ['tsc'] },
    {
      name: 'shellcheck',
      words: ['shellcheck', ...scriptsIn('shell', 'completions'), join('.ci', 'run')],
    },
    { name: 'shellcheck of the tests', words: ['shellcheck', ...forTests, ...scriptsIn('test')] },
  ];
  return all.map(({ name, words }) => async () => {
    const isClean = !missing.some((tool) => tool.name === words[0]) && (await run(words)) === 0;
    console.log(`${isClean ? 'ok' : 'not ok'}: ${name}`);
    return { passed: Number(isClean), failed: Number(!isClean) };
  });
};

const suites = (files: readonly SuiteFile[], missing: readonly Tool[]): Job[] => {
  const canRun = (file: SuiteFile): boolean => {
    const lacking = missing.filter((tool) => mentions(root, file, tool.pattern));
    if (lacking.length > 0) {
      console.log(`not ok: ${file.path} needs ${lacking.map(({ name }) => name).join(', ')}`);
    }
    return lacking.length === 0;
  };
  const able = files.filter(canRun);
  const pathsOf = (runner: SuiteFile['runner']): string[] =>
    able.filter((file) => file.runner === runner).map(({ path }) => path);
  const unit = pathsOf('vitest');
  return [
    async () => ({ passed: 0, failed: files.length - able.length }),
    ...(unit.length === 0 ? [] : [() => runVitest(unit)]),
    ...pathsOf('bats').map((path) => () => runBats(path)),
  ];
};

const runVitest = async (paths: readonly string[]): Promise<Count> => {
  const report = join(reports, 'vitest.json');
  rmSync(report, { force: true });
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const exitCode = await run(['vitest', 'run', ...options, ...paths]);
  const text: unknown = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const numbers = new Map(Object.entries(typeof text === 'object' && text !== null ? text : {}));
  const number = (name: string): number => Number(numbers.get(name) ?? 0);
  const passed = number('numPassedTests');
  const failed = number('numFailedTests') + number('numPendingTests') + number('numTodoTests');
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
};

/** Runs one file; its report appears as a whole, since others run beside it. */
const runBats = async (path: string): Promise<Count> => {
  const words = [bats, '--timing', '--formatter', 'tap', path];
  const { stdout, exitCode } = await execa('bash', words, {
    cwd: root,
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
  });
  console.log(`# ${path}\n${stdout}`);
  const lines = stdout.split('\n');
  const skipped = lines.filter((line) => /^ok .* # skip/i.test(line)).length;
  const passed = lines.filter((line) => line.startsWith('ok ')).length - skipped;
  const notOk = lines.filter((line) => line.startsWith('not ok ')).length;
  const planned = Number(/^1\.\.(\d+)$/m.exec(stdout)?.[1] ?? 0);
  const failed = Math.max(notOk + skipped, planned - passed);
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
};

process.exitCode = await runSuites(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`aws-iam-login: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
