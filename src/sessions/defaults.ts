/** Of a new session, and of one that is still live enough to be used, in seconds, where nobody says otherwise. */
export const sessionDefaults = { duration: 43_200, minTtl: 300 } as const;

/** What must be left of a session that a role is assumed with, in seconds: enough for the request. */
export const sourceMinTtl = 60;
