/** How many columns of a terminal a text takes. */
export type WidthOf = (text: string) => number;

/**
 * How wide these texts are, and whatever is made of their characters. The package that knows wide and combining ones
 * costs as much as the start of Node, and is loaded only where there are others than plain ones.
 */
export const widthFor = async (texts: readonly string[]): Promise<WidthOf> =>
  texts.every((text) => plain.test(text)) ? (text) => text.length : (await import('string-width')).default;

// With the marks that we make ourselves.
const plain = /^[\u0020-\u007E…→]*$/;
