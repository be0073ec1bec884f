import { useMemo, useState } from 'react';
import { IconButton } from '@/components/ui/icon-button';
import { Menu, type MenuPlace } from '@/components/ui/menu';
import { useLanguage } from '@/i18n/locale';
import { useSelected } from '@/lib/use-store';
import { Author } from './author';
import { personMenu, type PersonCommands } from './message-menu';
import type { RoomChat } from './room-chat';
import type { RosterEntry } from './wire';

const order = { host: 0, moderator: 1, viewer: 2 } as const;

interface RosterListProps {
  chat: RoomChat;
  commands: PersonCommands;
  onRename: () => void;
}

/** Who is in the room: hosts and moderators first, then by name. */
export function RosterList({ chat, commands, onRename }: RosterListProps) {
  const { t, locale } = useLanguage();
  const roster = useSelected(chat.state, (state) => state.roster);
  const count = useSelected(chat.state, (state) => state.count);
  const me = useSelected(chat.state, (state) => state.me);
  const [menu, setMenu] = useState<{ person: RosterEntry; place: MenuPlace } | null>(null);
  const people = useMemo(() => {
    const byName = new Intl.Collator(locale);
    return [...roster.values()].sort(
      (a, b) => order[a.role] - order[b.role] || byName.compare(a.nickname, b.nickname),
    );
  }, [roster, locale]);
  const more = count - people.length;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-2 py-2">
      <p className="px-2 pb-2 text-xs text-muted">{t('chat.peopleCount', { count })}</p>
      <ul aria-label={t('chat.people')} className="flex flex-col">
        {people.map((person) => (
          <li
            key={person.viewerId}
            className="flex min-h-11 items-center justify-between gap-2 rounded-lg pr-1 pl-2 text-sm focus-within:bg-raised hover:bg-raised"
          >
            <span className="flex min-w-0 items-center gap-2">
              <Author {...person} />
              {person.viewerId === me?.viewerId && (
                <span className="shrink-0 text-xs text-muted">{t('chat.you')}</span>
              )}
            </span>
            {person.viewerId === me?.viewerId ? (
              <button
                type="button"
                onClick={onRename}
                className="min-h-10 rounded-lg px-2 text-xs text-muted hover:text-text"
              >
                {t('room.rename')}
              </button>
            ) : (
              <IconButton
                icon="more"
                label={t('chat.personOptions', { nickname: person.nickname })}
                aria-haspopup="menu"
                onClick={(event) => setMenu({ person, place: event.currentTarget.getBoundingClientRect() })}
              />
            )}
          </li>
        ))}
      </ul>
      {more > 0 && <p className="px-2 py-2 text-xs text-muted">{t('chat.peopleMore', { count: more })}</p>}
      {menu !== null && (
        <Menu
          label={t('chat.personOptions', { nickname: menu.person.nickname })}
          items={personMenu(menu.person, me, commands, t)}
          place={menu.place}
          onClose={() => setMenu(null)}
        />
      )}
    </div>
  );
}
