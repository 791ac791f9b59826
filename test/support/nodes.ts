import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const folder = fileURLToPath(new URL('../../build/node', import.meta.url));

/**
 * The path of Node in the newest release of a major version, fetched by npm into `build` when it is not there yet.
 * Raises an error that says what is missing when the registry does not give it.
 */
export const nodeOf = async (major: number): Promise<string> => {
  const name = `node-${process.platform}-${process.arch}`;
  const home = join(folder, String(major));
  const node = join(home, 'node_modules', name, 'bin', 'node');
  if (!fs.existsSync(node)) {
    fs.mkdirSync(folder, { recursive: true });
    // a folder of its own first: half an installation is none
    const fresh = fs.mkdtempSync(join(folder, 'new-'));
    const words = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', fresh];
    const { exitCode, all } = await execa('npm', [...words, `${name}@${major}`], {
      cwd: fresh,
      all: true,
      reject: false,
    });
    if (exitCode !== 0)
      throw new Error(`npm could not install ${name}@${major}, which this test needs: ${all}`);
    fs.rmSync(home, { recursive: true, force: true });
    fs.renameSync(fresh, home);
  }
  return node;
};
