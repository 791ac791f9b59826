import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, 'build');

/** How many tests a suite ran, by its own report. What was skipped counts as failed. */
type Count = { readonly passed: number; readonly failed: number };

/** What the suites call, by what Debian and Homebrew name the package. */
const tools: ReadonlyArray<{ readonly command: string; readonly debian: string; readonly brew: string }> = [
  { command: 'zsh', debian: 'zsh', brew: 'zsh' },
  { command: 'fish', debian: 'fish', brew: 'fish' },
  { command: 'tmux', debian: 'tmux', brew: 'tmux' },
  { command: 'shellcheck', debian: 'shellcheck', brew: 'shellcheck' },
  { command: 'curl', debian: 'curl', brew: 'curl' },
  { command: 'openssl', debian: 'openssl', brew: 'openssl' },
  { command: 'ps', debian: 'procps', brew: '' },
  { command: 'oathtool', debian: 'oathtool', brew: 'oath-toolkit' },
  { command: 'direnv', debian: 'direnv', brew: 'direnv' },
  { command: 'zoxide', debian: 'zoxide', brew: 'zoxide' },
  ...(process.platform === 'linux' ? [{ command: 'strace', debian: 'strace', brew: '' }] : []),
  ...(process.platform === 'linux' ? [{ command: 'setfacl', debian: 'acl', brew: '' }] : []),
  ...(process.platform === 'linux' ? [{ command: 'setfattr', debian: 'attr', brew: '' }] : []),
];

const runSuites = async (): Promise<number> => {
  await installTools();
  mkdirSync(reports, { recursive: true });
  const counts = [
    await check('oxlint', ['oxlint', '--deny-warnings', '--type-aware', 'src', 'test']),
    await check('oxfmt', ['oxfmt', '--check', 'src', 'test']),
    await check('tsc', ['tsc']),
    await check('shellcheck', ['shellcheck', ...scriptsIn('shell', 'completions'), join('.ci', 'run')]),
    // In tests, text for another shell stands in single quotes, and bats reads variables that nobody here does.
    await check('shellcheck of the tests', [
      'shellcheck',
      '--severity=warning',
      '--exclude=SC2034,SC2154',
      ...scriptsIn('test'),
    ]),
    await runVitest(),
    await runBats(),
  ];
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
};

/** Installs what is missing with the machine's package manager, or says what to install and raises an error. */
const installTools = async (): Promise<void> => {
  const missing = tools.filter(({ command }) => !isOnPath(command));
  const python = await run(['/usr/bin/python3', '-c', 'import boto3'], 'ignore');
  const debian = [
    ...missing.map((tool) => tool.debian),
    ...(existsSync('/usr/bin/aws') ? [] : ['awscli']),
    ...(python === 0 ? [] : ['python3-boto3']),
  ];
  const brew = [...missing.map((tool) => tool.brew), ...(isOnPath('aws') ? [] : ['awscli'])];
  if (isOnPath('apt-get')) {
    if (debian.length > 0) await installByApt(debian);
  } else if (brew.length > 0) {
    const installed = isOnPath('brew') && (await run(['brew', 'install', ...brew])) === 0;
    if (!installed) throw new Error(`the suites need more on this machine: brew install ${brew.join(' ')}`);
  }
};

const installByApt = async (packages: readonly string[]): Promise<void> => {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const aptGet = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  console.log(`installing ${packages.join(' ')}`);
  const updated = await run([...aptGet, 'update', '-qq'], 'ignore');
  const installed = await run(
    [...aptGet, 'install', '-y', '-qq', '--no-install-recommends', ...packages],
    'ignore',
  );
  if (updated !== 0 || installed !== 0) {
    throw new Error(`the suites need more on this machine: apt-get install ${packages.join(' ')}`);
  }
};

const isOnPath = (command: string): boolean =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, command)));

const scriptsIn = (...folders: readonly string[]): string[] =>
  folders
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((path) => /\.(bash|bats)$/.test(path));

/** Runs a command and resolves to its exit code, 127 when it cannot be started. */
const run = async (command: readonly string[], stdout: 'inherit' | 'ignore' = 'inherit'): Promise<number> => {
  const [file = '', ...parameters] = command;
  const result = await execa(file, parameters, {
    cwd: root,
    preferLocal: true,
    stdin: 'ignore',
    stdout,
    stderr: stdout,
    reject: false,
  });
  return result.exitCode ?? 127;
};

const check = async (name: string, command: readonly string[]): Promise<Count> => {
  const isClean = (await run(command)) === 0;
  console.log(`${isClean ? 'ok' : 'not ok'}: ${name}`);
  return { passed: Number(isClean), failed: Number(!isClean) };
};

const runVitest = async (): Promise<Count> => {
  const report = join(reports, 'vitest.json');
  const exitCode = await run([
    'vitest',
    'run',
    // Its own choice on two cores is one, and most tests wait for processes.
    '--maxWorkers=2',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const text: unknown = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const numbers = new Map(Object.entries(typeof text === 'object' && text !== null ? text : {}));
  const number = (name: string): number => Number(numbers.get(name) ?? 0);
  const passed = number('numPassedTests');
  const failed = number('numFailedTests') + number('numPendingTests') + number('numTodoTests');
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
};

const runBats = async (): Promise<Count> => {
  const bats = execa('bash', ['node_modules/bats/bin/bats', '--formatter', 'tap', 'test'], {
    cwd: root,
    stdin: 'ignore',
    stderr: 'inherit',
    reject: false,
  });
  bats.stdout.pipe(process.stdout);
  const { stdout, exitCode } = await bats;
  const lines = stdout.split('\n');
  const skipped = lines.filter((line) => /^ok .* # skip/i.test(line)).length;
  const passed = lines.filter((line) => line.startsWith('ok ')).length - skipped;
  const notOk = lines.filter((line) => line.startsWith('not ok ')).length;
  const planned = Number(/^1\.\.(\d+)$/m.exec(stdout)?.[1] ?? 0);
  const failed = Math.max(notOk + skipped, planned - passed);
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
};

process.exitCode = await runSuites().catch((error: unknown) => {
  console.error(`aws-iam-login: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
