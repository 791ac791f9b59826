import type { Journal } from './journal.ts';
import type { KeyHolder } from './key-holders.ts';

/** How far this process knows the rotation to have come. */
export type Standing = {
  /** The journal as it is on the disk; undefined before there is one, and when the rotation is over. */
  journal: Journal | undefined;
  /** What is known of the old key; `unknown` while AWS's answer to a change of it is open. */
  oldKey: 'active' | 'inactive' | 'deleted' | 'unknown';
};

/** How a rotation ended: which key is active where, and what became of the other one. */
export type RotateResult = {
  readonly state: 'rotated' | 'aborted' | 'already-rotated';
  readonly account: string;
  readonly userName: string;
  readonly accessKeyId: string;
  readonly holders: readonly KeyHolder[];
  readonly other: { readonly accessKeyId: string; readonly status: 'deleted' | 'inactive' } | undefined;
};

/** A rotation that waits to be finished, or `none`. */
export type RotationStatus =
  | { readonly state: 'none'; readonly profileName: string }
  | {
      readonly state: 'unfinished';
      readonly profileName: string;
      readonly journal: Journal;
      /** The process that works on it now. */
      readonly pid: number | undefined;
    };
