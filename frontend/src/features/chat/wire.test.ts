import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readEvent } from './wire';

/** The same files that the relay's tests read and write. */
const folder = new URL('../../../../testdata/json/chat/', import.meta.url);
const examples = readdirSync(folder)
  .filter((name) => name.startsWith('server-'))
  .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const);

describe('events of the socket', () => {
  it.each(examples)('are understood as the relay writes them: %s', (_, json) => {
    expect(readEvent(json)).toEqual(JSON.parse(json));
  });

  it('has an example of each', () => {
    const types = new Set(examples.map(([, json]) => readEvent(json)?.type));
    expect([...types].sort()).toEqual([
      'deleted',
      'error',
      'hello',
      'kicked',
      'message',
      'notice',
      'pong',
      'presence',
      'reaction',
      'reactions',
      'room',
      'stream',
      'token',
    ]);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"type":"constructor"}',
    '{"type":"unheardOf"}',
    '{"type":"deleted","messageId":"1","by":"x"}',
    '{"type":"message","id":1.5,"viewerId":"v","nickname":"n","role":"viewer","text":"t","sentAt":"now"}',
    '{"type":"notice","code":"toString"}',
  ])('are dropped when they do not fit: %s', (frame) => {
    expect(readEvent(frame)).toBeNull();
  });
});
