import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PING_MS } from './chat-socket';
import { RoomChat, type ChatDoor } from './room-chat';
import { FakeSocket, hello, message, said } from './testing';

const example = (name: string) =>
  JSON.parse(
    readFileSync(new URL(`../../../../testdata/json/chat/${name}.json`, import.meta.url), 'utf8'),
  ) as Record<string, unknown>;

function visit(more: Partial<ChatDoor> = {}) {
  const door = {
    slug: 'cinema',
    token: () => 'T',
    renew: vi.fn(() => Promise.resolve('renewed' as const)),
    putOut: vi.fn(),
    mediaTimeMs: () => Date.parse('2026-11-22T20:14:59.500Z'),
    timed: vi.fn(),
    roomChanged: vi.fn(),
    streamChanged: vi.fn(),
    ...more,
  };
  const chat = new RoomChat(door, (url) => new FakeSocket(url) as unknown as WebSocket);
  chat.start();
  return { chat, door };
}

const settle = () => vi.advanceTimersByTimeAsync(300);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('location', { origin: 'https://relay.example' });
  vi.stubGlobal('addEventListener', vi.fn());
  vi.stubGlobal('removeEventListener', vi.fn());
  vi.stubGlobal('WebSocket', { OPEN: 1 });
  FakeSocket.made.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the chat of a visit', () => {
  it('asks for what it missed when it comes back, and says again what was not answered', async () => {
    const { chat } = visit();
    expect(FakeSocket.last.url).toBe('wss://relay.example/ws/rooms/cinema');
    FakeSocket.last.tell(hello({ history: [message(7)] }));
    chat.say('one', null);
    const first = FakeSocket.last.sentOf('say')[0];
    FakeSocket.last.break();
    expect(chat.state.get().connection).toBe('reconnecting');
    chat.say('two', 7);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakeSocket.made).toHaveLength(2);
    expect(FakeSocket.last.url).toBe('wss://relay.example/ws/rooms/cinema?after=7');
    FakeSocket.last.tell(hello());
    const again = FakeSocket.last.sentOf('say');
    expect(again.map((frame) => frame.text)).toEqual(['one', 'two']);
    expect(again[0]).toEqual(first);
    chat.stop();
  });

  it('keeps the text when too much waits for an answer', () => {
    const { chat } = visit();
    for (let n = 0; n < 5; n += 1) expect(chat.say(`message ${n}`, null)).toBe(true);
    expect(chat.say('one more', null)).toBe(false);
    chat.stop();
  });

  it('does not say again what the server may have forgotten hearing', async () => {
    const { chat } = visit({ renew: () => Promise.resolve('unreachable') });
    chat.say('long ago', null);
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    FakeSocket.last.tell(hello());
    expect(FakeSocket.last.sentOf('say')).toEqual([]);
    expect(chat.state.get().own[0]?.failed).toBe('unavailable');
    chat.stop();
  });

  it('draws events that come together once', async () => {
    const { chat } = visit();
    FakeSocket.last.tell(hello());
    const drawn = vi.fn();
    chat.state.subscribe(drawn);
    for (let id = 1; id <= 20; id += 1) FakeSocket.last.tell(said(message(id)));
    await settle();
    expect(drawn).toHaveBeenCalledTimes(1);
    expect(chat.state.get().lines).toHaveLength(20);
    chat.stop();
  });

  it.each([
    [4403, 'revoked'],
    [4404, 'roomGone'],
  ] as const)('ends with the room when the socket is closed with %d', (code, reason) => {
    const { chat, door } = visit();
    FakeSocket.last.tell(hello());
    FakeSocket.last.break(code);
    expect(door.putOut).toHaveBeenCalledWith(reason);
    expect(chat.state.get()).toMatchObject({ connection: 'closed', kicked: reason });
  });

  it('stays closed when it was replaced, until it is wanted again', async () => {
    const { chat, door } = visit();
    FakeSocket.last.tell(hello());
    FakeSocket.last.tell({ type: 'kicked', reason: 'replaced' });
    FakeSocket.last.break(1000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(door.putOut).not.toHaveBeenCalled();
    chat.reopen();
    expect(FakeSocket.made).toHaveLength(2);
    chat.stop();
  });

  it('joins again when its token ended', async () => {
    const { chat, door } = visit();
    FakeSocket.last.tell(hello());
    FakeSocket.last.break(4401);
    await settle();
    expect(door.renew).toHaveBeenCalledTimes(1);
    expect(FakeSocket.made).toHaveLength(2);
    chat.stop();
  });

  it('takes a connection without answers for dead', async () => {
    const { chat } = visit();
    FakeSocket.last.tell(hello());
    expect(FakeSocket.last.sentOf('ping')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(PING_MS + 500);
    expect(FakeSocket.made).toHaveLength(2);
    chat.stop();
  });

  it('gets a newer token over the socket', async () => {
    const { chat } = visit();
    FakeSocket.last.tell(hello());
    const token = chat.renewToken();
    expect(FakeSocket.last.sent).toContainEqual(example('client-renew'));
    FakeSocket.last.tell({ type: 'token', token: 'T2', expiresAt: '2026-11-22T20:20:00.000Z' });
    expect(await token).toMatchObject({ token: 'T2' });
    const unanswered = chat.renewToken();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await unanswered).toBeNull();
    chat.stop();
  });

  it('writes what the relay reads', () => {
    const { chat } = visit();
    FakeSocket.last.tell(hello());
    chat.say('@Théo regarde :popcorn: 🍿', 4101);
    chat.react('🎉');
    chat.showToken('eyJhbGciOiJFZERTQSJ9.e30.c2ln');
    expect(FakeSocket.last.sentOf('say')[0]).toEqual({
      ...example('client-say'),
      clientId: expect.any(String) as string,
    });
    expect(FakeSocket.last.sent).toContainEqual(example('client-react'));
    expect(FakeSocket.last.sent).toContainEqual(example('client-renew-token'));
    chat.stop();
  });

  it('tells the room of what changed', () => {
    const { chat, door } = visit();
    FakeSocket.last.tell(hello());
    FakeSocket.last.tell({ type: 'room', locked: true, pinned: null });
    expect(door.roomChanged).toHaveBeenLastCalledWith({ locked: true });
    FakeSocket.last.tell({ type: 'stream', isLive: false, interrupted: false, startedAt: null });
    expect(door.streamChanged).toHaveBeenCalledTimes(1);
    chat.stop();
  });
});
