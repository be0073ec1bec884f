/** What can be done with a message, and with a person: only what this viewer may. */
import type { MenuItem } from '@/components/ui/menu';
import type { Translate } from '@/i18n/translate';
import { isStaff, mayDelete, mayModerate } from './acts';
import type { Line } from './lines';
import type { RosterEntry } from './wire';

export interface PersonCommands {
  mention(nickname: string): void;
  silence(person: RosterEntry, seconds: number): void;
  /** Asks for how long. */
  silenceFor(person: RosterEntry): void;
  /** Asks whether it is meant. */
  ban(person: RosterEntry): void;
}

export interface MessageCommands extends PersonCommands {
  reply(line: Line): void;
  copy(line: Line): void;
  delete(line: Line): void;
  pin(messageId: number | null): void;
}

export function messageMenu(
  line: Line,
  me: RosterEntry | null,
  pinnedId: number | null,
  commands: MessageCommands,
  t: Translate,
): readonly MenuItem[] {
  const items: MenuItem[] = [
    { label: t('chat.reply'), onSelect: () => commands.reply(line) },
    { label: t('chat.copyText'), onSelect: () => commands.copy(line) },
  ];
  if (isStaff(me)) {
    const isPinned = pinnedId === line.id;
    items.push({
      label: t(isPinned ? 'chat.unpin' : 'chat.pin'),
      onSelect: () => commands.pin(isPinned ? null : line.id),
    });
  }
  if (mayDelete(me, line))
    items.push({ label: t('chat.delete'), danger: true, onSelect: () => commands.delete(line) });
  return [...items, ...moderation(line, me, commands, t)];
}

export function personMenu(
  person: RosterEntry,
  me: RosterEntry | null,
  commands: PersonCommands,
  t: Translate,
): readonly MenuItem[] {
  return [
    { label: t('chat.mention'), onSelect: () => commands.mention(person.nickname) },
    ...moderation(person, me, commands, t),
  ];
}

function moderation(
  { viewerId, nickname, role }: RosterEntry,
  me: RosterEntry | null,
  commands: PersonCommands,
  t: Translate,
): readonly MenuItem[] {
  const person = { viewerId, nickname, role };
  if (!mayModerate(me, person)) return [];
  return [
    { label: t('chat.timeout1'), onSelect: () => commands.silence(person, 60) },
    { label: t('chat.timeout10'), onSelect: () => commands.silence(person, 600) },
    { label: t('chat.timeout60'), onSelect: () => commands.silence(person, 3_600) },
    { label: t('chat.timeoutCustom'), onSelect: () => commands.silenceFor(person) },
    { label: t('chat.timeoutEnd'), onSelect: () => commands.silence(person, 0) },
    { label: t('chat.banMenu'), danger: true, onSelect: () => commands.ban(person) },
  ];
}
