import * as fc from 'fast-check';
import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { isUserError } from '../src/errors.ts';
import { findProblems, profileNames, readProfile } from '../src/ini/read.ts';
import { setSettings } from '../src/ini/edit.ts';
import type { Changes } from '../src/ini/edit.ts';
import type { FileKind } from '../src/ini/section-name.ts';
import { anyFile } from './ini-files.ts';
import { findPythons, readWithBoto, readWithJs } from './other-parsers.ts';
import type { Profiles, SharedFile } from './other-parsers.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';

const RUNS = atSize(1000, 10_000);

const LONE_RETURN = /\r(?!\n)/;

type Edit = { readonly file: SharedFile; readonly profile: string; readonly changes: Changes };

const key = fc.constantFrom(
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_security_token',
  'expiration',
  'mfa_serial',
  'region',
  'username',
);

const value = fc.oneof(
  fc.constantFrom(
    'ASIAIOSFODNN7EXAMPLE',
    'FwoGZX==',
    'arn:aws:iam::111122223333:mfa/jane',
    '2026-01-02T03:04:05Z',
  ),
  fc.constantFrom('a b', 'x#y;z', 'ü', '=', '[x]', ':', 'a = b', "it's"),
  fc.stringMatching(/^[A-Za-z0-9+/]{1,60}={0,2}$/),
);

const anyEdit: fc.Arbitrary<Edit> = fc.record({
  file: anyFile(),
  profile: fc.constantFrom(
    'default',
    'foo',
    'foo',
    'foo-sts',
    'acme.prod',
    'my prod',
    'bar',
    'new',
    'föö',
    'a@b+c',
  ),
  changes: fc.dictionary(key, fc.option(value, { nil: undefined, freq: 5 }), { minKeys: 1, maxKeys: 4 }),
});

/** The edited file, or undefined where the editor refuses with a sentence. Any other error is thrown. */
const edited = ({ file, profile, changes }: Edit): Buffer | undefined => {
  try {
    return setSettings(file.bytes, file.kind, profile, changes);
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

test(
  'an edit changes no byte outside the edited keys, reads back exactly, and repeats without a change',
  { timeout: 300_000 },
  () => {
    let done = 0;
    fc.assert(
      fc.property(anyEdit, (edit) => {
        const { file, profile, changes } = edit;
        const after = edited(edit);
        if (after === undefined) return;
        done++;
        expect(unexplained(file.bytes, after, changes, headerOf(file.kind, profile))).toBeUndefined();
        expect(syntaxProblems(after)).toEqual([]);
        expect(readBack(after, file.kind, profile, changes)).toEqual(expectedBack(file, profile, changes));
        // A new section may end the last lone CR, which is what kept the reader from trusting one parser.
        const others = LONE_RETURN.test(file.bytes.toString('latin1'))
          ? []
          : profileNames(file.bytes, file.kind).filter((name) => name !== profile);
        expect(others.map((name) => keysOf(after, file.kind, name))).toEqual(
          others.map((name) => keysOf(file.bytes, file.kind, name)),
        );
        expect(setSettings(after, file.kind, profile, changes).equals(after)).toBe(true);
      }),
      { numRuns: RUNS, seed },
    );
    // Otherwise the property would say nothing.
    expect(done).toBeGreaterThan(RUNS / 2);
  },
);

test(
  'a file that botocore accepts is edited, save where that would lose something, and no other one is',
  { timeout: 300_000 },
  () => {
    let refused = 0;
    let sound = 0;
    fc.assert(
      fc.property(anyEdit, (edit) => {
        const after = edited(edit);
        const isSound = syntaxProblems(edit.file.bytes).length === 0;
        if (isSound) sound++;
        if (isSound && after === undefined) refused++;
        expect(isSound || after === undefined).toBe(true);
      }),
      { numRuns: RUNS, seed },
    );
    expect(refused).toBeLessThan(sound / 20);
  },
);

test(
  'boto and the JavaScript SDK read every edited file: the new values, and all else as before',
  { timeout: 300_000 },
  async () => {
    const edits = fc
      .sample(anyEdit, { numRuns: atSize(700, 2000), seed })
      .flatMap((edit) => {
        const after = edited(edit);
        const isChanged = after !== undefined && !after.equals(edit.file.bytes);
        // What [DEFAULT] adds to other sections is another test's matter.
        return isChanged && !edit.file.bytes.includes('[DEFAULT]') ? [{ ...edit, after }] : [];
      })
      .slice(0, atSize(300, 800));
    expect(edits.length).toBeGreaterThan(atSize(175, 500));
    const before = edits.map(({ file }) => file);
    const after = edits.map(({ file, after: bytes }) => ({ kind: file.kind, bytes }));

    const jsBefore = await readWithJs(before);
    const jsAfter = await readWithJs(after);
    // Where that SDK ends no line (CR), throws (__proto__) or did not find the section before, an edit cannot help it.
    const visible = edits.filter(
      ({ file, profile }, index) =>
        !LONE_RETURN.test(file.bytes.toString('latin1')) &&
        !file.bytes.includes('__proto__]') &&
        (jsBefore[index]?.has(profile) === true ||
          (readProfile(file.bytes, file.kind, profile) === undefined && isForJs(file.kind, profile))),
    );
    expect(visible.length).toBeGreaterThan(atSize(130, 400));
    const unread = visible.filter(
      (edit) => !holds(jsAfter[edits.indexOf(edit)]?.get(edit.profile), edit.changes),
    );
    expect(unread.map(described)).toEqual([]);

    for (const python of await findPythons()) {
      const old = await readWithBoto(python, before);
      const now = await readWithBoto(python, after);
      const accepted = edits.filter((_, index) => old[index]?.rejected === undefined);
      expect(accepted.length).toBeGreaterThan(atSize(130, 400));
      const wrong = edits.filter((edit, index) => {
        const was = old[index];
        const is = now[index];
        if (was?.rejected !== undefined)
          return findProblems(edit.file.bytes).every(({ kind }) => kind === 'syntax');
        if (is?.rejected !== undefined || !holds(is?.profiles.get(edit.profile), edit.changes)) return true;
        return !isDeepStrictEqual(without(is?.profiles, edit), without(was?.profiles, edit));
      });
      expect(wrong.map(described)).toEqual([]);
    }
  },
);

const holds = (read: ReadonlyMap<string, string> | undefined, changes: Changes): boolean =>
  Object.entries(changes).every(([name, text]) => read?.get(name) === text);

/** Everything but the edited keys. */
const without = (profiles: Profiles | undefined, { profile, changes }: Edit): unknown =>
  [...(profiles ?? [])]
    .map(
      ([name, keys]) =>
        [name, [...keys].filter(([inner]) => name !== profile || !(inner in changes))] as const,
    )
    .filter(([name, keys]) => name !== profile || keys.length > 0);

const described = ({ file, profile, changes, after }: Edit & { after: Buffer }): string =>
  [file.kind, file.bytes.toString('latin1'), profile, changes, after.toString('latin1')]
    .map((part) => JSON.stringify(part))
    .join(' ');

const syntaxProblems = (bytes: Buffer): unknown[] =>
  findProblems(bytes).filter(({ kind }) => kind === 'syntax');

const keysOf = (bytes: Buffer, kind: FileKind, profile: string): unknown => {
  const section = readProfile(bytes, kind, profile);
  return section && { keys: section.settings, nested: section.nested };
};

const readBack = (bytes: Buffer, kind: FileKind, profile: string, changes: Changes): unknown => {
  const section = readProfile(bytes, kind, profile);
  return Object.keys(changes).map((name) => section?.settings.get(name));
};

/** A removed key may still come from [DEFAULT]. */
const expectedBack = (file: SharedFile, profile: string, changes: Changes): unknown => {
  const leaked = /\[DEFAULT\]/.test(file.bytes.toString('latin1'))
    ? readProfile(setSettings(file.bytes, file.kind, profile, changes), file.kind, profile)
    : undefined;
  return Object.entries(changes).map(([name, text]) => text ?? leaked?.settings.get(name));
};

/** Whether the JavaScript SDK reads a new section of this name. */
const isForJs = (kind: FileKind, profile: string): boolean =>
  !/\s/.test(profile) && (kind === 'credentials' || !/[^\w\-@+.%:/]/.test(profile));

const headerOf = (kind: FileKind, profile: string): string =>
  kind === 'config' && profile !== 'default'
    ? `[profile ${profile.includes(' ') ? JSON.stringify(profile) : profile}]`
    : `[${profile}]`;

/**
 * The first line that differs without being one of an edited key, found by walking both files side by side.
 * It knows nothing of how the editor works.
 */
const unexplained = (before: Buffer, after: Buffer, changes: Changes, header: string): string | undefined => {
  const old = rawLines(before);
  const now = rawLines(after);
  const names = Object.keys(changes).join('|');
  const ownKey = new RegExp(String.raw`^([\s\x1c-\x1f\x85]*)(?:${names})[\s\x1c-\x1f\x85]*[=:]`, 'i');
  const isAdded = (line: string): boolean => {
    const [name = '', text] = line.replace(/[\r\n]+$/, '').split(/\s*=\s*(.*)/s);
    const wanted = changes[name.slice(Math.max(0, name.search(FIRST_GRAPHIC))).toLowerCase()];
    return wanted !== undefined && wanted === text;
  };
  let j = 0;
  let valueIndent: number | undefined;
  for (const [i, line] of old.entries()) {
    while (j < now.length && !same(line, now[j], i === old.length - 1) && isAdded(now[j] ?? '')) j++;
    if (same(line, now[j], i === old.length - 1)) {
      j++;
      const blank = /^\s*([#;].*)?$/s.test(line);
      if (!blank) valueIndent = ownKey.exec(line)?.[1]?.length;
      continue;
    }
    const indent = line.search(FIRST_GRAPHIC);
    if (valueIndent !== undefined && indent > valueIndent) continue;
    const match = ownKey.exec(line);
    if (match === null) return `line ${i + 1} is gone or changed: ${JSON.stringify(line)}`;
    valueIndent = match[1]?.length ?? 0;
  }
  const rest = now.slice(j).map((line) => line.replace(/[\r\n]+$/, ''));
  const added = rest.filter((line) => !isAdded(line));
  if (added.length === 0 || (added.join('\n').trim() === header && added.length <= 2)) return undefined;
  return `added: ${JSON.stringify(rest)}`;
};

const FIRST_GRAPHIC = new RegExp(String.raw`[^\s\x1c-\x1f\x85]`);

/** A last line may gain the newline that it lacked. */
const same = (old: string, now: string | undefined, isLast: boolean): boolean =>
  old === now ||
  (isLast &&
    now !== undefined &&
    !old.endsWith('\n') &&
    old.replace(/\r$/, '') === now.replace(/[\r\n]+$/, ''));

const rawLines = (bytes: Buffer): string[] =>
  (bytes.toString('latin1').match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? []).map((line) => {
    const raw = Buffer.from(line, 'latin1');
    return isUtf8(raw) ? raw.toString() : line;
  });
