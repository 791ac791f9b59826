import { isLong } from './size.ts';

/**
 * What every generator of cases begins with: the seed in FC_SEED, else in `npm test` always the same one, so that a change
 * alone can fail it, and in `npm run test:long` a new one each time, so that it goes on finding what nobody thought of.
 */
export const seed = Number(process.env['FC_SEED'] ?? (isLong ? Date.now() % 2 ** 31 : 1));

process.stdout.write(`generated cases begin with seed ${seed} (FC_SEED=${seed} repeats them)\n`);
