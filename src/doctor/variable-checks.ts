import fs from 'node:fs';
import type { Environment } from '../context.ts';
import { formatEnd, parseExpiration } from '../sessions/expiration.ts';
import { readShell } from '../shells/this-shell.ts';
import { shellWord } from '../text.ts';
import { ours, problem, warning } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';

/** The checks of the variables that decide who AWS's tools are in this shell (reference: docs/variables.md). */
export const variableChecks: readonly Check[] = [
  {
    name: 'variables',
    ok: "the shell's variables agree with each other",
    look: (scene) => rules.flatMap((rule) => rule(scene) ?? []),
  },
  { name: 'shell-session', ok: describeShell, look: findShellSession },
];

type Rule = (scene: Scene) => Finding | undefined;

const isSet = (env: Environment, name: string): boolean => (env[name] ?? '') !== '';

const rules: readonly Rule[] = [
  ({ env }) =>
    isSet(env, 'AWS_PROFILE') && isSet(env, 'AWS_ACCESS_KEY_ID')
      ? problem(
          'AWS_PROFILE and AWS_ACCESS_KEY_ID are both set: the AWS CLI and boto3 take the keys, the SDK for JavaScript the profile',
          'unset AWS_PROFILE',
        )
      : undefined,
  ({ env }) => {
    const [first = '', second = ''] = [env['AWS_PROFILE'], env['AWS_DEFAULT_PROFILE']];
    return first !== '' && second !== '' && first !== second
      ? problem(
          `AWS_PROFILE is ${shellWord(first)} and AWS_DEFAULT_PROFILE ${shellWord(second)}, which boto3 takes first`,
          'unset AWS_DEFAULT_PROFILE',
        )
      : undefined;
  },
  ({ env }) => {
    const empty = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'].find((name) => env[name] === '');
    return empty === undefined
      ? undefined
      : problem(`${empty} is set and empty, which the AWS CLI takes for a name`, `unset ${empty}`);
  },
  ({ env, profiles }) => {
    const name = env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'];
    return name === undefined || name === '' || profiles.has(name)
      ? undefined
      : problem(
          `AWS_PROFILE names ${shellWord(name)}, and there is no such profile`,
          'unset AWS_PROFILE, or log in if it is a session profile',
        );
  },
  ({ env }) =>
    isSet(env, 'AWS_SECURITY_TOKEN') && env['AWS_SECURITY_TOKEN'] !== env['AWS_SESSION_TOKEN']
      ? problem(
          'AWS_SECURITY_TOKEN is set, which boto3 takes before AWS_SESSION_TOKEN',
          'unset AWS_SECURITY_TOKEN',
        )
      : undefined,
  ({ env }) => {
    const [id, secret] = [isSet(env, 'AWS_ACCESS_KEY_ID'), isSet(env, 'AWS_SECRET_ACCESS_KEY')];
    return id === secret
      ? undefined
      : problem(
          `only one half of a key is set: ${id ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'} is missing`,
          'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN',
        );
  },
  ({ env }) =>
    (env['AWS_ACCESS_KEY_ID'] ?? '').startsWith('ASIA') &&
    !isSet(env, 'AWS_SESSION_TOKEN') &&
    !isSet(env, 'AWS_SECURITY_TOKEN')
      ? problem(
          'AWS_ACCESS_KEY_ID is that of a session, and AWS_SESSION_TOKEN is not set',
          'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY',
        )
      : undefined,
  ({ env }) => {
    const [first = '', second = ''] = [env['AWS_REGION'], env['AWS_DEFAULT_REGION']];
    return first !== '' && second !== '' && first !== second
      ? warning(
          `AWS_REGION is ${shellWord(first)} and AWS_DEFAULT_REGION ${shellWord(second)}: boto3 reads only the second, the SDK for JavaScript only the first`,
          `export AWS_DEFAULT_REGION=${shellWord(first)}`,
        )
      : undefined;
  },
  ({ env }) => missingFile('AWS_SHARED_CREDENTIALS_FILE', env),
  ({ env }) => missingFile('AWS_CONFIG_FILE', env),
];

const missingFile = (name: string, env: Environment): Finding | undefined => {
  const path = env[name] ?? '';
  const isThere = path === '' || path.startsWith('~') || fs.existsSync(path);
  return isThere
    ? undefined
    : warning(`${name} names ${shellWord(path)}, which is not there`, `unset ${name}`);
};

function describeShell(scene: Scene): string {
  const { holds, profileName = '', expiration } = readShell(scene.env, scene.shared);
  if (holds === 'profile') return `this shell names the profile ${shellWord(profileName)}`;
  if (holds !== 'session') return 'this shell holds no session of ours';
  const end = expiration === undefined ? '' : ` until ${formatEnd(expiration, scene.now)}`;
  return `this shell holds the session of ${shellWord(profileName)}${end}`;
}

function findShellSession(scene: Scene): Finding[] {
  const { env, shared, now } = scene;
  const { holds, profileName = '', expiration, differs } = readShell(env, shared);
  const seconds = now / 1000;
  if (holds === 'session') {
    const use = ours('use', profileName);
    const name = shellWord(profileName);
    if (expiration !== undefined && expiration <= seconds)
      return [problem(`the session of ${name} in this shell has expired`, use)];
    return differs ? [warning(`this shell holds another session of ${name} than the file`, use)] : [];
  }
  if (holds !== 'keys') return [];
  const end = parseExpiration(env['AWS_CREDENTIAL_EXPIRATION'] ?? '');
  if (end !== undefined && end <= seconds)
    return [
      problem(
        'the keys in this shell have expired (AWS_CREDENTIAL_EXPIRATION), and boto3 refuses them',
        'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION',
      ),
    ];
  return [
    warning(
      'this shell holds keys of somebody else in AWS_ACCESS_KEY_ID, which win over every profile',
      'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN',
    ),
  ];
}
