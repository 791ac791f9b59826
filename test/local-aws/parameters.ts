import { refusal, validationError } from './refusal.ts';

/** What a parameter must look like. Lengths are in Unicode characters, as AWS counts them. */
export type Constraint = {
  readonly required?: boolean;
  readonly length?: readonly [number, number];
  readonly range?: readonly [number, number];
  readonly pattern?: string;
  readonly values?: readonly string[];
};

/** The constraints of an operation's parameters, by name. */
export type Constraints = Readonly<Record<string, Constraint>>;

/** Parameters that passed their constraints. */
export type Parameters = {
  readonly text: (name: string) => string | undefined;
  readonly number: (name: string) => number | undefined;
};

/** Checks the request's parameters; refuses with all violations in one ValidationError, as AWS words them. */
export const checkParameters = (form: URLSearchParams, constraints: Constraints): Parameters => {
  const violations = Object.entries(constraints).flatMap(([name, constraint]) =>
    findViolations(name, form.get(name) ?? undefined, constraint),
  );
  if (violations.length > 0) {
    const count = `${violations.length} validation error${violations.length > 1 ? 's' : ''} detected: `;
    throw validationError(count + violations.join('; '));
  }
  return {
    text: (name) => form.get(name) ?? undefined,
    number: (name) => (form.has(name) ? readInteger(form.get(name) ?? '') : undefined),
  };
};

const findViolations = (name: string, value: string | undefined, constraint: Constraint): string[] => {
  const complain = (clause: string): string => {
    const shown = value === undefined ? 'null' : `'${value}'`;
    return `Value ${shown} at '${name.charAt(0).toLowerCase()}${name.slice(1)}' failed to satisfy constraint: Member must ${clause}`;
  };
  if (value === undefined) return constraint.required === true ? [complain('not be null')] : [];
  return constraint.range === undefined
    ? textClauses(value, constraint).map(complain)
    : rangeClauses(readInteger(value), constraint.range).map(complain);
};

const rangeClauses = (value: number, [least, most]: readonly [number, number]): string[] => [
  ...(value < least ? [`have value greater than or equal to ${least}`] : []),
  ...(value > most ? [`have value less than or equal to ${most}`] : []),
];

const textClauses = (value: string, { length, pattern, values }: Constraint): string[] => {
  const [least, most] = length ?? [0, Infinity];
  const size = Array.from(value).length;
  return [
    ...(pattern !== undefined && !new RegExp(`^${pattern}$`, 'u').test(value)
      ? [`satisfy regular expression pattern: ${pattern}`]
      : []),
    ...(size > most ? [`have length less than or equal to ${most}`] : []),
    ...(size < least ? [`have length greater than or equal to ${least}`] : []),
    ...(values !== undefined && !values.includes(value)
      ? [`satisfy enum value set: [${values.join(', ')}]`]
      : []),
  ];
};

const readInteger = (text: string): number => {
  if (text === '') throw refusal(400, 'MalformedInput', 'missing value for decimal type');
  const value = Number(text);
  if (/^[+-]?\d+$/.test(text) && Math.abs(value) < 2 ** 31) return value;
  throw refusal(400, 'MalformedInput', '', { withoutMessage: true });
};
