import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findPrograms } from '../local-aws/clients.ts';
import type { LocalAws } from '../local-aws/server.ts';
import { type Ended, type Home, runCommand, start } from './program.ts';

/** A boto3 program that calls AWS until so many different keys have signed, and prints each with who it was. */
export const useBoto = fileURLToPath(new URL('use-boto.py', import.meta.url));

let found: Promise<string> | undefined;

/** The first Python on this machine that has boto3. */
export const findBoto = (home: Home): Promise<string> => (found ??= lookForBoto(home));

const lookForBoto = async (home: Home): Promise<string> => {
  for (const python of findPrograms('python3'))
    if ((await runCommand(home, python, ['-c', 'import boto3'])).exitCode === 0) return python;
  throw new Error('no python3 on this machine has boto3');
};

/**
 * Runs `exec --as process` of a role with the boto3 program, and ends each of its sessions while it runs, in the file
 * and at AWS, until three have signed.
 */
export const outliveSessions = async (
  aws: LocalAws,
  home: Home,
  role: string,
  python: string,
): Promise<Ended> => {
  // boto asks at every call for what has less than ten minutes left
  aws.setLongestSession({ role: 500 });
  const words = ['exec', role, '--as', 'process', '--min-ttl', '60s', '--', python, useBoto, '3'];
  const { child, ended } = start(home, words);
  const keys: string[] = [];
  child.stdout?.on('data', (line: string) => {
    const [key = '', last] = [line.split(' ')[0], keys.at(-1)];
    keys.push(key);
    // whoever still signed with it would be refused
    if (last !== undefined) aws.expireSession(last);
    if (keys.length < 3) endStored(home, key);
  });
  return ended;
};

// Lets the time of a stored session be over.
const endStored = ({ credentials }: Home, accessKeyId: string): void => {
  const [before = '', after = ''] = fs.readFileSync(credentials, 'utf8').split(accessKeyId);
  const text = before + accessKeyId + after.replace(/expiration = \d+/, 'expiration = 2020');
  fs.writeFileSync(`${credentials}~`, text, { mode: 0o600 });
  fs.renameSync(`${credentials}~`, credentials);
};
