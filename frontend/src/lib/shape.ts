/** Small run-time checks of JSON from a socket: what does not fit is dropped instead of half understood. */

export type Check = (value: unknown) => boolean;

export const isText: Check = (value) => typeof value === 'string';
export const isFlag: Check = (value) => typeof value === 'boolean';
export const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
export const isWhole: Check = (value) => Number.isSafeInteger(value);

export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

/** The key may be missing. */
export const ifThere =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

export const tableOf =
  (check: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(check);

export const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);

/** An object whose every named field fits; other fields are let through, so that servers can add some. */
// The type is named by the caller, and so the compiler sees to it that no field of it is forgotten.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function shapeOf<T>(fields: { readonly [K in keyof T]-?: Check }): Check {
  const checks = Object.entries<Check>(fields);
  return (value) => isRecord(value) && checks.every(([name, check]) => check(value[name]));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
