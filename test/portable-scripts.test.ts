import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/package.ts';

// macOS has BSD's tools. What is written here for users, and the tests, calls nothing that these lack.

/** What only GNU's tools know, or Linux, each with a line that holds it; BSD's way may stand behind it as the other try. */
const linuxOnly: ReadonlyArray<readonly [string, RegExp]> = [
  [`sed -i 's/a/b/' file`, /\bsed\s+(?:-\w+\s+)*(?:-\w*i\b|--in-place)/],
  [`sed '$a text' file`, /\bsed\b.*['";]\s*(?:\d+|\\?\$)[aic]\s*\w/],
  [String.raw`sed 's/a/b\n/' file`, /\bsed\b.*\bs\/[^/]*\/[^/]*\\[nrt]/],
  ['stat -c %a file', /\bstat\s+(?:-c|--)(?!.*\|\|\s*stat -f)/],
  ['date -u -d @1', /\bdate\s+(?:-u\s+)?(?:-d|--)(?!.*(?:\|\||;\s*or)\s*(?:\\?command )?date (?:-u )?-r)/],
  ['date +%s%N', /\bdate\s+\S*%N/],
  ['readlink -f file', /\breadlink\s+-[ef]/],
  ['realpath --relative-to=a b', /\brealpath\s+-/],
  ['mktemp --suffix=x', /\bmktemp\s+(?:.*\s)?--/],
  ['setsid command', /\bsetsid\s/],
  ['timeout 5 command', /(?:^|[;&|(]|\bcommand)\s*timeout\s/],
  ['grep -P x', /\bgrep\s+-\w*P/],
  ['sort -V', /\bsort\s+-\w*V/],
  ['xargs -r x', /\bxargs\s+(?:-\w+\s+)*-\w*r/],
  ['ls --color', /\b(?:ls|cp|mv|rm|head|tail|cut|wc)\s+--\w/],
  ['find . -printf x', /\bfind\b.*\s-printf\b/],
  ['head -n -1', /\bhead\s+-[nc]\s+-/],
  ['sha256sum file', /\b(?:md5|sha\d+)sum\b/],
  ['base64 -w 0', /\bbase64\s+(?:-w|--)/],
  ['script -c command', /(?:^|[;&|(])\s*script\s+-\w*c/],
  ['echo >/dev/full', /\/dev\/full\b/],
  ['tac file', /(?:^|[;&|(])\s*tac\b/],
];

// This file holds them all.
const ourselves = 'portable-scripts.test.ts';

const scriptsIn = (folder: string, pattern = /./): string[] =>
  fs
    .readdirSync(join(root, folder))
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name));

const findings = (text: string): string[] =>
  text
    .split('\n')
    .filter(
      (line) => !/^\s*(?:#|\/\/|\/?\*)/.test(line) && linuxOnly.some(([, pattern]) => pattern.test(line)),
    );

test('the scripts of the package, .ci/run and the tests call nothing that only Linux has', () => {
  const scripts = [
    ...scriptsIn('shell'),
    ...scriptsIn('completions'),
    '.ci/run',
    ...scriptsIn('test', /\.(?:bash|bats|test\.ts)$/).filter((path) => !path.endsWith(ourselves)),
    ...scriptsIn(join('test', 'support')).filter((path) => fs.statSync(join(root, path)).isFile()),
  ];
  expect(scripts.length).toBeGreaterThan(90);
  const found = scripts.flatMap((path) =>
    findings(fs.readFileSync(join(root, path), 'utf8')).map((line) => `${path}: ${line.trim()}`),
  );
  expect(found).toEqual([]);
});

test.each(linuxOnly)('and this would be found: %s', (line) => {
  expect(findings(line)).toEqual([line]);
});
