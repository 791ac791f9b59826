import { afterEach, beforeEach } from 'vitest';
import { type LocalAws, startLocalAws } from '../local-aws/server.ts';
import type { DeviceHandle, UserHandle } from '../local-aws/world.ts';
import { type Home, makeHomeOf } from './program.ts';
import { closeTerminals } from './terminal.ts';

/** An AWS of the test's own, its user jane with a phone, and a home with her key, initialised. */
export type Scene = {
  readonly aws: LocalAws;
  readonly home: Home;
  readonly jane: UserHandle;
  readonly phone: DeviceHandle;
};

/** Gives every test of the file a new scene (it costs a millisecond), and leaves nothing of it. */
export const useScene = (begin: (scene: Scene) => void | Promise<void>): void => {
  let scene: Scene;
  beforeEach(async () => {
    const aws = await startLocalAws();
    const jane = aws.createUser();
    const phone = aws.addMfaDevice(jane, { name: 'phone' });
    scene = { aws, jane, phone, home: makeHomeOf(aws, jane, phone.serialNumber) };
    await begin(scene);
  });
  afterEach(async () => {
    await closeTerminals();
    await scene.aws.close();
    scene.home.remove();
  });
};
