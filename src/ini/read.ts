import { isUtf8 } from 'node:buffer';
import { botoProfile, botoView, indexSections, lastGroup } from './boto-view.ts';
import { excerpt, headerLines } from './excerpt.ts';
import { hasLoneReturn, linesOf } from './lines.ts';
import type { Line } from './lines.ts';
import { parseAsBoto, syntaxProblems } from './parse-as-boto.ts';
import type { Problem } from './parse-as-boto.ts';
import { jsProfile, parseAsJs } from './parse-as-js.ts';
import { joinViews } from './section.ts';
import type { Section } from './section.ts';
import { botoName, jsName, shlexName } from './section-name.ts';
import type { FileKind } from './section-name.ts';

/**
 * The profile as AWS's parsers read it, or undefined when none of them finds it. Never throws; a file that
 * botocore rejects is read all the same (see findProblems). Only the sections that may matter are parsed.
 */
export const readProfile = (bytes: Buffer, kind: FileKind, profile: string): Section | undefined => {
  const lines = excerpt(bytes, profile);
  const js = parseAsJs(lines);
  const boto = botoProfile(indexSections(parseAsBoto(lines).sections, kind), js, kind, profile);
  const warnings = fileWarnings(bytes, lines);
  // With lines that it does not end, the JavaScript SDK mixes sections up.
  const trusted = boto === undefined || !hasLoneReturn(lines) ? jsProfile(js, kind, profile) : undefined;
  return joinViews(profile, boto, trusted, warnings);
};

/** A section that is no profile, by its header: `services local`, `sso-session work`. Undefined when missing. */
export const readSection = (bytes: Buffer, header: string): Section | undefined => {
  const [type = '', ...rest] = header.trim().split(/\s+/);
  const name = rest.join(' ');
  const lines = excerpt(bytes, name);
  const sections = parseAsBoto(lines).sections.filter(
    (section) => section.name.startsWith(type) && shlexName(section.name) === name,
  );
  const boto = botoView(lastGroup(sections), []);
  return joinViews(`${type} ${name}`, boto, parseAsJs(lines).get(`${type}.${name}`), []);
};

/** The names of all profiles, in the order of the file, each once. */
export const profileNames = (bytes: Buffer, kind: FileKind): string[] => {
  const lines = headerLines(bytes);
  const boto = parseAsBoto(lines).sections.map((section) => ({
    name: section.name === 'DEFAULT' ? undefined : botoName(section.name, kind),
    line: section.line,
  }));
  const js = [...parseAsJs(lines)].map(([section, view]) => ({
    name: section === 'DEFAULT' ? undefined : jsName(section, kind),
    line: view.line,
  }));
  const found = [...boto, ...js].sort((a, b) => a.line - b.line);
  return [...new Set(found.flatMap(({ name }) => (name === undefined ? [] : [name])))];
};

/** What botocore rejects the file for, by line. Empty: AWS CLI and boto3 accept it. */
export const findProblems = (bytes: Buffer): Problem[] => {
  const lines = linesOf(bytes);
  const badBytes = isUtf8(bytes)
    ? []
    : lines
        .filter((line) => !isUtf8(bytes.subarray(line.start, line.end)))
        .map((line): Problem => ({
          kind: 'encoding',
          line: line.number,
          message: 'bytes that are not UTF-8',
        }));
  return [...badBytes, ...syntaxProblems(lines)].sort((x, y) => x.line - y.line);
};

const fileWarnings = (bytes: Buffer, lines: readonly Line[]): string[] => [
  ...(bytes.includes('[__proto__]')
    ? ['a section [__proto__] keeps the JavaScript SDK from reading the file']
    : []),
  ...(bytes.subarray(0, 3).equals(BOM)
    ? ['line 1: a byte order mark keeps AWS CLI and boto3 from reading the file']
    : []),
  ...lines
    .filter(({ newline }) => newline === '\r')
    .slice(0, 1)
    .map(({ number }) => `line ${number}: it ends in a lone CR, where only AWS CLI and boto3 end a line`),
];

const BOM = Buffer.from('\uFEFF');
