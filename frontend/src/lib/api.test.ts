import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, readFieldErrors } from './api';

function answer(status: number, body: string, headers: Record<string, string> = {}) {
  const fetch = vi.fn(() => Promise.resolve(new Response(status === 204 ? null : body, { status, headers })));
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

describe('calls of the API', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('hands over the JSON of a good answer', async () => {
    answer(200, '{"now":"2026-11-22T10:00:00.000Z"}');
    expect(await call('GET', '/api/time')).toEqual({ ok: true, value: { now: '2026-11-22T10:00:00.000Z' } });
  });

  it('takes an answer without content as done', async () => {
    answer(204, '');
    expect(await call('DELETE', '/api/invites/x')).toEqual({ ok: true, value: undefined });
  });

  it('sends a body as JSON and never from a cache', async () => {
    const fetch = answer(200, '{}');
    await call('POST', '/api/rooms', { name: 'Cinéma' });
    const [, request] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(request).toMatchObject({ method: 'POST', cache: 'no-store', body: '{"name":"Cinéma"}' });
    expect(request.headers).toMatchObject({ 'content-type': 'application/json' });
  });

  it('reads problem+json with its field errors', async () => {
    answer(
      422,
      '{"type":"about:blank","title":"Unprocessable","status":422,"detail":"Look at the fields.","errors":{"name":"is empty"}}',
    );
    expect(await call('POST', '/api/rooms', {})).toEqual({
      ok: false,
      problem: {
        status: 422,
        title: 'Unprocessable',
        detail: 'Look at the fields.',
        fields: { name: 'is empty' },
        retryAfterSeconds: null,
      },
    });
  });

  it('reads how long to wait after too many requests', async () => {
    answer(429, '{}', { 'retry-after': '7' });
    expect(await call('GET', '/api/rooms')).toMatchObject({ problem: { status: 429, retryAfterSeconds: 7 } });
  });

  it('keeps the status of an error page that is no JSON', async () => {
    answer(502, '<html>Bad gateway</html>');
    expect(await call('GET', '/api/rooms')).toMatchObject({
      ok: false,
      problem: { status: 502, detail: '' },
    });
  });

  it('tells a dead network by status 0', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    expect(await call('GET', '/api/rooms')).toMatchObject({ ok: false, problem: { status: 0 } });
  });

  it('takes a good status with broken JSON for no answer', async () => {
    answer(200, '{"now":');
    expect(await call('GET', '/api/time')).toMatchObject({ ok: false, problem: { status: 0 } });
  });
});

describe('field errors', () => {
  it.each([
    [{ name: 'is empty' }, { name: 'is empty' }],
    [{ name: ['is empty', 'is odd'] }, { name: 'is empty is odd' }],
    [[{ field: 'slug', detail: 'is taken' }], { slug: 'is taken' }],
    [undefined, {}],
    ['broken', {}],
    [[null, 3], {}],
  ])('%j', (errors, fields) => {
    expect(readFieldErrors(errors)).toEqual(fields);
  });
});
