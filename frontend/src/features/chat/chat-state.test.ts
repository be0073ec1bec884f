import { describe, expect, it } from 'vitest';
import { emptyChat, MOST_FLOATING, reduceChat, type ChatAction, type ChatState } from './chat-state';
import { LINES_KEPT } from './lines';
import { hello, message, said } from './testing';
import type { ServerEvent } from './wire';

const event = (it: ServerEvent): ChatAction => ({ type: 'event', event: it, nowMs: 1_000 });
const after = (actions: readonly ChatAction[], from: ChatState = emptyChat) =>
  actions.reduce(reduceChat, from);
const ids = (state: ChatState) => state.lines.map((line) => line.id);
const own = (clientId: string) => ({
  clientId,
  text: 'hello',
  replyTo: null,
  mediaTime: null,
  saidAtMs: 0,
  failed: null,
});

describe('messages', () => {
  it('stand in the order of their ids, each once', () => {
    const state = after([
      event(hello({ history: [message(1), message(3)] })),
      event(said(message(4))),
      event(said(message(3))),
      event(said(message(2))),
      event(said(message(4))),
    ]);
    expect(ids(state)).toEqual([1, 2, 3, 4]);
  });

  it('of a connection that came back join those that are here', () => {
    const before = after([event(hello({ history: [message(1), message(2)] })), event(said(message(3)))]);
    const state = after([event(hello({ history: [message(4), message(5)], deleted: [2] }))], before);
    expect(ids(state)).toEqual([1, 2, 3, 4, 5]);
    expect(state.lines[1]).toMatchObject({ removed: 'byStaff', text: '' });
  });

  it('start anew when too many were missed', () => {
    const before = after([event(hello({ history: [message(1)] }))]);
    const state = after([event(hello({ history: [message(900)], truncated: true }))], before);
    expect(ids(state)).toEqual([900]);
    expect(state.complete).toBe(false);
  });

  it('are kept up to a bound', () => {
    const many = Array.from({ length: LINES_KEPT }, (_, n) => message(n + 1));
    const state = after([event(hello({ history: many })), event(said(message(LINES_KEPT + 1)))]);
    expect(state.lines).toHaveLength(LINES_KEPT);
    expect(ids(state)[0]).toBe(2);
  });

  it('from before stand in front', () => {
    const state = after([
      event(hello({ history: [message(10)] })),
      { type: 'older', messages: [message(8), message(9)], complete: true },
    ]);
    expect(ids(state)).toEqual([8, 9, 10]);
    expect(state.complete).toBe(true);
  });

  it('that are deleted lose their text, also where they are pinned', () => {
    const state = after([
      event(hello({ history: [message(1)], pinned: message(1) })),
      event({ type: 'deleted', messageId: 1, by: 'ann' }),
    ]);
    expect(state.lines[0]).toMatchObject({ removed: 'byAuthor', text: '' });
    expect(state.pinned).toBeNull();
  });

  it('that mention this viewer are told apart', () => {
    const state = after([event(hello()), event(said(message(1, { mentions: ['me', 'ann'] })))]);
    expect(state.lines[0]).toMatchObject({ mentionsMe: true, mine: false, names: ['Zoë', 'Ann'] });
  });
});

describe('what this viewer said', () => {
  it('waits until the room has it', () => {
    const waiting = after([event(hello()), { type: 'said', own: own('c1') }]);
    expect(waiting.own).toHaveLength(1);
    const heard = after([event(said(message(1, { viewerId: 'me', clientId: 'c1' })))], waiting);
    expect(heard.own).toEqual([]);
    expect(heard.spokeAtMs).toBe(1_000);
  });

  it('may be in the history after a reconnect', () => {
    const waiting = after([event(hello()), { type: 'said', own: own('c1') }]);
    const history = [message(1, { viewerId: 'me', clientId: 'c1' })];
    expect(after([event(hello({ history }))], waiting).own).toEqual([]);
  });

  it('stays with the reason when it is refused', () => {
    const state = after([
      event(hello()),
      { type: 'said', own: own('c1') },
      event({ type: 'error', code: 'slowMode', detail: '', clientId: 'c1' }),
    ]);
    expect(state.own[0]?.failed).toBe('slowMode');
    expect(state.refusal).toBeNull();
  });
});

describe('unread messages', () => {
  const away = after([event(hello({ history: [message(1)] })), { type: 'looked', away: true }]);

  it('are counted while the newest are out of sight, one’s own apart', () => {
    const state = after(
      [event(said(message(2))), event(said(message(3, { viewerId: 'me' }))), event(said(message(4)))],
      away,
    );
    expect(state).toMatchObject({ unread: 2, markerAfter: 1 });
    const back = after([{ type: 'looked', away: false }], state);
    expect(back).toMatchObject({ unread: 0, markerAfter: 1 });
    expect(after([{ type: 'looked', away: true }], back).markerAfter).toBeNull();
  });

  it('are counted over a reconnect, too', () => {
    const state = after([event(hello({ history: [message(2), message(3)] }))], away);
    expect(state).toMatchObject({ unread: 2, markerAfter: 1 });
  });
});

describe('the room', () => {
  it('is followed in presence and changes', () => {
    const state = after([
      event(hello()),
      event({
        type: 'presence',
        joined: [{ viewerId: 'bo', nickname: 'Bo', role: 'viewer' }],
        left: ['ann'],
        count: 2,
      }),
      event({ type: 'room', locked: true, pinned: message(1) }),
      event({ type: 'stream', isLive: false, interrupted: false, startedAt: null }),
    ]);
    expect([...state.roster.keys()]).toEqual(['me', 'bo']);
    expect(state.room).toMatchObject({ locked: true, isLive: false, name: 'Cinema' });
    expect(state.pinned?.id).toBe(1);
  });

  it('lets only so many reactions float', () => {
    const rain = Array.from({ length: MOST_FLOATING + 5 }, () =>
      event({ type: 'reaction', viewerId: 'ann', emoji: '🎉' }),
    );
    const state = after(rain);
    expect(state.floating).toHaveLength(MOST_FLOATING);
    const [first] = state.floating;
    expect(after([{ type: 'floated', key: first?.key ?? 0 }], state).floating).toHaveLength(
      MOST_FLOATING - 1,
    );
  });

  it('shows one notice about the storage at a time', () => {
    const state = after([
      event({ type: 'notice', code: 'storageDown', waiting: 5, dropped: 0 }),
      event({ type: 'notice', code: 'storageDown', waiting: 9, dropped: 1 }),
      event({ type: 'notice', code: 'linkRevoked', viewerId: 'x', nickname: 'X' }),
      event({ type: 'notice', code: 'storageBack', kept: 8, dropped: 1 }),
    ]);
    expect(state.notices.map(({ notice }) => notice.code)).toEqual(['linkRevoked', 'storageBack']);
  });
});
