import fs from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import { fileError } from '../files/errors.ts';
import { checkReplaceable } from '../files/replaceable.ts';
import { resolveTarget } from '../files/replace.ts';
import { findProblems } from '../ini/read.ts';
import { warningsOf } from '../profiles/profile.ts';
import { listed, shellWord } from '../text.ts';
import { atMost, attempt, pathWord, problem, toldPath, warning } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';

/** The checks of AWS's two files. */
export const fileChecks: readonly Check[] = [
  {
    name: 'files',
    ok: (scene) => {
      const count = scene.profiles.size;
      return `${toldPath(scene.shared.files.credentials, scene)} and config can be read: ${count} ${count === 1 ? 'profile' : 'profiles'}`;
    },
    look: (scene) => {
      if (scene.unread.length > 0 || scene.profiles.size > 0) return scene.unread;
      const { credentials, config } = scene.shared.files;
      return [
        problem(
          `there is no profile in ${toldPath(credentials, scene)} or ${toldPath(config, scene)}`,
          'aws configure',
        ),
      ];
    },
  },
  { name: 'permissions', ok: 'only you can read the keys and write the files', look: findOpenFiles },
  {
    name: 'syntax',
    ok: "AWS's tools read both files",
    look: (scene) =>
      ofFiles(scene).flatMap(({ path, bytes }) =>
        atMost(
          findProblems(bytes).map(({ line, message }) =>
            problem(
              `${toldPath(path, scene)} line ${line}: ${message}; AWS CLI and boto3 refuse the file`,
              `\${EDITOR:-vi} +${line} ${pathWord(path, scene)}`,
            ),
          ),
          3,
        ),
      ),
  },
  {
    name: 'parsers',
    ok: (scene) => `every AWS tool reads ${profileWord(scene)} alike`,
    look: findDifferences,
  },
  { name: 'writing', ok: 'the credentials file can be replaced by an edited one', look: findUnwritable },
  {
    name: 'legacy-token',
    ok: 'no profile has an aws_security_token, which boto3 would take first',
    look: findLegacyTokens,
  },
  {
    name: 'sources',
    ok: 'no profile has two sources of credentials',
    look: ({ profiles, shared, ...scene }) => {
      const twice = namesOf(
        profiles,
        ({ settings }) =>
          Boolean(settings.get('aws_access_key_id')) && Boolean(settings.get('credential_process')),
      );
      return twice.length === 0
        ? []
        : [
            warning(
              `aws_access_key_id wins over credential_process in ${listed(twice)}`,
              `remove one of the two in ${toldPath(shared.files.credentials, scene)} or ${toldPath(shared.files.config, scene)}`,
            ),
          ];
    },
  },
];

const profileWord = ({ name }: Scene): string => `profile ${shellWord(name)}`;

const namesOf = (profiles: Scene['profiles'], isWanted: (profile: ProfileOf) => boolean): string[] =>
  [...profiles.values()].filter(isWanted).map(({ name }) => name);

type ProfileOf = Scene['profiles'] extends ReadonlyMap<string, infer Profile> ? Profile : never;

type OneFile = { readonly path: string; readonly bytes: Buffer };

const ofFiles = ({ shared: { files, credentialsBytes, configBytes } }: Scene): OneFile[] =>
  [
    { path: files.credentials, bytes: credentialsBytes },
    { path: files.config, bytes: configBytes },
  ].flatMap(({ path, bytes }) => (bytes === undefined ? [] : [{ path, bytes }]));

function findOpenFiles(scene: Scene): Finding[] {
  const { credentials, config, state } = scene.shared.files;
  const holdsKeys = scene.shared.configBytes?.includes('aws_secret_access_key') === true;
  const folders = new Set([dirname(credentials), dirname(config)]);
  return [
    ...openTo(credentials, 0o077, '600', scene),
    ...openTo(config, holdsKeys ? 0o077 : 0o022, holdsKeys ? '600' : 'go-w', scene),
    ...[...folders].flatMap((folder) => openTo(folder, 0o022, 'go-w', scene)),
    ...(isFolder(state) ? openTo(state, 0o077, '700', scene) : []),
  ];
}

const openTo = (path: string, bits: number, rights: string, scene: Scene): Finding[] => {
  const mode = modeOf(path);
  if (mode === undefined || (mode & bits) === 0) return [];
  const verb = (mode & bits & 0o022) === 0 ? 'read' : 'change';
  return [
    problem(
      `other users can ${verb} ${toldPath(path, scene)} (mode ${(mode & 0o7777).toString(8).padStart(4, '0')})`,
      `chmod ${rights} ${pathWord(path, scene)}`,
    ),
  ];
};

const modeOf = (path: string): number | undefined => statusOf(path)?.mode;

const isFolder = (path: string): boolean => statusOf(path)?.isDirectory() === true;

const statusOf = (path: string): fs.Stats | undefined => {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    // what cannot be looked at is told by the check of the files
    return undefined;
  }
};

function findDifferences(scene: Scene): Finding[] | undefined {
  const isRefused = ofFiles(scene).some(({ bytes }) => findProblems(bytes).length > 0);
  if (scene.profile === undefined || isRefused) return undefined;
  const names = new Set([scene.name, scene.user?.name ?? scene.name]);
  const { credentials } = scene.shared.files;
  return [...names]
    .flatMap((name) => warningsOf(name, scene.shared))
    .map((text) => {
      const [, path = credentials, line = '1'] = /^(.*?):? line (\d+)/.exec(text) ?? [];
      return warning(
        text.replaceAll(path, toldPath(path, scene)),
        `\${EDITOR:-vi} +${line} ${pathWord(path, scene)}`,
      );
    });
}

function findUnwritable(scene: Scene): Finding[] | undefined {
  const { credentials } = scene.shared.files;
  if (scene.shared.credentialsBytes === undefined) return undefined;
  return attempt(
    () => {
      try {
        checkReplaceable(resolveTarget(credentials));
      } catch (error) {
        throw systemCode(error) === undefined ? error : fileError(error, 'write', credentials);
      }
    },
    `ls -l ${pathWord(credentials, scene)}`,
  );
}

function findLegacyTokens(scene: Scene): Finding[] {
  return atMost(
    [...scene.profiles.values()].flatMap(({ name, settings }) => {
      const legacy = settings.get('aws_security_token');
      if (!legacy) return [];
      const token = settings.get('aws_session_token');
      const differs = Boolean(token) && token !== legacy;
      return [
        {
          level: differs ? ('problem' as const) : ('warning' as const),
          text: `profile ${shellWord(name)} has an aws_security_token${differs ? ', which is another one than aws_session_token: boto3 takes it' : ', which boto3 takes first, and other SDKs do not know'}`,
          mend: `remove the line aws_security_token of profile ${shellWord(name)}`,
        },
      ];
    }),
  );
}
