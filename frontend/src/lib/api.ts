/**
 * The API client: one `fetch` with JSON in (or a file as it is) and out, and problem+json made into a value.
 * Nothing here throws for an answer or a dead network; a caller has to look at `ok`.
 */

export interface Problem {
  /** HTTP status; 0 when no answer came. */
  status: number;
  title: string;
  detail: string;
  /** What is wrong with which field of the request. */
  fields: Readonly<Record<string, string>>;
  /** From `Retry-After`, where the server named a time. */
  retryAfterSeconds: number | null;
}

export type ApiResult<T> = { ok: true; value: T } | { ok: false; problem: Problem };

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Longer than any answer of a healthy relay, short enough that a dead one is noticed. */
const TIMEOUT_MS = 10_000;

// The type is the caller's claim about a server of the same release, as for any typed client.

export async function call<T>(method: Method, path: string, body?: unknown): Promise<ApiResult<T>> {
  const request: RequestInit = {
    method,
    cache: 'no-store',
    credentials: 'same-origin',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  if (body !== undefined) {
    const isFile = body instanceof Blob;
    request.body = isFile ? body : JSON.stringify(body);
    const type = isFile ? body.type || 'application/octet-stream' : 'application/json';
    request.headers = { accept: 'application/json', 'content-type': type };
  }
  try {
    const response = await fetch(path, request);
    if (!response.ok) return { ok: false, problem: await readProblem(response) };
    const text = await response.text();
    return { ok: true, value: (text === '' ? undefined : JSON.parse(text)) as T };
  } catch {
    return { ok: false, problem: unreachable() };
  }
}

export function unreachable(): Problem {
  return { status: 0, title: '', detail: '', fields: {}, retryAfterSeconds: null };
}

export async function readProblem(response: Response): Promise<Problem> {
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    // A proxy in front may answer with a page of its own: the status alone has to do.
    body = null;
  }
  const fields = isRecord(body) ? body : {};
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  return {
    status: response.status,
    title: asText(fields.title),
    detail: asText(fields.detail),
    fields: readFieldErrors(fields.errors),
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
  };
}

/** Field errors come as `{field: text}`, `{field: [text]}` or `[{field, detail}]`. */
export function readFieldErrors(errors: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  if (Array.isArray(errors)) {
    for (const entry of errors) {
      if (!isRecord(entry)) continue;
      const field = asText(entry.field);
      if (field !== '') found[field] = asText(entry.detail ?? entry.message);
    }
  } else if (isRecord(errors)) {
    for (const [field, text] of Object.entries(errors)) {
      found[field] = Array.isArray(text) ? text.map(asText).join(' ') : asText(text);
    }
  }
  return found;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
