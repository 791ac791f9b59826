import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { findLeftovers } from '../files/private-folder.ts';
import { readLock } from '../files/lock.ts';
import { findStrays } from '../files/replace.ts';
import { sessionDefaults } from '../sessions/defaults.ts';
import { readOverview } from '../sessions/overview.ts';
import { listed, shellWord } from '../text.ts';
import { pathWord, toldPath, warning } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';

/** The checks of what processes and other tools have left. */
export const leftoverChecks: readonly Check[] = [
  {
    name: 'temporary-files',
    ok: 'no temporary file of a process that has ended',
    look: (scene) => {
      const { credentials, config, state } = scene.shared.files;
      const own = ['rotations', 'used-codes', 'key-dates', 'key-stores', 'waiting'].map((name) =>
        join(state, name),
      );
      const folders = new Set([dirname(credentials), dirname(config), state, ...own]);
      const strays = [...folders].flatMap(findStrays);
      return removals('a process that has ended left', strays, 'rm', scene);
    },
  },
  {
    name: 'private-folders',
    ok: 'no copy of the config file is left by exec --as process',
    look: (scene) =>
      removals(
        'exec --as process left a copy of the config file:',
        findLeftovers(join(scene.shared.files.state, 'exec')),
        'rm -r',
        scene,
      ),
  },
  { name: 'locks', ok: 'no process holds a lock without a sign of life', look: findHanging },
  {
    name: 'waiting-sessions',
    ok: 'every session that was fetched is in the credentials file',
    look: ({ shared: { files } }) =>
      namesIn(join(files.state, 'waiting')).some((name) => name.endsWith('.ini'))
        ? [
            warning(
              'a session waits in our notes, since the credentials file could not take it',
              'aws-iam-login login --if-needed',
            ),
          ]
        : [],
  },
  { name: 'other-tools', ok: 'no session that another tool or an old profile has left', look: findForeign },
];

const removals = (what: string, paths: readonly string[], command: string, scene: Scene): Finding[] => {
  const [first] = paths;
  if (first === undefined) return [];
  const more = paths.length === 1 ? '' : ` and ${paths.length - 1} more`;
  const words = paths.map((path) => pathWord(path, scene)).join(' ');
  return [warning(`${what} ${toldPath(first, scene)}${more}`, `${command} ${words}`)];
};

const silentMs = 10_000;

// The holder that has ended is none of these: the next one takes its lock at once.
function findHanging({ shared: { files } }: Scene): Finding[] {
  const locks = join(files.state, 'locks');
  const pids = namesIn(locks).flatMap((name) => {
    const path = join(locks, name);
    // beside the locks lie outcomes, which are files
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    const holder = readLock(path);
    return holder?.state === 'held' && silenceOf(path) > silentMs ? [holder.pid] : [];
  });
  return [...new Set(pids)].map((pid) =>
    warning(
      `process ${pid} holds a lock and has given no sign of life for 10 s: it is stopped`,
      `kill ${pid}`,
    ),
  );
}

// By the file system's clock alone, which is enough for a hint.
const silenceOf = (folder: string): number => {
  const times = namesIn(folder).map(
    (name) => fs.statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Date.now() - Math.max(0, ...times);
};

const namesIn = (folder: string): string[] => {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
};

function findForeign(scene: Scene): Finding[] {
  const { shared, profiles, now, env } = scene;
  const file = toldPath(shared.files.credentials, scene);
  const options = { minTtl: sessionDefaults.minTtl, now, keyDate: () => undefined };
  const over = readOverview(shared, options)
    .filter(({ kind, state }) => kind === 'session' && state === 'expired')
    .map(({ name }) => name);
  const ours = over.filter((name) => profiles.get(name)?.settings.has('assumed_role_arn') === true);
  const others = over.filter((name) => !ours.includes(name));
  const old = [...profiles.values()]
    .filter(({ name, settings }) => {
      const long = profiles.get(`${name}-long-term`)?.settings;
      return Boolean(settings.get('aws_session_token')) && long?.has('aws_mfa_device') === true;
    })
    .map(({ name }) => name);
  const [first] = old;
  return [
    ...(ours.length === 0
      ? []
      : [
          warning(
            `expired sessions of roles whose profile is not there: ${listed(ours)}`,
            'aws-iam-login logout --all',
          ),
        ]),
    ...(others.length === 0
      ? []
      : [
          warning(
            `another tool has left expired sessions: ${listed(others)}`,
            `remove these sections from ${file}`,
          ),
        ]),
    ...(first === undefined
      ? []
      : [
          warning(
            `aws-mfa has left its session in ${listed(old)}, and nobody renews it`,
            `aws-iam-login use ${shellWord(first)}`,
          ),
        ]),
    ...(env['AWS_VAULT']
      ? [warning('this shell was started by aws-vault (AWS_VAULT), which sets keys of its own', 'exit')]
      : []),
  ];
}
