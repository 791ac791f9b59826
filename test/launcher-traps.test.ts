import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeOnLinux } from './support/linux.ts';
import { awkProgram, awks, makePath, posixCommands, quoted } from './support/launcher.ts';
import {
  type Home,
  type RunOptions,
  launcher,
  makeHome,
  program,
  runCommand,
  startCommand,
  until,
  writeCredentials,
} from './support/program.ts';

vi.setConfig({ testTimeout: 60_000 });

const secret = 'secret+ONE/';
const session = (expiration = '2099-01-01 00:00:00+00:00'): string =>
  `[default]\naws_access_key_id = AKIAONE\naws_secret_access_key = x\n\n[default-sts]\naws_access_key_id = ASIAONE\naws_secret_access_key = ${secret}\naws_session_token = token/ONE==\nexpiration = ${expiration}\n`;

let home: Home;
let tools: string;

beforeEach(() => {
  home = makeHome('http://127.0.0.1:9');
  tools = join(home.folder, 'tools');
  home.env['PATH'] = makePath(tools, 'gawk');
  writeCredentials(home, session());
});

afterEach(() => home.remove());

const overridden = (name: string, script: string): void => {
  for (const each of name === 'awk' ? ['awk', 'mawk'] : [name])
    fs.writeFileSync(join(tools, each), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};

const useNode = (): void => {
  fs.rmSync(join(tools, 'node'));
  fs.symlinkSync(process.execPath, join(tools, 'node'));
};

const runIn = (shell: string, words: readonly string[], options: RunOptions = {}) => {
  const [command = '', ...given] = [...shell.split(' '), launcher, ...words];
  return runCommand(home, command, given, options);
};

const ask = (words: readonly string[], options: RunOptions = {}) => runIn('dash', words, options);

test('a live session is answered without Node', async () => {
  const { exitCode, stdout, stderr } = await ask(['env']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(`AWS_SECRET_ACCESS_KEY='${secret}'`);
});

describe.each(posixCommands)('%s', (shell) => {
  test('what the surroundings define or trace changes nothing, and shows no secret', async () => {
    const file = join(home.folder, 'start');
    fs.writeFileSync(
      file,
      'alias awk=false printf=false case=false command=false echo=false exec=false\nset -x\n',
    );
    const env = {
      'BASH_FUNC_awk%%': '() { echo caught; }',
      'BASH_FUNC_mawk%%': '() { echo caught; }',
      'BASH_FUNC_printf%%': '() { echo caught; }',
      'BASH_FUNC_command%%': '() { echo caught; }',
      'BASH_FUNC_[%%': '() { echo caught; }',
      ENV: file,
      SHELLOPTS: 'xtrace:verbose:allexport:noglob:nounset:errexit',
      IFS: 'AWS',
      CDPATH: '/',
      LC_ALL: 'tr_TR.UTF-8',
    };
    const { stdout } = await ask(['env']);
    // bash with POSIXLY_CORRECT does not look at SHELLOPTS
    for (const POSIXLY_CORRECT of [undefined, '1']) {
      const answer = await runIn(shell, ['env'], { env: { ...env, POSIXLY_CORRECT } });
      expect(answer).toMatchObject({ exitCode: 0, stdout });
      expect(answer.stderr).not.toMatch(/\bail_sure=/);
      expect(answer.stderr).not.toContain(secret);
    }
    // only shells that think they are interactive read ENV; busybox greets then
    for (const asked of [shell, `${shell} -i`]) {
      const answer = await runIn(asked, ['env', '--stored'], { env });
      expect(answer.stdout).toContain(stdout);
      expect(answer.stderr).not.toContain(secret);
    }
  });

  test('an answer that awk has not given is none', async () => {
    for (const script of ['exit 0', 'exit 1', 'exit 2', 'exit 81x', 'echo export X=1; kill -9 $$']) {
      overridden('awk', script);
      expect(await runIn(shell, ['env', '--stored'])).toMatchObject({ exitCode: 2 });
    }
    overridden('awk', 'exit 2');
    expect(await runIn(shell, ['env'])).toMatchObject({ exitCode: 0, stdout: 'handed over\n' });
  });

  test('a Node that cannot be started still ends in false', async () => {
    for (const [words, code, stdout] of [
      [['env', 'nobody'], 1, 'false\n'],
      [['env', 'nobody', '--format', 'process'], 1, ''],
      [['nobody', 'env', '--as=profile', '--format=fish'], 1, 'false\n'],
      [['login'], 1, ''],
      [['exec', 'nobody', '--', 'true'], 125, ''],
    ] as const) {
      fs.rmSync(join(tools, 'node'), { force: true });
      const env = { PATH: onlyTools() };
      const gone = await runIn(shell, words, { env });
      expect(gone).toMatchObject({ exitCode: code, stdout });
      expect(gone.stderr).toBe(
        'aws-iam-login: could not start Node, which this needs: there is no node on PATH\n  hint: install Node 20.19 or newer\n',
      );
      // The others take whatever the system cannot start for a script of their own.
      if (!/^dash|--posix$|^mksh/.test(shell)) continue;
      fs.writeFileSync(join(tools, 'node'), '\u007FELF\0no program', { mode: 0o755 });
      const broken = await runIn(shell, words, { env });
      expect(broken.exitCode).toBeGreaterThan(0);
      expect(broken.stdout).toBe(stdout);
    }
  });
});

// All that the launcher calls, and no Node; made once, so that every shell finds itself too.
const onlyTools = (): string => {
  for (const name of ['readlink', 'tr', 'grep', 'wc', 'cat', 'printf', 'gawk']) {
    const path = spawnSync('sh', ['-c', `command -v ${name}; type -P ${name} 2>/dev/null`]).stdout;
    const found =
      String(path)
        .split('\n')
        .find((line) => line.startsWith('/')) ?? `/usr/bin/${name}`;
    if (!fs.existsSync(join(tools, name))) fs.symlinkSync(found, join(tools, name));
  }
  for (const command of posixCommands) {
    const [name = ''] = command.split(' ');
    const found = String(spawnSync('sh', ['-c', `command -v ${name}`]).stdout).trim();
    if (found !== name && !fs.existsSync(join(tools, name))) fs.symlinkSync(found, join(tools, name));
  }
  return tools;
};

test('without an awk everything goes to Node', async () => {
  const path = onlyTools();
  for (const awk of ['awk', 'mawk', 'gawk']) fs.rmSync(join(tools, awk));
  const env = { PATH: path };
  expect(await ask(['env'], { env })).toMatchObject({ exitCode: 0, stdout: 'handed over\n' });
  expect(await ask(['env', '--stored'], { env })).toMatchObject({ exitCode: 2, stdout: '' });
});

describe.each(awks)('%s', (awk) => {
  beforeEach(() => {
    home.env['PATH'] = makePath(tools, awk);
  });

  test('Unix times beyond 2^31 are written out', async () => {
    expect((await ask(['env', '--stored'])).stdout).toContain("AWS_IAM_LOGIN_EXPIRES_AT='4070908800'");
  });

  test.each(['a=b', 'x=1 y', '-', '-f', 'a\\nb', '%d', "it's", 'ü', '*', '$HOME', '/dev/stdin/../x'])(
    'files called %s are read',
    async (name) => {
      const folder = join(home.folder, 'odd');
      fs.mkdirSync(folder);
      const own = name.replaceAll('/', '_');
      fs.writeFileSync(join(folder, own), session());
      for (const path of [join(folder, own), own]) {
        const env = { AWS_SHARED_CREDENTIALS_FILE: path, AWS_CONFIG_FILE: `${path}.missing` };
        const { exitCode, stdout } = await ask(['env', '--stored'], { env, cwd: folder });
        expect({ exitCode, isRead: stdout.includes(secret) }).toEqual({ exitCode: 0, isRead: true });
      }
    },
  );

  test('stdin stays with whoever it belongs to, also with an awk that reads it', async () => {
    for (const name of ['awk', 'mawk']) {
      const script = fs.readFileSync(join(tools, name), 'utf8');
      fs.writeFileSync(join(tools, name), script.replace('\n', '\ncat >/dev/null\n'));
    }
    const script = `${quoted(launcher)} env --stored >/dev/null; cat`;
    const { stdout } = await runCommand(home, 'dash', ['-c', script], { input: '[default]\nmine\n' });
    expect(stdout).toBe('[default]\nmine\n');
  });

  test('a file of which this awk loses a part is not for it', async () => {
    for (const [from, to] of [
      ['ASIAONE', 'ASIA\0ONE'],
      ['aws_session_token', '\0\naws_session_token'],
      ['00:00\n', '00:00\nregion = eu-west-1\n\0\nregion\0 = x\n'],
      ['[default-sts]', '\0[default-sts]'],
      ['[default]', '[default-sts]\0\nregion = eu-west-9\n[default]'],
    ] as const) {
      writeCredentials(home, session().replace(from, to));
      const { exitCode, stdout } = await ask(['env', '--stored']);
      const core = await runCommand(home, process.execPath, [program, 'env', '--stored']);
      expect([
        { exitCode: 2, stdout: '' },
        { exitCode: core.exitCode, stdout: core.stdout },
      ]).toContainEqual({ exitCode, stdout });
    }
  });

  test('10,000 profiles are read as one is, in one piece, with no end of the last line, without a zero byte', async () => {
    const others = Array.from({ length: 10_000 }, (_, index) => `[profile-${index}]\nregion = x\n`).join(
      '\n',
    );
    for (const text of [others + session(), session() + others.trimEnd(), session().trimEnd()]) {
      writeCredentials(home, text);
      const { exitCode, stdout } = await ask(['env', '--stored']);
      expect({ exitCode, isRead: stdout.includes(secret) }).toEqual({ exitCode: 0, isRead: true });
    }
    writeCredentials(home, `${others}\n[zero]\nx = a\0b\n${session()}`);
    expect((await ask(['env', '--stored'])).exitCode).toBe(2);
  });

  test('the clock is that of the machine', async () => {
    for (const [seconds, exitCode] of [
      [240, 1],
      [360, 0],
    ] as const) {
      const end = new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19);
      writeCredentials(home, session(end));
      expect((await ask(['env', '--stored'])).exitCode).toBe(exitCode);
    }
  });
});

// What srand() says of the clock: seconds, in mawk since 2021 micro- or nanoseconds, or nothing of use.
test.each([
  ['1790000000', '1790000000', 0],
  ['1790000000123456', '1790000000123999', 0],
  ['1790000000123456789', '1790000000999999999', 0],
  ['1790000000999999', '1790000001000001', 0],
  ['1790000000', '1790000400', 2],
  ['12', '12', 2],
  ['0', '0', 2],
  ['-5', '-5', 2],
])('a clock that says %s and then %s', async (one, two, exitCode) => {
  const calls = awkProgram().split('whole_seconds(srand())');
  expect(calls).toHaveLength(3);
  const text = `${calls[0]}whole_seconds(${one})${calls[1]}whole_seconds(${two})${calls[2]}`;
  fs.writeFileSync(join(home.folder, 'program.awk'), text);
  overridden('awk', `shift\nexec gawk -f ${quoted(join(home.folder, 'program.awk'))} "$@"`);
  const end = new Date(1_790_000_000_000 + 300_000).toISOString().slice(0, 19);
  writeCredentials(home, session(one.endsWith('999999') ? '2099-01-01 00:00:00' : end));
  expect((await ask(['env', '--stored'])).exitCode).toBe(exitCode);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends in false where a shell evaluates stdout', async (signal, exitCode) => {
  const pid = join(home.folder, 'pid');
  overridden('awk', `echo $$ >${quoted(pid)}.new; mv ${quoted(pid)}.new ${quoted(pid)}; exec sleep 60`);
  for (const [words, stdout] of [
    [['env'], 'false\n'],
    [['env', '--format=process'], ''],
  ] as const) {
    fs.rmSync(pid, { force: true });
    const { child, ended } = startCommand(home, 'dash', [launcher, ...words]);
    await until(() => fs.existsSync(pid));
    child.kill(signal);
    process.kill(Number(fs.readFileSync(pid, 'utf8')), 'SIGTERM');
    expect(await ended).toMatchObject({ exitCode, stdout });
  }
});

test('a machine whose Node has gone still gets its live session', async () => {
  fs.rmSync(join(tools, 'node'));
  expect(await ask(['env'], { env: { PATH: onlyTools() } })).toMatchObject({ exitCode: 0, stderr: '' });
});

test('what is no file that can be read is the program’s to judge', async () => {
  for (const make of [
    () => fs.mkdirSync(home.config),
    () => fs.symlinkSync('config', home.config),
    () => fs.symlinkSync('nowhere', home.config),
    () => spawnSync('mkfifo', [home.config]),
  ]) {
    make();
    expect((await ask(['env', '--stored'])).exitCode).toBe(2);
    fs.rmSync(home.config, { recursive: true });
  }
  const env = { AWS_CONFIG_FILE: join(home.folder, 'no', 'such', 'folder') };
  expect((await ask(['env', '--stored'], { env })).exitCode).toBe(2);
  expect((await ask(['env', '--stored'], { env: { HOME: undefined } })).exitCode).toBe(2);
  expect((await ask(['env', '--stored'], { env: { AWS_CONFIG_FILE: '/dev/null' } })).exitCode).toBe(0);
});

test('stdout that is no pipe is for Node, which sees a full disk and a terminal', async () => {
  const script = `${quoted(launcher)} env >${quoted(join(home.folder, 'out'))}`;
  await runCommand(home, 'dash', ['-c', script]);
  expect(fs.readFileSync(join(home.folder, 'out'), 'utf8')).toBe('handed over\n');
});

/** A copy as `setup` makes one, with this stamp; the path of its launcher. */
const copyWithStamp = (stamp: string): string => {
  const folder = join(home.folder, 'copies', 'shell');
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(launcher, join(folder, 'aws-iam-login.sh'));
  fs.writeFileSync(join(folder, '..', 'stamp'), stamp);
  return join(folder, 'aws-iam-login.sh');
};

/** A program of the test's own among the tools. */
const writeTool = (name: string, text: string): string => {
  const path = join(tools, name);
  fs.writeFileSync(path, text, { mode: 0o755 });
  return path;
};

describeOnLinux('exec', () => {
  test('of a live session becomes the command, with its name, its words and our stdin', async () => {
    const words = ['-c', 'echo $0 $$ $1; cat; exit 7', 'me', '--stored'];
    const { stdout, exitCode } = await runCommand(
      home,
      'sh',
      ['-c', 'echo $$; exec "$@"', 'sh', 'dash', launcher, 'exec', 'default', 'sh', ...words],
      { input: 'what comes in' },
    );
    const [pid] = stdout.split('\n');
    expect({ stdout, exitCode }).toEqual({
      stdout: `${pid}\nme ${pid} --stored\nwhat comes in`,
      exitCode: 7,
    });
  });

  test('runs a program of the name of a builtin, and traces nothing', async () => {
    for (const name of ['echo', 'test', 'kill', 'cd', 'exec', 'set', 'env'])
      writeTool(name, `#!/bin/sh\nprintf '%s: %s\\n' "$0" "$AWS_SECRET_ACCESS_KEY"\n`);
    // that of mksh runs its own builtins
    for (const shell of posixCommands.filter((each) => each !== 'mksh')) {
      for (const name of ['echo', 'test', 'kill', 'cd', 'exec', 'set', 'env']) {
        const ended = await runIn(shell, ['exec', '--', name], { env: { SHELLOPTS: 'xtrace' } });
        expect(ended).toMatchObject({ exitCode: 0, stdout: `${join(tools, name)}: ${secret}\n` });
        expect(ended.stderr).not.toContain(secret);
      }
    }
  });

  // bash takes a ~ for HOME and makes paths whole, dash and BusyBox have a %func of their own
  test.each(['~/bin:', '.:', 'bin:', ':', '/%func:'])(
    'leaves to the program what to find in a PATH that begins with %s',
    async (folder) => {
      const env = { PATH: `${folder}${home.env['PATH'] ?? ''}` };
      expect(await ask(['exec', '--', 'true'], { env })).toMatchObject({ stdout: 'handed over\n' });
      expect(await ask(['exec', '--', '/bin/true'], { env })).toMatchObject({ stdout: '' });
    },
  );

  test('tells a script its path as it was given', async () => {
    writeTool('script', '#!/bin/sh\necho "$0"\n');
    // a Node that runs the command
    writeTool('node', '#!/bin/sh\nshift 3\nexec env "$@"\n');
    for (const shell of posixCommands) {
      const words = ['exec', '--', './tools/script'];
      const { stdout } = await runIn(shell, words, { cwd: home.folder });
      expect({ shell, stdout }).toEqual({ shell, stdout: './tools/script\n' });
    }
  });

  test('hands on no option of its own in a SHELLOPTS that is exported', async () => {
    for (const shell of posixCommands) {
      for (const env of [{ SHELLOPTS: 'braceexpand' }, { SHELLOPTS: 'braceexpand', 'a.b': 'for Node' }]) {
        writeTool('node', '#!/bin/sh\nshift 4\nexec "$@"\n');
        const words = ['exec', 'default', '--', 'bash', '-c', 'echo /et[c]'];
        expect({ shell, ...(await runIn(shell, words, { env })) }).toMatchObject({ shell, stdout: '/etc\n' });
      }
    }
  });

  test('reads its own environment where /proc is that of other processes', async () => {
    const apart = ['--user', '--map-root-user', '--pid', '--fork'];
    // where nobody may have a namespace of processes, these are ours
    const isAllowed = spawnSync('unshare', [...apart, 'true']).status === 0;
    const command = isAllowed ? ['unshare', ...apart, 'dash'] : ['env', 'dash'];
    const [file, ...words] = [...command, launcher, 'exec', '--', 'echo', 'ran'];
    expect(await runCommand(home, file, words)).toMatchObject({ exitCode: 0, stdout: 'ran\n', stderr: '' });
  });

  test('leaves to the program what a shell would run in another way, or not find', async () => {
    const foreign = fs.readFileSync('/bin/true');
    foreign[18] = 0x15;
    fs.writeFileSync(join(tools, 'foreign'), foreign, { mode: 0o755 });
    const compiled = fs.readFileSync('/bin/true');
    compiled[16] = 1;
    fs.writeFileSync(join(tools, 'compiled'), compiled, { mode: 0o755 });
    const unloadable = fs.readFileSync('/bin/true');
    unloadable.write('/no', unloadable.indexOf('/lib', 64));
    fs.writeFileSync(join(tools, 'unloadable'), unloadable, { mode: 0o755 });
    writeTool('bare', 'echo this is no program\n');
    writeTool('empty', '');
    writeTool('gone', '#!/no/such/interpreter\n');
    writeTool('returned', '#!/bin/sh\r\necho x\n');
    writeTool('nested', `#!${join(tools, 'bare')}\n`);
    spawnSync('mkfifo', [join(tools, 'pipe')]);
    writeTool('piped', `#!${join(tools, 'pipe')}\n`);
    writeTool('quoted', "#!/bin/sh';touch\tcanary;'\n");
    fs.chmodSync(writeTool('closed', '#!/bin/sh\n'), 0o644);
    fs.mkdirSync(join(tools, 'folder'));
    const odd = [
      'bare',
      'empty',
      'gone',
      'returned',
      'nested',
      'piped',
      'quoted',
      'closed',
      'folder',
      'missing',
    ];
    const names = ['foreign', 'compiled', 'unloadable', ...odd];
    const commands = [...names, ...names.map((name) => join(tools, name)), '', '-c', '--', 'a=b', '~'];
    for (const command of commands)
      expect({ command, ...(await ask(['exec', 'default', '--', command, 'word'])) }).toMatchObject({
        command,
        stdout: 'handed over\n',
      });
    for (const [words, env] of [
      [['exec', 'default', '--'], {}],
      [['exec', '--', 'true'], { 'a.b': 'odd' }],
      [['exec', '--as', 'process', '--', 'true'], {}],
      [['exec', '--min-ttl', '36h', '--', 'true'], {}],
      [['exec', 'nobody', '--', 'true'], {}],
      [['exec', '--help'], {}],
      [['--', 'exec', 'true'], {}],
    ] as const)
      expect({ words, ...(await ask(words, { env })) }).toMatchObject({ words, stdout: 'handed over\n' });
  });
});

describe('the way to the program', () => {
  test.each(['links', "it's a folder", 'a "b" $c', 'new\nline', 'ends in newline\n', '-dash', 'ü'])(
    'leads through symbolic links from %j',
    async (name) => {
      // a Node that tells which program it was given
      overridden('node', 'printf %s "$1"');
      const folder = join(home.folder, name);
      const installed = join(folder, 'lib', 'package');
      for (const part of ['dist', 'shell']) {
        fs.cpSync(join(dirname(launcher), '..', part), join(installed, part), { recursive: true });
      }
      fs.mkdirSync(join(folder, 'bin'));
      fs.symlinkSync('../lib/package/shell/aws-iam-login.sh', join(folder, 'bin', 'one'));
      fs.symlinkSync('one', join(folder, 'bin', 'two'));
      fs.symlinkSync(join(folder, 'bin', 'two'), join(folder, 'three'));
      fs.symlinkSync('one', join(folder, 'bin', 'end\n'));
      fs.symlinkSync('end\n', join(folder, 'bin', 'four'));
      fs.symlinkSync(join(folder, 'bin'), join(folder, 'linked'));
      const env = { PATH: `${join(folder, 'linked')}:${home.env['PATH'] ?? ''}` };
      const entry = fs.realpathSync(join(installed, 'dist', 'aws-iam-login.cjs'));
      const expectEntry = async (command: string, words: readonly string[], cwd?: string): Promise<void> => {
        const { stdout, stderr } = await runCommand(home, command, words, { env, cwd });
        expect({ entry: fs.realpathSync(resolve(cwd ?? '', stdout)), stderr }).toEqual({ entry, stderr: '' });
      };
      for (const path of ['bin/one', 'bin/two', 'three', 'bin/four', 'linked/one']) {
        await expectEntry(join(folder, path), ['--version']);
        await expectEntry(`./${path}`, ['--version'], folder);
      }
      for (const shell of posixCommands) {
        const [command, ...words] = [...shell.split(' '), './bin/two', '--version'];
        await expectEntry(command, words, folder);
      }
      await expectEntry('sh', ['-c', 'two --version']);
      useNode();
      expect(await runCommand(home, 'sh', ['-c', 'two --version'], { env })).toMatchObject({ exitCode: 0 });
    },
  );

  test('of a copy is the stamp where PATH has lost Node and the program', async () => {
    fs.rmSync(join(tools, 'node'));
    fs.rmSync(join(home.folder, 'bin', 'aws-iam-login'));
    const path = copyWithStamp(`1.0.0\n${process.execPath}\n${program}\n`);
    const { exitCode } = await runCommand(home, 'dash', [path, '--version'], { env: { PATH: onlyTools() } });
    expect(exitCode).toBe(0);
  });

  test('of the package is the Node that setup noted where PATH has none', async () => {
    fs.rmSync(join(tools, 'node'));
    const env = { PATH: onlyTools(), XDG_DATA_HOME: join(home.folder, 'data') };
    expect(await ask(['--version'], { env })).toMatchObject({ exitCode: 1 });
    for (const data of [env.XDG_DATA_HOME, join(home.folder, '.local', 'share')]) {
      fs.mkdirSync(join(data, 'aws-iam-login'), { recursive: true });
      fs.writeFileSync(join(data, 'aws-iam-login', 'stamp'), `1.0.0\n${process.execPath}\n/gone\n`);
    }
    for (const folder of [env.XDG_DATA_HOME, undefined, 'relative'])
      expect(await ask(['--version'], { env: { ...env, XDG_DATA_HOME: folder } })).toMatchObject({
        exitCode: 0,
      });
  });

  test('of a copy is the program on PATH, which may be newer, but never the copy itself', async () => {
    const path = copyWithStamp(`0.9.0\n${process.execPath}\n${program}\n`);
    overridden('aws-iam-login', 'echo "newer, hook $AWS_IAM_LOGIN_HOOK_VERSION"');
    expect((await runCommand(home, 'dash', [path, '--version'])).stdout).toBe('newer, hook 0.9.0\n');
    fs.rmSync(join(tools, 'aws-iam-login'));
    fs.symlinkSync(path, join(tools, 'aws-iam-login'));
    useNode();
    expect(await runCommand(home, 'dash', [path, '--version'])).toMatchObject({ exitCode: 0 });
  });

  test('that is gone is one sentence', async () => {
    const path = copyWithStamp(`1.0.0\n${process.execPath}\n/gone/aws-iam-login.cjs\n`);
    const gone = await runCommand(home, 'dash', [path, 'env', 'nobody'], { env: { PATH: onlyTools() } });
    expect(gone).toMatchObject({ exitCode: 1, stdout: 'false\n' });
    expect(gone.stderr).toMatch(
      /^aws-iam-login: could not find the program at \/gone\/aws-iam-login.cjs: .*\n {2}hint: .*\n$/,
    );
  });

  test('is open to what a shell drops: exec passes variables on whose names are no identifiers', async () => {
    useNode();
    const env = {
      'BASH_FUNC_greet%%': '() { echo "hello\nworld"; }',
      'a.b-c': 'kept = "it"',
      AWS_CONFIG_FILE: '/dev/null',
    };
    for (const shell of posixCommands) {
      const { exitCode, stdout } = await runIn(shell, ['exec', '--', 'env'], { env });
      expect(exitCode).toBe(0);
      expect(`\n${stdout}`).toContain('\na.b-c=kept = "it"\n');
      expect(`\n${stdout}`).toContain('\nBASH_FUNC_greet%%=() { echo "hello\nworld"; }\n');
      expect(stdout).not.toContain('AWS_IAM_LOGIN_DROPPED');
    }
  });

  test('is open to them where they are larger than one variable may be', async () => {
    useNode();
    const [one, other] = ['1'.repeat(70_000), '2'.repeat(70_000)];
    const { stdout } = await ask(['exec', '--', 'env'], { env: { 'a.1': one, 'a.2': other } });
    expect(stdout.split('\n')).toEqual(expect.arrayContaining([`a.1=${one}`, `a.2=${other}`]));
  });

  test('makes no variable of an entry that is none', async () => {
    useNode();
    const env = { AWS_IAM_LOGIN_DROPPED_1: 'AWS_PROFILES', AWS_IAM_LOGIN_DROPPED_2: 'a.b=c' };
    const { stdout } = await ask(['exec', '--', 'env'], { env });
    expect(stdout).toContain('\na.b=c\n');
    expect(stdout).not.toContain('AWS_PROFILE');
  });

  test('is open to them where a copy hands over to the program on PATH', async () => {
    useNode();
    const path = copyWithStamp(`0.9.0\n${process.execPath}\n${program}\n`);
    fs.symlinkSync(launcher, join(tools, 'aws-iam-login'));
    const words = [path, 'exec', '--', 'env'];
    const { stdout } = await runCommand(home, 'dash', words, { env: { 'a.b': 'kept' } });
    expect(`\n${stdout}`).toContain('\na.b=kept\n');
  });

  test('and exec changes no variable of the command whose name the launcher has a use for', async () => {
    useNode();
    const text = fs.readFileSync(launcher, 'utf8');
    const names = [...new Set(text.match(/\b[a-z_][a-z0-9_]*/g))].filter((name) => !name.startsWith('ail_'));
    const env = Object.fromEntries(names.map((name) => [name, `${name} is kept`]));
    const keptIn = (stdout: string): string[] =>
      names.filter((name) => stdout.split('\n').includes(`${name}=${name} is kept`));
    for (const shell of posixCommands) {
      const [command = '', ...words] = shell.split(' ');
      const plain = await runCommand(home, command, [...words, '-c', 'exec env'], { env });
      const { stdout } = await runIn(shell, ['exec', '--', 'env'], { env });
      expect({ shell, kept: keptIn(stdout) }).toEqual({ shell, kept: keptIn(plain.stdout) });
      expect(keptIn(stdout).length).toBeGreaterThan(names.length * 0.9);
    }
  });
});
