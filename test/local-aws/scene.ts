import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type LocalAws, startLocalAws } from './server.ts';
import type { DeviceHandle, UserHandle } from './world.ts';

// What a file's tests share: these change from test to test, and the importing file sees that.
export let aws: LocalAws;
export let jane: UserHandle;
/** Jane's phone. */
export let device: DeviceHandle;
/** The server's clock: it stands still, so that no 30-second step and no second ends within a test. */
export let now: number;

/** Sets the server's clock, milliseconds since the epoch. */
export const setNow = (milliseconds: number): void => {
  now = milliseconds;
};

/** Starts one local AWS for a file; each test finds it as new, with the user jane and her phone. */
export const useLocalAws = (): void => {
  beforeAll(async () => {
    aws = await startLocalAws({ now: () => now });
  });
  beforeEach(() => {
    now = Date.now();
    aws.reset();
    jane = aws.createUser();
    device = aws.addMfaDevice(jane, { name: 'phone' });
  });
  afterAll(async () => {
    await aws.close();
  });
};
