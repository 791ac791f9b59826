/** An answer to put on the wire. `ending` tells what becomes of it. */
export type Reply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly ending: 'whole' | 'cut' | 'drop' | 'hang';
};

/** An answer outside the protocol. */
export const plain = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
  status,
  headers,
  body,
  ending: 'whole',
});
