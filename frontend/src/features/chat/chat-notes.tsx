import { useEffect, type ReactNode } from 'react';
import { Icon } from '@/components/ui/icon';
import { IconButton } from '@/components/ui/icon-button';
import type { Translate } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import { useSelected } from '@/lib/use-store';
import type { RoomChat } from './room-chat';
import type { Notice } from './wire';

/** How the connection stands, when it does not simply stand. */
export function ConnectionNote({ chat }: { chat: RoomChat }) {
  const { t } = useLanguage();
  const connection = useSelected(chat.state, (state) => state.connection);
  const kicked = useSelected(chat.state, (state) => state.kicked);
  const content = noteOf();
  return (
    <div role="status">
      {content !== null && (
        <div className="flex animate-appear-late flex-wrap items-center gap-x-3 px-4 py-1.5 text-xs text-muted">
          {content}
        </div>
      )}
    </div>
  );

  function noteOf(): ReactNode {
    switch (connection) {
      case 'open':
        return null;
      case 'connecting':
        return t('chat.connecting');
      case 'reconnecting':
        return (
          <>
            <span className="size-2 animate-breathe rounded-full bg-accent" />
            <span className="min-w-0 flex-1">{t('chat.reconnecting')}</span>
          </>
        );
      case 'closed':
        if (kicked !== 'replaced' && kicked !== 'misbehaved') return t('chat.closed');
        return (
          <>
            <span className="min-w-0 flex-1">{t(`chat.${kicked}`)}</span>
            <button
              type="button"
              onClick={() => chat.reopen()}
              className="min-h-8 rounded-lg px-2 font-medium text-accent hover:bg-raised"
            >
              {t('chat.useHere')}
            </button>
          </>
        );
    }
  }
}

const REFUSAL_MS = 6_000;

/** Why something other than a message was refused; goes by itself. */
export function RefusalNote({ chat }: { chat: RoomChat }) {
  const { t } = useLanguage();
  const refusal = useSelected(chat.state, (state) => state.refusal);
  useEffect(() => {
    if (refusal === null) return;
    const timer = setTimeout(() => chat.closeRefusal(refusal.key), REFUSAL_MS);
    return () => clearTimeout(timer);
  }, [chat, refusal]);
  return (
    <div role="alert">
      {refusal !== null && (
        <p className="px-4 py-1.5 text-xs text-danger">{t(`chat.error.${refusal.code}`)}</p>
      )}
    </div>
  );
}

/** What staff are told, until they close it. */
export function NoticeList({ chat }: { chat: RoomChat }) {
  const { t } = useLanguage();
  const notices = useSelected(chat.state, (state) => state.notices);
  return (
    <div role="status" className="flex flex-col">
      {notices.map(({ key, notice }) => (
        <div
          key={key}
          className="flex items-start gap-2 border-b border-line bg-accent/10 py-1.5 pr-1.5 pl-4 text-xs leading-relaxed text-accent-strong"
        >
          <span className="min-w-0 flex-1 py-1">{noticeText(notice, t)}</span>
          <IconButton
            icon="close"
            size="small"
            label={t('notice.close')}
            onClick={() => chat.closeNotice(key)}
          />
        </div>
      ))}
    </div>
  );
}

function noticeText(notice: Notice, t: Translate): string {
  switch (notice.code) {
    case 'storageDown':
      return t('notice.storageDown', notice);
    case 'storageBack':
      return t('notice.storageBack', notice);
    case 'linkShared':
      return t('notice.linkShared', notice);
    case 'linkRevoked':
      return t('notice.linkRevoked', notice);
    case 'timedOut':
      return notice.seconds === 0 ? t('notice.timeoutEnded', notice) : t('notice.timedOut', notice);
  }
}

/** The pinned message, in one line; a click shows it where it was said. */
export function PinnedBar({ chat, onShow }: { chat: RoomChat; onShow: (id: number) => void }) {
  const { t } = useLanguage();
  const pinned = useSelected(chat.state, (state) => state.pinned);
  if (pinned === null) return null;
  return (
    <button
      type="button"
      aria-label={`${t('chat.showPinned')}: ${pinned.nickname}: ${pinned.text}`}
      title={pinned.text}
      onClick={() => onShow(pinned.id)}
      className="flex items-center gap-2.5 border-b border-line px-4 py-2 text-left text-xs hover:bg-raised max-md:short:hidden"
    >
      <Icon name="pin" className="size-4 shrink-0 text-accent" />
      <span className="line-clamp-2 min-w-0 wrap-anywhere">
        <bdi className="font-semibold">{pinned.nickname}</bdi>{' '}
        <span className="text-text/80">{pinned.text}</span>
      </span>
    </button>
  );
}
