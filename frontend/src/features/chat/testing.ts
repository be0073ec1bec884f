/** Makings for the chat's tests. */
import type { ChatMessage, Hello, ServerEvent } from './wire';

export function message(id: number, more: Partial<ChatMessage> = {}): ChatMessage {
  return {
    id,
    viewerId: 'ann',
    nickname: 'Ann',
    role: 'viewer',
    text: `message ${id}`,
    sentAt: new Date(Date.UTC(2026, 10, 22, 20) + id * 1_000).toISOString(),
    ...more,
  };
}

export function hello(more: Partial<Hello> = {}): Hello {
  return {
    type: 'hello',
    viewerId: 'me',
    nickname: 'Zoë',
    role: 'viewer',
    history: [],
    roster: [
      { viewerId: 'me', nickname: 'Zoë', role: 'viewer' },
      { viewerId: 'ann', nickname: 'Ann', role: 'moderator' },
    ],
    room: {
      slug: 'cinema',
      name: 'Cinema',
      access: 'invite',
      listed: false,
      locked: false,
      isLive: true,
      interrupted: false,
      startedAt: null,
      viewerCount: 2,
      slowModeSeconds: 0,
    },
    emotes: [],
    pinned: null,
    deleted: [],
    truncated: false,
    expiresAt: '2026-11-22T20:10:00.000Z',
    ...more,
  };
}

export const said = (it: ChatMessage): ServerEvent => ({ type: 'message', ...it });

export class FakeSocket {
  static readonly made: FakeSocket[] = [];
  readyState = 1;
  readonly sent: Record<string, unknown>[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    const last = FakeSocket.made.at(-1);
    if (last === undefined) throw new Error('no socket was opened');
    return last;
  }

  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as Record<string, unknown>);
  }

  close(): void {
    this.readyState = 3;
  }

  tell(event: ServerEvent): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  break(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  sentOf(type: string) {
    return this.sent.filter((frame) => frame.type === type);
  }
}
