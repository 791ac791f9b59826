/** The text of CHANGELOG.md with what is unreleased as this version of this day (YYYY-MM-DD). Raises an error when nothing is. */
export const withRelease = (changelog: string, version: string, day: string): string => {
  const lines = changelog.split('\n');
  const headings = lines.flatMap((line, index) => (line.startsWith('## ') ? [index] : []));
  const [start, ...later] = headings;
  if (start === undefined || lines[start] !== unreleased)
    throw new Error(`CHANGELOG.md has to begin with '${unreleased}'`);
  if (later.some((index) => versionOf(lines[index]) === version))
    throw new Error(`CHANGELOG.md has a section ${version} already`);
  if (!lines.slice(start + 1, later[0]).some((line) => line.startsWith('- ')))
    throw new Error(`CHANGELOG.md says nothing under '${unreleased}': what would this release change?`);
  return [...lines.slice(0, start + 1), '', `## ${version} - ${day}`, ...lines.slice(start + 1)].join('\n');
};

/** The versions that CHANGELOG.md speaks of, the newest first, each with its day. */
export const releasesIn = (changelog: string): Array<{ version: string; day: string }> =>
  [...changelog.matchAll(/^## (\d\S*) - (\d{4}-\d\d-\d\d)$/gm)].map(([, version = '', day = '']) => ({
    version,
    day,
  }));

const unreleased = '## Unreleased';

const versionOf = (heading = ''): string | undefined => /^## (\S+)/.exec(heading)?.[1];
