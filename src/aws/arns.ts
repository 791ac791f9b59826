/** The partition of an ARN (`arn:aws-cn:iam::…` is `aws-cn`), undefined for what is no ARN. */
export const partitionOf = (arn: string): string | undefined => /^arn:([a-z0-9-]+):/.exec(arn)?.[1];

/** The account of an ARN, twelve digits, undefined for what has none. */
export const accountOfArn = (arn: string): string | undefined =>
  /^arn:[a-z0-9-]+:[a-z0-9-]*:[^:]*:(\d{12}):/.exec(arn)?.[1];

/** The name of the IAM user of an ARN, what follows the last slash since users can have paths; undefined for all else. */
export const userNameOfArn = (arn: string): string | undefined =>
  /^arn:[a-z0-9-]+:iam::\d{12}:user\/(?:.+\/)?([\w+=,.@-]+)$/.exec(arn)?.[1];
