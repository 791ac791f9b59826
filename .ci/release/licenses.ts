import { execa } from 'execa';

/** The licences under which a package may be bundled: they ask for their text and their notices, which we deliver. */
export const accepted: readonly string[] = ['Apache-2.0', 'ISC', 'MIT'];

/** A bundled package, as CycloneDX writes it. */
export type Component = {
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly licenses?: readonly {
    readonly license?: { readonly id?: string; readonly name?: string };
    readonly expression?: string;
  }[];
  readonly evidence?: {
    readonly licenses?: readonly {
      readonly license: { readonly name: string; readonly text: { readonly content: string } };
    }[];
  };
};

/**
 * The bundled packages by esbuild's metafile, which lies at this path; the paths in it begin in this folder. Raises an
 * error when they cannot be told.
 */
export const findComponents = async (metafile: string, folder: string): Promise<readonly Component[]> => {
  const options = ['--gather-license-texts', '--output-reproducible', '--no-validate', '--output-file', '-'];
  const { stdout } = await execa('cyclonedx-esbuild', [...options, metafile], {
    cwd: folder,
    preferLocal: true,
    localDir: process.cwd(),
  });
  const { components }: { readonly components?: readonly Component[] } = JSON.parse(stdout);
  if (components === undefined) throw new Error(`cyclonedx-esbuild found no packages in ${metafile}`);
  return components;
};

/**
 * The text of THIRD-PARTY-LICENSES: every licence and notice whole and once, each below the packages that bring it.
 * Raises an error for a package whose licence is not accepted, or that brings no text.
 */
export const thirdPartyLicenses = (components: readonly Component[]): string => {
  const packagesOf = new Map<string, Set<string>>();
  for (const component of components) {
    const license = acceptedLicenseOf(component);
    const texts = textsOf(component);
    if (texts.length === 0) throw new Error(`${nameOf(component)} brings no text of its licence`);
    for (const { file, text } of texts) {
      const packages = packagesOf.get(text) ?? new Set();
      packages.add(`${nameOf(component)} (${license}), ${file}`);
      packagesOf.set(text, packages);
    }
  }
  const parts = [...packagesOf].map(([text, packages]) => ({
    text,
    heading: [...packages].sort().join('\n'),
  }));
  return [
    'aws-iam-login contains the packages below, under these licences.\n',
    ...parts
      .sort((one, other) => (one.heading < other.heading ? -1 : 1))
      .map(({ heading, text }) => `${'='.repeat(80)}\n${heading}\n${'-'.repeat(80)}\n\n${text}\n`),
  ].join('\n');
};

const nameOf = ({ group, name, version }: Component): string =>
  `${group === undefined ? '' : `${group}/`}${name} ${version ?? 'without a version'}`;

const acceptedLicenseOf = (component: Component): string => {
  const names = (component.licenses ?? []).map(
    ({ license, expression }) => expression ?? license?.id ?? license?.name ?? 'unnamed',
  );
  const [name, ...more] = names;
  if (name !== undefined && more.length === 0 && accepted.includes(name)) return name;
  const what = names.length === 0 ? 'no licence' : `the licence ${names.join(' and ')}`;
  throw new Error(`${nameOf(component)} has ${what}; accepted are ${accepted.join(', ')}`);
};

// The order of a folder differs between file systems.
const textsOf = ({ evidence }: Component): Array<{ file: string; text: string }> =>
  (evidence?.licenses ?? [])
    .map(({ license: { name, text } }) => ({
      file: name.replace(/^file: /, ''),
      text: Buffer.from(text.content, 'base64').toString().replaceAll('\r\n', '\n').trim(),
    }))
    .filter(({ text }) => text !== '')
    .sort((one, other) => (one.file < other.file ? -1 : 1));
