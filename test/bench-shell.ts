import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inTurns, timeOf, whereIs } from './support/bench.ts';
import type { Row } from './support/bench.ts';

const run = promisify(execFile);
const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const sizes = [10, 1000, 10_000] as const;
const autoSizes = sizes;

type ShellName = 'bash' | 'zsh' | 'fish';

/**
 * What the shell side costs: the hook of a prompt while the session lives, loading, `use`, completion; `bin` is the
 * folder with the program. Shells and other tools that are not installed are left out.
 */
export const benchShells = async (bin: string): Promise<Row[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'aws-iam-login-bench-'));
  try {
    await writeProfiles(folder);
    const rows: Row[] = [];
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      if (whereIs(shell) !== undefined) rows.push(...(await benchShell(shell, folder, bin)));
    }
    return [...rows, ...(await benchOthers(folder))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const benchShell = async (shell: ShellName, folder: string, bin: string): Promise<Row[]> => {
  const timed = await runShell(shell, hookScripts[shell](folder), folder);
  const [empty = Number.NaN, hook = Number.NaN, load = Number.NaN, ...autos] = numbersIn(timed);
  const [use = Number.NaN] = numbersIn(
    await runShell(shell, useScript(shell), folder, useVariables(folder, bin)),
  );
  const prompts = await countProcesses(shell, folder, (rounds) => processScripts[shell](folder, rounds));
  const uses = await countProcesses(
    shell,
    folder,
    (rounds) => useTenTimes(shell, rounds),
    useVariables(folder, bin),
  );
  return [
    {
      what: `${shell}: prompt hook, live session`,
      figure: `${(hook / empty).toFixed(1)} × empty`,
      value: hook / empty,
      limit: shell === 'fish' ? 35 : 6,
      unit: ' ×',
      note: `${hook.toFixed(1)} µs, an empty function ${empty.toFixed(1)} µs`,
    },
    { what: `${shell}: processes of 100 prompts`, figure: countOf(prompts), value: prompts, limit: 0 },
    milliseconds(`${shell}: load hook and completion`, load, 0.5),
    ...autoSizes.map((size, place) =>
      milliseconds(
        `${shell}: load, AUTO, ${size.toLocaleString('en')} profiles`,
        autos[place] ?? Number.NaN,
        size > 1000 ? 20 : 5,
      ),
    ),
    milliseconds(`${shell}: use`, use, 6),
    { what: `${shell}: processes of a use`, figure: countOf(uses / 10), value: uses / 10, limit: 3 },
    ...(await benchCompletion(shell, folder)),
  ];
};

const countOf = (count: number): string => (Number.isNaN(count) ? 'no strace' : String(count));

const benchCompletion = async (shell: ShellName, folder: string): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const size of sizes) {
    const [time = Number.NaN] = numbersIn(
      await runShell(
        shell,
        completionScripts[shell](folder),
        folder,
        filesOf(folder, size),
        completionShells[shell],
      ),
    );
    rows.push(
      milliseconds(`${shell}: Tab among ${size.toLocaleString('en')} profiles`, time, size > 1000 ? 60 : 10),
    );
  }
  return rows;
};

/** Other tools doing what is comparable, whichever of them are there. */
const benchOthers = async (folder: string): Promise<Row[]> => {
  const commands: Array<[tool: string, what: string, words: string[], variables: Record<string, string>]> = [
    ['direnv', 'prompt hook, direnv export', ['export', 'bash'], {}],
    ['starship', 'prompt, starship prompt', ['prompt'], { STARSHIP_SHELL: 'bash' }],
    ['zoxide', 'prompt hook, zoxide add', ['add', folder], { _ZO_DATA_DIR: folder }],
    ['aws_completer', 'Tab in aws', [], { COMP_LINE: 'aws s3 l', COMP_POINT: '8' }],
    ['aws-vault', 'start, aws-vault --version', ['--version'], {}],
    ['granted', 'start, granted --version', ['--version'], {}],
  ];
  const rows: Row[] = [];
  for (const [tool, what, words, variables] of commands) {
    const path = whereIs(tool);
    if (path === undefined) continue;
    const env = { ...shellEnvironment(folder, {}), ...variables };
    const [times = []] = await inTurns(5, [() => timeOf([path, ...words], env)]);
    rows.push(milliseconds(`peer: ${what}`, Math.min(...times) * 1000));
  }
  return rows;
};

/** A time in microseconds as a row, in milliseconds. */
const milliseconds = (what: string, time: number, limit?: number): Row => ({
  what,
  figure: `${(time / 1000).toFixed(2)} ms`,
  value: time / 1000,
  ...(limit === undefined ? {} : { limit, unit: ' ms' }),
});

const numbersIn = (text: string): number[] => text.trim().split(/\s+/).map(Number);

const interactive: Readonly<Record<ShellName, readonly string[]>> = {
  bash: ['bash', '--norc', '--noprofile', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '--no-config', '-i'],
};

const completionShells = { ...interactive, zsh: ['zsh', '-f'] };

const shellEnvironment = (
  folder: string,
  variables: Readonly<Record<string, string>>,
): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  TERM: 'dumb',
  LANG: 'C.UTF-8',
  XDG_DATA_HOME: folder,
  XDG_CONFIG_HOME: folder,
  ...variables,
});

const runShell = async (
  shell: ShellName,
  script: string,
  folder: string,
  variables: Readonly<Record<string, string>> = {},
  command = interactive[shell],
): Promise<string> => {
  const path = join(folder, `script.${shell}`);
  await writeFile(path, script);
  const [program = shell, ...args] = command;
  const { stdout } = await run(program, [...args, path], {
    env: shellEnvironment(folder, variables),
    cwd: folder,
  });
  return stdout;
};

/** Processes that the rounds of a script start, ten or a hundred as it is told, beside those of the shell without them. */
const countProcesses = async (
  shell: ShellName,
  folder: string,
  scriptFor: (rounds: number) => string,
  variables: Readonly<Record<string, string>> = {},
): Promise<number> => {
  if (whereIs('strace') === undefined) return Number.NaN;
  const count = async (rounds: number): Promise<number> => {
    const path = join(folder, `script.${shell}`);
    const trace = join(folder, 'trace');
    await writeFile(path, scriptFor(rounds));
    await run(
      'strace',
      ['-f', '-e', 'trace=clone,clone3,fork,vfork', '-o', trace, ...interactive[shell], path],
      { env: shellEnvironment(folder, variables), cwd: folder },
    );
    const lines = (await readFile(trace, 'utf8')).split('\n');
    return lines.filter((line) => /\b(clone3?|v?fork)\(/.test(line) && !line.includes('CLONE_THREAD')).length;
  };
  return (await count(1)) - (await count(0));
};

const scriptOf = (shell: ShellName): string => join(packageRoot, 'shell', `aws-iam-login.${shell}`);
const completionFolder = join(packageRoot, 'completions');

const session = {
  AWS_IAM_LOGIN_PROFILE: 'user-0',
  AWS_IAM_LOGIN_EXPIRES_AT: '4102444800',
  AWS_IAM_LOGIN_RENEW_AT: '4102444800',
};
const sessionNames = [...Object.keys(session), 'AWS_ACCESS_KEY_ID'];

const exportSession = (shell: ShellName): string =>
  Object.entries(session)
    .map(([name, value]) => (shell === 'fish' ? `set -gx ${name} ${value}` : `export ${name}=${value}`))
    .join('\n');

const filesOf = (folder: string, size: number): Record<string, string> => ({
  AWS_CONFIG_FILE: join(folder, `config-${size}`),
  AWS_SHARED_CREDENTIALS_FILE: join(folder, `credentials-${size}`),
});

const autoFiles = (shell: ShellName, folder: string, size: number): string =>
  Object.entries({ ...filesOf(folder, size), AWS_IAM_LOGIN_AUTO: 'user-0' })
    .map(([name, value]) => (shell === 'fish' ? `set -gx ${name} '${value}'` : `export ${name}='${value}'`))
    .join('\n');

const autos = (shell: ShellName, folder: string): string =>
  autoSizes
    .map((size) => `${autoFiles(shell, folder, size)}\ntime_of ${size > 1000 ? 5 : 20} fresh`)
    .join('\n');

const useVariables = (folder: string, bin: string): Record<string, string> => ({
  ...filesOf(folder, 10),
  PATH: `${bin}:${process.env['PATH'] ?? ''}`,
});

// `time_of ROUNDS FUNCTION` prints the best of several rounds, in microseconds.
const timers: Readonly<Record<ShellName, string>> = {
  bash: `time_of() {
  local rounds=$1 best=999999999 round start spent i
  for round in 1 2 3 4 5 6 7; do
    start=\${EPOCHREALTIME/[.,]/}
    for ((i = 0; i < rounds; i++)); do $2; done
    spent=$(( (\${EPOCHREALTIME/[.,]/} - start) * 1000 / rounds ))
    if ((spent < best)); then best=$spent; fi
  done
  printf '%d.%03d ' $((best / 1000)) $((best % 1000))
}
`,
  zsh: `time_of() {
  local -F best=1e9 start spent; local -i round i
  for round in {1..7}; do
    start=$EPOCHREALTIME
    for (( i = 0; i < $1; i++ )); do $2; done
    spent=$(( (EPOCHREALTIME - start) * 1e6 / $1 ))
    (( spent < best )) && best=$spent
  done
  printf '%.3f ' $best
}
`,
  fish: `function time_of
  # fish has no clock for this but date, whose own time has to vanish among the rounds.
  set -l numbers (seq $argv[1])
  set -l best 999999999
  for round in 1 2 3 4 5 6 7
    set -l start (command date +%s%N)
    for i in $numbers; $argv[2]; end
    set -l spent (math "(" (command date +%s%N) - $start ") / 1000 /" $argv[1])
    test $spent -lt $best; and set best $spent
  end
  printf '%s ' $best
end
`,
};

// Each prints the times of an empty function, the hook, loading, loading with AUTO for each size.
const hookScripts: Readonly<Record<ShellName, (folder: string) => string>> = {
  bash: (folder) => `
. '${scriptOf('bash')}'
${exportSession('bash')}
empty() { :; }
${timers.bash}load() { . '${scriptOf('bash')}'; }
fresh() { unset ${sessionNames.join(' ')}; . '${scriptOf('bash')}'; }
__aws_iam_login_hook
time_of 3000 empty
time_of 3000 __aws_iam_login_hook
unset ${sessionNames.join(' ')}
time_of 20 load
${autos('bash', folder)}
`,
  zsh: (folder) => `
. '${scriptOf('zsh')}'
zmodload zsh/datetime
${exportSession('zsh')}
empty() { : }
${timers.zsh}load() { . '${scriptOf('zsh')}'; }
fresh() { unset ${sessionNames.join(' ')}; . '${scriptOf('zsh')}'; }
__aws_iam_login_precmd
time_of 3000 empty
time_of 3000 __aws_iam_login_precmd
unset ${sessionNames.join(' ')}
time_of 20 load
${autos('zsh', folder)}
`,
  fish: (folder) => `
source '${scriptOf('fish')}'
${exportSession('fish')}
function empty; end
${timers.fish}function load; source '${scriptOf('fish')}'; end
function fresh; set -e ${sessionNames.join('; set -e ')}; source '${scriptOf('fish')}'; end
__aws_iam_login_prompt
time_of 3000 empty
time_of 3000 __aws_iam_login_prompt
set -e ${sessionNames.join('; set -e ')}
time_of 100 load
${autos('fish', folder)}
`,
};

const processScripts: Readonly<Record<ShellName, (folder: string, rounds: number) => string>> = {
  bash: (_, rounds) =>
    `. '${scriptOf('bash')}'\n${exportSession('bash')}\nfor ((i = 0; i < ${rounds * 100}; i++)); do __aws_iam_login_hook; done\n`,
  zsh: (_, rounds) =>
    `. '${scriptOf('zsh')}'\n${exportSession('zsh')}\nfor (( i = 0; i < ${rounds * 100}; i++ )); do __aws_iam_login_precmd; done\n`,
  fish: (_, rounds) =>
    `source '${scriptOf('fish')}'\n${exportSession('fish')}\nset -l i 0\nwhile test $i -lt ${rounds * 100}; __aws_iam_login_prompt; set i (math $i + 1); end\n`,
};

const loadAndUse: Readonly<Record<ShellName, string>> = {
  bash: `. '${scriptOf('bash')}'\nuse() { aws-iam-login use user-0 --quiet; }\n`,
  zsh: `. '${scriptOf('zsh')}'\nuse() { aws-iam-login use user-0 --quiet; }\n`,
  fish: `source '${scriptOf('fish')}'\nfunction use; aws-iam-login use user-0 --quiet; end\n`,
};

const useScript = (shell: ShellName): string =>
  `${loadAndUse[shell]}${shell === 'zsh' ? 'zmodload zsh/datetime\n' : ''}${timers[shell]}use\ntime_of 10 use\n`;
const useTenTimes = (shell: ShellName, rounds: number): string =>
  `${loadAndUse[shell]}use\n${'use\n'.repeat(rounds * 10)}`;

// One Tab behind \`aws-iam-login use user-1\`. That of zsh needs its line editor, so a second zsh runs in a terminal.
const completionScripts: Readonly<Record<ShellName, (folder: string) => string>> = {
  bash: () => `
__aws_iam_login_home='${packageRoot}'
. '${join(completionFolder, 'aws-iam-login.bash')}'
COMP_LINE='aws-iam-login use user-1' COMP_POINT=24 best=999999999
for round in 1 2 3 4 5; do
  start=\${EPOCHREALTIME/[.,]/}
  _aws_iam_login aws-iam-login user-1 use
  spent=$(( \${EPOCHREALTIME/[.,]/} - start ))
  if ((spent < best)); then best=$spent; fi
done
echo $best
`,
  zsh: (folder) => `
zmodload zsh/zpty
cat >'${folder}/.zshrc' <<'RC'
__aws_iam_login_home='${packageRoot}'
fpath+=('${completionFolder}')
autoload -Uz compinit && compinit -u -D
zmodload zsh/datetime
unsetopt auto_list auto_menu # the time to draw the list is not ours
measure() {
  local -F best=1e9 start spent; local -i round
  for round in {1..5}; do
    BUFFER='aws-iam-login use user-1' CURSOR=24
    start=$EPOCHREALTIME
    zle complete-word
    spent=$(( (EPOCHREALTIME - start) * 1e6 ))
    (( spent < best )) && best=$spent
  done
  print -r -- $best >'${folder}/tab'
  exit
}
zle -N measure
zle-line-init() { zle measure; }
zle -N zle-line-init
RC
rm -f '${folder}/tab'
zpty tab env ZDOTDIR='${folder}' TERM=xterm zsh -d -i
zpty -r tab text '*never*' >/dev/null 2>&1
cat '${folder}/tab'
`,
  fish: () => `
function aws-iam-login; end
set -g __aws_iam_login_home '${packageRoot}'
source '${join(completionFolder, 'aws-iam-login.fish')}'
set -l best 999999999
for round in 1 2 3 4 5
  # Several lines between two calls of date, which would show otherwise.
  set -l start (command date +%s%N)
  for number in 1 2 3 4 5; complete -C "aws-iam-login use user-$number" >/dev/null; end
  set -l spent (math "(" (command date +%s%N) - $start ") / 5000")
  test $spent -lt $best; and set best $spent
end
echo $best
`,
};

// Half of the profiles are users in the credentials file, half are roles in the config file, seven lines a pair.
const writeProfiles = async (folder: string): Promise<void> => {
  for (const size of sizes) {
    const numbers = Array.from({ length: size / 2 }, (_, number) => number);
    const users = numbers.map(
      (number) =>
        `[user-${number}]\naws_access_key_id = AKIAXXXXXXXXXXXXXXXX\naws_secret_access_key = ${'x'.repeat(40)}\n`,
    );
    const roles = numbers.map(
      (number) =>
        `[profile role-${number}]\nrole_arn = arn:aws:iam::111122223333:role/role-${number}\nsource_profile = user-${number}\nregion = eu-west-1\n`,
    );
    const live = `[user-0-sts]\naws_access_key_id = ASIAXXXXXXXXXXXXXXXX\naws_secret_access_key = ${'x'.repeat(40)}\naws_session_token = ${'x'.repeat(400)}\nexpiration = 2099-12-31 00:00:00+00:00\n`;
    await writeFile(join(folder, `credentials-${size}`), [...users, live].join('\n'), { mode: 0o600 });
    await writeFile(join(folder, `config-${size}`), roles.join('\n'));
  }
};
