/**
 * The profile whose session a `credential_process` asks us for; undefined for a command of anybody else, and for one
 * of ours that hands out no credentials.
 */
export const ownProcessProfile = (command: string): string | undefined => {
  const words = wordsOf(command);
  const at = words.findIndex((word) => /(?:^|\/)aws-iam-login(?:\.c?js|\.sh)?$/.test(word));
  // behind anything but an interpreter or `env NAME=value` it is some other program's argument
  if (at === -1 || !words.slice(0, at).every((word) => /(?:^|\/)(?:env|node|sh)$|^\w+=/.test(word)))
    return undefined;
  const { operands, options } = parse(words.slice(at + 1));
  const isOurs =
    operands.includes('credential-process') ||
    (operands.includes('env') && options.get('format') === 'process');
  const profile = operands.find((word) => !['credential-process', 'env'].includes(word));
  return isOurs ? (options.get('profile') ?? options.get('p') ?? profile ?? 'default') : undefined;
};

const flags = new Set(['no-input', 'quiet', 'q', 'debug', 'hook']);

const parse = (words: readonly string[]): { operands: string[]; options: Map<string, string> } => {
  const operands: string[] = [];
  const options = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const [, name, assigned] = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(words[index] ?? '') ?? [];
    if (name === undefined) operands.push(words[index] ?? '');
    else options.set(name, assigned ?? (flags.has(name) ? '' : (words[(index += 1)] ?? '')));
  }
  return { operands, options };
};

// As boto splits it: blanks part words, quotes and backslashes keep them together.
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])+/gs)].map(([word]) =>
    word.replaceAll(
      /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs,
      (_, double?: string, single?: string, one?: string) =>
        double === undefined ? (single ?? one ?? '') : double.replaceAll(/\\(["\\$`])/g, '$1'),
    ),
  );
