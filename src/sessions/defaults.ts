/** Of a new session, and of one that is still live enough to be used, in seconds, where nobody says otherwise. */
export const sessionDefaults = { duration: 43_200, minTtl: 300 } as const;

/** What AWS lets a new session of a user last, in seconds. */
export const sessionLimits = { shortest: 900, longest: 129_600 } as const;

/** What must be left of a session that a role is assumed with, in seconds: enough for the request. */
export const sourceMinTtl = 60;

/**
 * What must be left of a session that a program takes from a `credential_process`, in seconds: boto runs one at every
 * use of a session that has less than 15 minutes left.
 */
export const processMinTtl = 960;
