import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandNames } from '../src/cli/commands.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import { makeAuthority, makeServerCertificate } from './support/certificates.ts';
import { type InspectingProxy, startInspectingProxy } from './support/inspecting-proxy.ts';
import { describeOnLinux } from './support/linux.ts';
import { pack, root } from './support/package.ts';
import { type Home, keyLines, makeHome, runCommand, sectionOf, writeCredentials } from './support/program.ts';

// What SECURITY.md says, held against the tests that it names and against what the kernel sees of the packed file, unpacked
// in an empty folder.

const page = fs.readFileSync(join(root, 'SECURITY.md'), 'utf8');

/** The rows of every table with these columns. */
const rowsOf = (header: string): string[][] =>
  page
    .split(`| ${header} |\n`)
    .slice(1)
    .flatMap((after) => after.split('\n\n')[0]?.split('\n').slice(1) ?? [])
    .map((line) => line.slice(2, -2).split(' | '));

const claims = rowsOf('what holds | shown by').map(([, shown = '']) => {
  const [, file = '', title = ''] = /^`(.*)`: (.*)$/.exec(shown) ?? [];
  return { file, title };
});

test.each(claims)('$file has the test: $title', ({ file, title }) => {
  const text = fs.readFileSync(join(root, 'test', file), 'utf8');
  expect([`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => text.includes(quoted))).toBe(true);
});

/** A process that was started, a path that was opened or changed, or an address that was connected to. */
type Seen = {
  readonly command: string;
  readonly call: string;
  readonly line: string;
  readonly texts: readonly string[];
};

const seen: Seen[] = [];
const secrets: string[] = [];
const folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-security-')));
const unpacked = join(folder, 'package');
const workplace = join(folder, 'repository');
/** What is asked of the metadata service of an instance. */
const metadataAsked: string[] = [];
const metadata = http.createServer((request, response) => {
  metadataAsked.push(`${request.method} ${request.url}`);
  response.end('token');
});
let aws: LocalAws;
let proxy: InspectingProxy;
let home: Home;

afterAll(() => fs.rmSync(folder, { recursive: true }));

const trace = async (words: readonly string[], input?: string): Promise<void> => {
  const log = join(folder, 'trace');
  const strace = ['-f', '-qq', '-s', '100000', '-e', 'trace=%file,%network', '-e', 'signal=none', '-o', log];
  const program = join(home.folder, 'bin', 'aws-iam-login');
  const { exitCode, stderr } = await runCommand(home, 'strace', [...strace, program, ...words], {
    cwd: workplace,
    input,
  });
  const command = words.join(' ');
  if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}: ${stderr}`);
  for (const line of fs.readFileSync(log, 'latin1').split('\n')) {
    const [, call = ''] = /^\d+ +(\w+)\(/.exec(line) ?? [];
    const texts = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text);
    seen.push({ command, call, line, texts });
  }
};

const noteSecrets = (): void => {
  for (const section of ['default', 'default-sts', 'admin-sts']) {
    const { aws_secret_access_key: secret, aws_session_token: token } = sectionOf(home, section);
    for (const each of [secret, token]) if (each !== undefined) secrets.push(each);
  }
};

const portOf = (server: http.Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
};

/** `pass`, in nothing but what sh has itself: what gpg touches is not ours. */
const fakePass = `#!/bin/sh
for item; do :; done
case $1 in
  show) [ -r "$HOME/.password-store/$item.gpg" ] || { echo "Error: $item is not in the password store." >&2; exit 1; }
    while IFS= read -r line; do printf '%s\\n' "$line"; done <"$HOME/.password-store/$item.gpg" ;;
  insert) while IFS= read -r line; do printf '%s\\n' "$line"; done >"$HOME/.password-store/$item.gpg" ;;
  rm) : >"$HOME/.password-store/$item.gpg" ;;
esac
`;

/** The packed file in an empty folder, as `aws-iam-login` on the PATH of the home. */
const unpack = async (): Promise<void> => {
  const { filename } = await pack(folder);
  await execa('tar', ['-xzf', join(folder, filename), '-C', folder]);
  const bin = join(home.folder, 'bin');
  fs.rmSync(join(bin, 'aws-iam-login'));
  fs.symlinkSync(join(unpacked, 'shell', 'aws-iam-login.sh'), join(bin, 'aws-iam-login'));
  fs.writeFileSync(join(bin, 'pass'), fakePass, { mode: 0o755 });
  const store = join(home.folder, '.password-store');
  fs.mkdirSync(join(store, 'aws-iam-login'), { recursive: true });
  fs.writeFileSync(join(store, '.gpg-id'), 'jane\n');
};

/** A home without anything of ours, where AWS has the addresses that it has, all of them behind a proxy. */
const setStage = async (): Promise<{ readonly code: () => string }> => {
  const company = makeAuthority(folder, 'company');
  const authority = makeAuthority(folder, 'authority');
  const names = ['iam', '*', '*.eu-west-1', 'eu-west-1.signin.aws', 'signin.aws'];
  const certificate = makeServerCertificate(
    folder,
    'proxy',
    ['IP:127.0.0.1', ...names.flatMap((name) => [`DNS:${name}.amazonaws.com`, `DNS:${name}.amazon.com`])],
    company,
  );
  aws = await startLocalAws({ tls: makeServerCertificate(folder, 'server', ['IP:127.0.0.1'], authority) });
  proxy = await startInspectingProxy({ certificate, upstream: aws.url, trusts: authority });
  const jane = aws.createUser();
  const phone = aws.addMfaDevice(jane);
  const role = aws.createRole({ name: 'admin', requireMfa: true });
  home = makeHome(aws.url);
  delete home.env['AWS_ENDPOINT_URL'];
  delete home.env['AWS_ENDPOINT_URL_SIGNIN'];
  Object.assign(home.env, { HTTPS_PROXY: `http://${proxy.host}`, AWS_CA_BUNDLE: company.path });
  await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve));
  delete home.env['AWS_EC2_METADATA_DISABLED'];
  home.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = `http://127.0.0.1:${portOf(metadata)}`;
  await unpack();
  writeCredentials(home, `[default]\n${keyLines(jane)}`);
  fs.writeFileSync(
    home.config,
    `[default]\nregion = eu-west-1\n\n[profile admin]\nrole_arn = ${role.arn}\nsource_profile = default\nmfa_serial = ${phone.serialNumber}\n`,
  );
  fs.writeFileSync(join(home.folder, '.bashrc'), '# mine\n');
  // what a program that reads the folder it is in would read
  fs.mkdirSync(join(workplace, '.aws'), { recursive: true });
  fs.mkdirSync(join(workplace, 'node_modules'));
  for (const name of ['.env', '.envrc', '.npmrc', 'package.json', join('.aws', 'config'), 'tsconfig.json']) {
    fs.writeFileSync(join(workplace, name), '');
  }
  return { code: () => phone.code() };
};

describeOnLinux('every command under strace', () => {
  beforeAll(async () => {
    const { code } = await setStage();
    for (const words of [['--version'], ['--help'], ['help', 'roles'], ['init']]) await trace(words);
    await trace(['login', '--token-code', '-'], code());
    for (const words of [
      ['env'],
      ['env', 'admin'],
      ['exec', '--', 'true'],
      ['exec', 'admin', '--as', 'process', 'true'],
      ['credential-process', 'admin'],
      ['status'],
      ['list', '--json=true'],
      ['doctor'],
      ['console', 'admin', '--print'],
      ['policy'],
      ['init', '--roles', '--yes'],
      ['hook', 'bash'],
      ['completion', 'zsh'],
      ['setup', 'bash', '--yes'],
      ['setup', 'zsh', '--yes'],
      ['setup', 'fish', '--yes'],
    ]) {
      await trace(words);
      noteSecrets();
    }
    await trace(['rotate', 'default', '--yes']);
    noteSecrets();
    metadataAsked.push('only then');
    for (const place of ['pass', 'file']) await trace(['init', '--key-store', place, '--yes']);
    for (const words of [['logout'], ...['bash', 'zsh', 'fish'].map((shell) => ['setup', shell, '--remove'])])
      await trace([...words, ...(words[0] === 'setup' ? ['--yes'] : [])]);
    await trace(['setup', 'bash', '--remove', '--purge', '--yes']);
  }, 300_000);

  afterAll(async () => {
    await Promise.all([proxy.close(), aws.close(), new Promise((resolve) => metadata.close(resolve))]);
    home.remove();
  });

  test('every command was traced', () => {
    const traced = new Set(seen.map(({ command }) => command.split(' ')[0]));
    // use is the shell's own, and the other two are options as well
    const own = ['use', 'help', 'version'];
    expect(commandNames.filter((name) => !traced.has(name) && !own.includes(name))).toEqual([]);
  });

  test('the program touches what SECURITY.md lists, and nothing else', () => {
    const [written, read] = [patterns('written'), patterns('read')];
    // folders that are there are made and looked at all the same
    const folders = [
      home.folder,
      fs.realpathSync(os.tmpdir()),
      '/',
      join(home.folder, '.aws'),
      join(home.folder, '.local', 'share'),
      join(home.folder, '.config', 'fish', 'conf.d'),
    ];
    const ours = [
      unpacked,
      dirname(dirname(process.execPath)),
      join(home.folder, 'bin'),
      join(folder, 'company'),
    ];
    const isListed = ({ call, line, texts }: Seen): boolean =>
      texts.every((path) => {
        if (written.some((pattern) => pattern.test(path))) return true;
        if (call === 'mkdir' && folders.some((each) => each.startsWith(path))) return true;
        if (call !== 'openat' || /O_(?:WRONLY|RDWR|CREAT)/.test(line)) return false;
        if (read.some((pattern) => pattern.test(path))) return true;
        return ours.some((each) => path.startsWith(each)) || folders.includes(path);
      });
    const touches = seen.filter(({ call }) => touching.has(call));
    expect(
      touches.filter((each) => !isListed(each)).map(({ command, line }) => `${command}: ${line}`),
    ).toEqual([]);
    const paths = touches.flatMap(({ texts }) => texts);
    expect(written.filter((pattern) => !paths.some((path) => pattern.test(path)))).toEqual([]);
  });

  test('the programs that it starts are those of SECURITY.md', () => {
    const started = seen
      .filter(({ call, line }) => call === 'execve' && !line.includes(') = -1 '))
      .map(({ texts: [path = ''] }) => path.split('/').at(-1) ?? '');
    const listed = rowsOf('program | for').flatMap(([names = '']) => names.replaceAll('`', '').split(', '));
    // ours, the command of exec, and the key store
    const known = new Set([...listed, 'aws-iam-login', 'true', 'pass', basename(process.execPath)]);
    expect(started).toContain('node');
    expect(started.filter((name) => !known.has(name.endsWith('awk') ? 'awk' : name))).toEqual([]);
  });

  test('the programs that hook and completion start are those of SECURITY.md', () => {
    const scripts = ['shell', 'completions'].flatMap((name) =>
      fs.readdirSync(join(unpacked, name)).map((file) => join(unpacked, name, file)),
    );
    // the scripts say `command` before every program, so that no function of the user's takes its place
    const place =
      /(?<=(?:^|[({;&|\\]|\b(?:if|and|or|not|then|else))\s*)command (?:-sq )?([a-z-]+)(?= ["'$+-]|;|$)/gm;
    const started = scripts.flatMap((file) =>
      [...fs.readFileSync(file, 'utf8').matchAll(place)].map(([, name = '']) => name),
    );
    const listed = rowsOf('program | for').flatMap(([names = '']) => names.replaceAll('`', '').split(', '));
    expect(started).toEqual(expect.arrayContaining(['stty', 'perl', 'readlink']));
    expect(started.filter((name) => ![...listed, 'aws-iam-login'].includes(name))).toEqual([]);
  });

  test('no process gets a secret as an argument', () => {
    expect(secrets.length).toBeGreaterThan(4);
    const starts = seen.filter(({ call }) => call === 'execve');
    expect(starts.filter(({ line }) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  });

  test('it connects to AWS at the addresses of SECURITY.md, and to nothing else', () => {
    const [host, port] = proxy.host.split(':');
    const connected = seen
      .filter(({ call }) => call === 'connect')
      .filter(
        ({ line }) =>
          ![port, portOf(metadata)].some((each) =>
            line.includes(`htons(${each}), sin_addr=inet_addr("${host}")`),
          ),
      );
    expect(connected).toEqual([]);
    // the address that the one on loopback stands for
    expect(metadataAsked).toEqual(['only then', 'PUT /latest/api/token']);
    const asked = [...proxy.asked, '169.254.169.254:80'];
    const listed = rowsOf('address | for').map(([cell = '']) =>
      cell.replaceAll('`', '').replaceAll('<region>', 'eu-west-1'),
    );
    expect(new Set(asked)).toEqual(new Set(listed));
  });
});

/** The calls that open or change what a path names. */
const touching = new Set(
  [
    'open',
    'openat',
    'creat',
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'symlink',
    'symlinkat',
  ].concat([
    'unlink',
    'unlinkat',
    'mkdir',
    'mkdirat',
    'rmdir',
    'chmod',
    'fchmodat',
    'chown',
    'fchownat',
    'truncate',
  ]),
);

/** The paths of a kind that SECURITY.md lists. */
const patterns = (kind: string): RegExp[] =>
  rowsOf('path | is | for')
    .filter(([, is]) => is === kind)
    .flatMap(([paths = '']) => [...paths.matchAll(/`([^`]+)`/g)].map(([, path = '']) => toPattern(path)));

const toPattern = (glob: string): RegExp => {
  const parts: Readonly<Record<string, string>> = {
    '~': home.folder,
    '.': '\\.',
    '/**': '(?:/.*)?',
    '*': '[^/]*',
  };
  return new RegExp(`^${glob.replaceAll(/\/\*\*|[~.*]/g, (part) => parts[part] ?? part)}$`);
};
