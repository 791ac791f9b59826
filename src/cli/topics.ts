import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemCode } from '../errors.ts';

// above a room of `src` as well as above `dist/cli`
const folder = fileURLToPath(new URL('../../docs', import.meta.url));

/** The topics of the help: the pages of `docs` in the package, but for the one that is for contributors. */
export const topicNames = (pages: string = folder): string[] => {
  try {
    return readdirSync(pages)
      .flatMap((name) => (name.endsWith('.md') ? [name.slice(0, -'.md'.length)] : []))
      .filter((name) => name !== 'architecture')
      .toSorted();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
};

/** The page of a topic, in Markdown. */
export const readTopic = (name: string): string => readFileSync(`${folder}/${name}.md`, 'utf8');
