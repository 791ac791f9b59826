import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Journal, type Phase, readJournal, readJournals } from '../src/rotation/journal.ts';
import type { Fault } from './local-aws/faults.ts';
import { type Home, makeHome, run, writeCredentials } from './support/program.ts';
import { type Scene, expectRecovery, newScene, runHere, ways } from './support/rotation.ts';

// What version 1.0.0 has left on a disk, written by its own code with AWS's example keys. It stays as it is: whoever
// updates in the midst of a day, or of a rotation, goes on.

const fixtures = fileURLToPath(new URL('fixtures/1.0.0', import.meta.url));
const fixture = (name: string): string => fs.readFileSync(join(fixtures, name), 'utf8');
const journalNames = fs.readdirSync(join(fixtures, 'journals')).map((name) => name.replace(/\.ini$/, ''));

const old = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const newId = 'AKIAI44QH8DHBEXAMPLE';
const newSecret = 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY';
const files = { credentials: '/home/jane/.aws/credentials', config: '/home/jane/.aws/config' };
const times = { startedAt: 1_795_302_223_000, sentAt: 1_795_302_224_500 };

let home: Home;

beforeEach(() => {
  home = makeHome('http://127.0.0.1:9');
});

afterEach(() => home.remove());

describe('a session written by 1.0.0', () => {
  test.each(['work', 'lab.eu@x'])('of profile %s is live, without a call to AWS', async (profile) => {
    writeCredentials(home, fixture('credentials'));
    const { exitCode, stdout, stderr } = await run(home, ['env', profile, '--no-input']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const value of [
      'ASIAIOSFODNN7EXAMPLE',
      old.secretAccessKey,
      'FwoGZXIvYXdzEXAMPLE/token+with=signs==',
      '2099-01-01T00:00:00Z',
    ])
      expect(stdout).toContain(value);
  });
});

const jane = {
  phase: 'created',
  aborting: false,
  arn: 'arn:aws:iam::123456789012:user/jane',
  profileName: 'default',
  ...files,
  ...times,
  keepOld: false,
  existing: [old.accessKeyId],
  old,
  newId,
  newSecret,
  written: [] as string[],
};
const inBoth = { newSecret: undefined, written: [files.credentials, files.config] };

const expected: Readonly<Record<string, object>> = {
  creating: { ...jane, phase: 'creating', newId: undefined, newSecret: undefined },
  created: jane,
  'half-written': { ...jane, written: [files.credentials] },
  stored: { ...jane, ...inBoth, phase: 'stored' },
  deactivated: { ...jane, ...inBoth, phase: 'deactivated', keepOld: true },
  deleting: { ...jane, ...inBoth, phase: 'deleting' },
  aborting: { ...jane, aborting: true },
  'odd-names': {
    ...jane,
    arn: 'arn:aws-cn:iam::123456789012:user/team/a=b@c.d_e,f+g-',
    profileName: 'true',
    credentials: `/home/jane/my [files]/a "b" = c'd`,
    config: '/home/jané/日本/config',
    existing: [old.accessKeyId, 'AKIAOTHERKEYEXAMPLE1'],
  },
};

const journalFile: Readonly<Record<string, string>> = {
  'odd-names': 'aws-cn.123456789012.a=b@c.d_e,f+g-.ini',
};

describe('a journal written by 1.0.0', () => {
  test.each(journalNames)('is understood: %s', (name) => {
    const rotations = join(home.state, 'rotations');
    fs.mkdirSync(rotations, { recursive: true, mode: 0o700 });
    const path = join(rotations, journalFile[name] ?? 'aws.123456789012.jane.ini');
    fs.writeFileSync(path, fixture(`journals/${name}.ini`), { mode: 0o600 });
    const [journal, ...more] = readJournals(home.state);
    expect(more).toEqual([]);
    expect(journal).toMatchObject(expected[name] ?? { name: 'has nothing to compare it with' });
    expect(readJournal(home.state, journal?.arn ?? '')).toEqual(journal);
  });

  // Each phase is left by a rotation of today that a fault has ended; its journal is replaced by what 1.0.0 would have
  // written of the same keys and files.
  const drop: Fault = { kind: 'drop' };
  const ends: ReadonlyArray<{ phase: Phase; at: string; fault: Fault; skip: number }> = [
    { phase: 'creating', at: 'CreateAccessKey', fault: drop, skip: 0 },
    { phase: 'creating', at: 'CreateAccessKey', fault: { kind: 'drop', after: true }, skip: 0 },
    { phase: 'created', at: 'GetCallerIdentity', fault: drop, skip: 1 },
    { phase: 'stored', at: 'UpdateAccessKey', fault: drop, skip: 0 },
    { phase: 'stored', at: 'UpdateAccessKey', fault: { kind: 'drop', after: true }, skip: 0 },
    { phase: 'deleting', at: 'DeleteAccessKey', fault: drop, skip: 0 },
    { phase: 'deleting', at: 'DeleteAccessKey', fault: { kind: 'drop', after: true }, skip: 0 },
  ];

  test.each(ends.flatMap((end) => ways.map((way) => ({ ...end, way, done: 'after' in end.fault }))))(
    'in the phase $phase ($at done: $done) is finished by $way',
    async ({ phase, at, fault, skip, way }) => {
      const scene = await newScene();
      try {
        scene.aws.fault(at, fault, { skip, times: 3 });
        await runHere(scene, ['rotate', 'default', '--yes', '--token-code', scene.phone.code()]);
        scene.aws.clearFaults();
        const [journal] = readJournals(scene.home.state);
        expect(journal).toMatchObject({ phase, arn: jane.arn, profileName: jane.profileName });
        if (journal !== undefined) writeAs100(scene, journal);
        await expectRecovery(scene, way);
      } finally {
        await scene.remove();
      }
    },
  );
});

const writeAs100 = (scene: Scene, journal: Journal): void => {
  const replacements: ReadonlyArray<readonly [string, string]> = [
    [old.accessKeyId, journal.old.accessKeyId],
    [old.secretAccessKey, journal.old.secretAccessKey],
    [newId, journal.newId ?? newId],
    [newSecret, journal.newSecret ?? newSecret],
    [files.credentials, scene.home.credentials],
    [files.config, scene.home.config],
    [String(times.startedAt), String(journal.startedAt)],
    [String(times.sentAt), String(journal.sentAt)],
  ];
  const text = replacements.reduce(
    (made, [from, to]) => made.replaceAll(from, () => to),
    fixture(`journals/${journal.phase}.ini`),
  );
  fs.writeFileSync(join(scene.home.state, 'rotations', 'aws.123456789012.jane.ini'), text);
};
