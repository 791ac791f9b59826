// A screen as `tmux capture-pane -e` gives it, as a picture that is readable on a dark page and on a light one.

type Run = { readonly text: string; readonly style: string };

const [width, height, margin] = [8.43, 20, 16];

const colours: Readonly<Record<number, string>> = {
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  35: 'magenta',
  36: 'cyan',
};

/** The picture of a screen of so many columns; escape sequences other than those of styles are an error. */
export const svgOf = (screen: string, columns: number, title: string): string => {
  const lines = screen.trimEnd().split('\n');
  const size = [columns * width + 2 * margin, lines.length * height + 2 * margin].map(Math.ceil);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(' ')}" xml:space="preserve" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    '<style>',
    'text { font-size: 14px; fill: #d7dbe0; white-space: pre }',
    '.bold { font-weight: bold; fill: #ffffff } .dim { fill: #98a0aa }',
    '.red { fill: #ff8d85 } .green { fill: #7ee787 } .yellow { fill: #f2cc60 } .blue { fill: #79c0ff } .magenta { fill: #d2a8ff } .cyan { fill: #76e3ea }',
    '</style>',
    `<rect width="100%" height="100%" rx="8" fill="#1b1f24" stroke="#6e7681"/>`,
    ...runsOf(lines).flatMap((runs, row) => lineOf(runs, margin + (row + 0.72) * height)),
    '</svg>',
    '',
  ].join('\n');
};

/** The lines of text in a picture, without styles. */
export const textOfSvg = (svg: string): string[] => {
  const lines = new Map<string, string>();
  for (const [, x = '', y = '', text = ''] of svg.matchAll(
    /<text x="([\d.]+)" y="([\d.]+)"[^>]*>(.*)<\/text>/g,
  )) {
    const before = lines.get(y) ?? '';
    const column = Math.round((Number(x) - margin) / width);
    lines.set(
      y,
      before.padEnd(column) + text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    );
  }
  return [...lines.values()];
};

const lineOf = (runs: readonly Run[], y: number): string[] => {
  let column = 0;
  // blanks have no width of their own in some readers of SVG: what stands behind them has its own place
  const words = runs.flatMap(({ text, style }) =>
    text.split(/( {2,})/).map((part) => ({ text: part, style })),
  );
  return words.flatMap(({ text, style }) => {
    const x = margin + column * width;
    column += text.length;
    if (text.trim() === '') return [];
    const length = (text.length * width).toFixed(2);
    return [
      `<text x="${x.toFixed(2)}" y="${y.toFixed(1)}" textLength="${length}"${style === '' ? '' : ` class="${style}"`}>${escaped(text)}</text>`,
    ];
  });
};

/** The pieces of each line that have one style each; a style goes on into the next line. */
const runsOf = (lines: readonly string[]): Run[][] => {
  let style: readonly string[] = [];
  return lines.map((line) =>
    line.split('\u001B[').flatMap((part, index) => {
      const [, codes = '', text = part] = index === 0 ? [] : (/^([\d;]*)m(.*)$/.exec(part) ?? []);
      if (index > 0 && text === part) throw new Error(`no style: ${JSON.stringify(part)}`);
      if (index > 0) style = styleAfter(style, codes);
      return text === '' ? [] : [{ text, style: style.join(' ') }];
    }),
  );
};

const styleAfter = (before: readonly string[], codes: string): string[] =>
  codes.split(';').reduce<string[]>(
    (style, text) => {
      const code = Number(text);
      const colour = colours[code];
      if (code === 0) return [];
      // the colour of the background, which nobody here changes
      if (code === 49) return style;
      if (code === 1) return [...style, 'bold'];
      if (code === 2) return [...style, 'dim'];
      if (code === 22) return style.filter((name) => name !== 'bold' && name !== 'dim');
      const rest = style.filter((name) => !Object.values(colours).includes(name));
      if (code === 39) return rest;
      if (colour === undefined) throw new Error(`no style: ${code}`);
      return [...rest, colour];
    },
    [...before],
  );

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
