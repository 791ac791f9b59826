import fs from 'node:fs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../src/errors.ts';
import { faultEnvironment, withFault } from './support/faults.ts';
import { keyLines, runProcess, sectionOf, sessionLines, writeCredentials } from './support/program.ts';
import {
  aws,
  home,
  jane,
  phone,
  useRoles,
  newRole,
  writeConfig,
  storeMfaSession,
  get,
  whoIs,
} from './support/roles.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(60_000, 600_000) });

useRoles();

const withoutProd = (text: string): string[] => text.split(/\n\[prod-sts\]\n[^[]*/);

/** Sets the files to an expired role session and a live one of the user. */
const prepareRenewal = (): string => {
  writeCredentials(home, `[default]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\nusername = jane\n`);
  storeMfaSession();
  const expired = sessionLines(aws.mintSession(jane), '2020-01-01 00:00:00+00:00');
  fs.appendFileSync(
    home.credentials,
    `[prod-sts]\n${expired}assumed_role_arn = arn:aws:iam::444455556666:role/admin\nassumed_from = default\n[last]\na = b\n`,
  );
  return fs.readFileSync(home.credentials, 'utf8');
};

/** Raises an error unless the files are as before, or hold the whole new session and all else as before. */
const expectWhole = (before: string): void => {
  const text = fs.readFileSync(home.credentials, 'utf8');
  if (text === before) return;
  const {
    aws_access_key_id: id = '',
    aws_secret_access_key: secret,
    aws_session_token: token,
  } = sectionOf(home, 'prod-sts');
  expect(id).toMatch(/^ASIA/);
  expect([secret, token]).not.toContain(undefined);
  expect(withoutProd(text)).toEqual(withoutProd(before));
};

const codes = ['ENOSPC', 'EACCES', 'EIO'];

describe('a renewal of a role that comes to grief', () => {
  beforeEach(() => {
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
  });

  test.each(codes)('leaves the files whole whichever operation fails with %s', async (code) => {
    const attempt = async (at: number): Promise<number> => {
      const before = prepareRenewal();
      const { count, error } = await withFault({ under: home.folder, action: code, at }, () => get('prod'));
      expectWhole(before);
      expect(error === undefined || error instanceof UserError).toBe(true);
      expect(await whoIs(await get('prod'))).toMatch(/assumed-role\/admin\/jane$/);
      return count;
    };
    const operations = await attempt(Number.MAX_SAFE_INTEGER);
    expect(operations).toBeGreaterThan(50);
    // in few attempts every other operation still fails with one of the codes
    const first = atSize(1 + 2 * codes.indexOf(code), 1);
    for (let at = first; at <= operations; at += atSize(2 * codes.length, 1)) {
      await attempt(at).catch((error: unknown) => {
        throw new Error(`${code} from operation ${at} of ${operations}`, { cause: error });
      });
    }
  });

  test.each(['kill', 'torn'])('leaves the files whole wherever a %s strikes', async (action) => {
    const attempt = async (at: number): Promise<boolean> => {
      const before = prepareRenewal();
      const env = faultEnvironment({ under: home.folder, action, at });
      const { signal } = await runProcess(home, ['env', 'prod'], { env });
      expectWhole(before);
      expect(await whoIs(await get('prod'))).toMatch(/assumed-role\/admin\/jane$/);
      return signal === 'SIGKILL';
    };
    let struck = 0;
    for (let at = 1; await attempt(at); at += atSize(25, 1)) struck += 1;
    expect(struck).toBeGreaterThan(atSize(2, 60));
  });
});
