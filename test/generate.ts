import fs from 'node:fs';
import { generatedParts, withPart } from '../src/cli/generated-parts.ts';
import { topicNames } from '../src/cli/topics.ts';

// Writes the parts of checked-in files that are made from the table of commands.
for (const part of generatedParts(topicNames('docs'))) {
  const before = fs.readFileSync(part.file, 'utf8');
  const after = withPart(before, part);
  if (after === before) continue;
  fs.writeFileSync(part.file, after);
  console.log(`${part.file}: ${part.begin}`);
}
