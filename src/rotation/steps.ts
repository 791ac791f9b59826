import { UserError } from '../errors.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { describeHolders, shortId } from './description.ts';
import type { Journal, Phase } from './journal.ts';
import { lastUseOf } from './last-use.ts';
import { create, newKeyOf } from './new-key.ts';
import { checkNewKeyPlaced, giveToProfile } from './placement.ts';
import { changeOldKey, finish, resumeHint, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { settle } from './settling.ts';
import { settleLimit } from './signer.ts';

type Step = (rotation: Rotation, journal: Journal) => Promise<Journal | undefined>;

/**
 * What is to be done next in each phase. Every step may be repeated from its start by another process, and has noted
 * in the journal what it did before the next one relies on it. The last one leaves no journal.
 */
const steps: Readonly<Record<Phase, readonly Step[]>> = {
  // Nothing was asked for yet, or the ids that existed and the time of asking are noted: a key whose answer is lost is known by them.
  creating: [create],
  // The new pair is noted: whatever happens now, its secret is on the disk. The old key works and is in the files.
  created: [awaitNewKey, store],
  // Every file holds the new pair, the journal as well, and both keys work.
  stored: [deactivate],
  // Only the new key works, and it has been seen to. The old one could still be activated again.
  deactivated: [showLastUse],
  // The old key may be gone: there is no way back.
  deleting: [remove],
};

/** Goes on from the journal's phase to the end; returns it as it was before the last step. Raises UserError. */
export const runSteps = async (rotation: Rotation, journal: Journal): Promise<Journal> => {
  let now = journal;
  for (;;) {
    for (const step of steps[now.phase]) {
      rotation.checkOwn();
      const next = await step(rotation, now);
      if (next === undefined) {
        // an accident between the last look and the end of the journal brings the journal back
        await checkNewKeyPlaced(rotation, now);
        return now;
      }
      now = next;
    }
  }
};

async function awaitNewKey(rotation: Rotation, journal: Journal): Promise<Journal> {
  const key = await newKeyOf(rotation, journal);
  const start = rotation.context.now();
  await settle(rotation, key);
  const seconds = Math.round((rotation.context.now() - start) / 1000);
  say(rotation, `3/6 wait: AWS knows ${shortId(key.accessKeyId)}, after ${seconds} s`);
  return journal;
}

async function store(rotation: Rotation, journal: Journal): Promise<Journal> {
  const key = await newKeyOf(rotation, journal);
  rotation.signer.useKey(key);
  let written = journal;
  await rotation.store.replace(journal.old, key, {
    checkOwn: rotation.checkOwn,
    onWritten: (place) => {
      written = save(rotation, { ...written, written: [...new Set([...written.written, place])] });
    },
  });
  await giveToProfile(rotation, written, key);
  const holders = rotation.store.find(key);
  say(rotation, `4/6 write: ${shortId(key.accessKeyId)} into ${describeHolders(holders)}`);
  return save(rotation, { ...written, phase: 'stored' });
}

async function deactivate(rotation: Rotation, journal: Journal): Promise<Journal> {
  const { signer, userName, settled } = rotation;
  const key = await newKeyOf(rotation, journal);
  signer.useKey(key);
  if (!settled.has(key.accessKeyId)) await settle(rotation, key);
  await checkNewKeyPlaced(rotation, journal);
  const oldId = journal.old.accessKeyId;
  const isThere = await changeOldKey(rotation, 'inactive', (aws) =>
    aws.updateAccessKey(userName, oldId, 'Inactive'),
  );
  try {
    await settle(rotation, key);
  } catch (error) {
    if (isThere) await reactivate(rotation, journal, key, error);
    throw error;
  }
  await checkNewKeyPlaced(rotation, journal);
  say(rotation, `5/6 deactivate: ${shortId(oldId)}; ${shortId(key.accessKeyId)} works without it`);
  return save(rotation, { ...journal, phase: 'deactivated' });
}

/** Activates the old key again after the new one has failed without it. Always raises UserError. */
const reactivate = async (
  rotation: Rotation,
  journal: Journal,
  key: AccessKey,
  reason: unknown,
): Promise<never> => {
  const { signer, standing, userName, context } = rotation;
  const oldId = journal.old.accessKeyId;
  const failed = `the new access key ${shortId(key.accessKeyId)} failed once ${shortId(oldId)} was inactive`;
  const limit = context.now() + settleLimit / 2;
  for (let pause = 250; ; pause = Math.min(pause * 2, 4000)) {
    for (const aws of [signer.asLiveSession(), signer.as(key), signer.as(journal.old)]) {
      const isActive = await aws?.updateAccessKey(userName, oldId, 'Active').then(
        () => true,
        () => false,
      );
      if (isActive === true) {
        standing.oldKey = 'active';
        throw new UserError(`${failed}, so ${shortId(oldId)} is active again`, {
          hint: resumeHint(rotation),
          cause: reason,
        });
      }
    }
    if (context.now() >= limit) {
      throw new UserError(`${failed}, and AWS could not be told to activate it again`, {
        hint: `try again soon: ${resumeHint(rotation)}; or activate ${shortId(oldId)} in the IAM console`,
        cause: reason,
      });
    }
    await context.sleep(pause);
  }
};

async function showLastUse(rotation: Rotation, journal: Journal): Promise<Journal | undefined> {
  const oldId = journal.old.accessKeyId;
  const lastUse = await lastUseOf(rotation, oldId);
  await checkNewKeyPlaced(rotation, journal);
  if (journal.keepOld) {
    say(rotation, `6/6 keep: ${shortId(oldId)}, inactive, ${lastUse}`);
    await rotation.store.forget(oldId, journal.keyStore);
    finish(rotation, journal);
    return undefined;
  }
  say(rotation, `6/6 delete: ${shortId(oldId)}, ${lastUse}`);
  return save(rotation, { ...journal, phase: 'deleting' });
}

async function remove(rotation: Rotation, journal: Journal): Promise<undefined> {
  const { userName } = rotation;
  const oldId = journal.old.accessKeyId;
  await checkNewKeyPlaced(rotation, journal);
  await changeOldKey(rotation, 'deleted', (aws) => aws.deleteAccessKey(userName, oldId));
  await checkNewKeyPlaced(rotation, journal);
  await rotation.store.forget(oldId, journal.keyStore);
  finish(rotation, journal);
}
