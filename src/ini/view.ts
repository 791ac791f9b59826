/** A setting's value and line; what it says of its spelling is for warnings and edits. */
export type Entry = {
  readonly value: string;
  readonly line: number;
  readonly spelled: string;
  readonly leaked?: boolean;
  readonly delimiter?: string;
  readonly indented?: boolean;
};

/**
 * A section as one of the parsers reads it, the names of the settings in lower case. Most sections have no more than
 * settings, and files may have thousands of sections: the rest is there when there is something in it.
 */
export type View = {
  readonly line: number;
  readonly settings: Map<string, Entry>;
  nested?: Map<string, Map<string, Entry>>;
  /** The lines that stand in a block for the JavaScript SDK, whether it finds a setting in them or not. */
  blockLines?: number[];
  warnings?: string[];
};

/** A view without any setting; `line`: of its header. */
export const newView = (line: number): View => ({ line, settings: new Map() });

/** Only the lower-case spelling is found by the JavaScript SDK, so it wins. */
export const setLower = (entries: Map<string, Entry>, entry: Entry): void => {
  const name = entry.spelled.toLowerCase();
  const old = entries.get(name);
  if (old === undefined || old.spelled !== name || entry.spelled === name) entries.set(name, entry);
};
