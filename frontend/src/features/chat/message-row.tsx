import { memo, type KeyboardEvent } from 'react';
import type { MenuPlace } from '@/components/ui/menu';
import { Icon } from '@/components/ui/icon';
import { IconButton } from '@/components/ui/icon-button';
import { useLanguage } from '@/i18n/locale';
import { formatTime } from '@/lib/format';
import { Author } from './author';
import type { Line } from './lines';
import { MessageText } from './message-text';

/** What a row asks of the list; one object for all rows and for good. */
export interface RowCommands {
  openMenu(line: Line, place: MenuPlace): void;
  jumpTo(id: number): void;
}

interface MessageRowProps {
  line: Line;
  /** Stands under the name of the row before. */
  continued: boolean;
  quoted: Line | undefined;
  myName: string;
  emotes: ReadonlyMap<string, string>;
  /** The one row that Tab reaches; arrow keys go on from there. */
  tabbable: boolean;
  lit: boolean;
  commands: RowCommands;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { line, continued, quoted, myName, emotes, tabbable, lit, commands } = props;
  const { t, locale } = useLanguage();
  const removed = line.removed !== 'no';
  const open = (element: Element) => commands.openMenu(line, element.getBoundingClientRect());
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const isMenuKey = event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10');
    const isEnter = event.key === 'Enter' && event.target === event.currentTarget;
    if (removed || (!isMenuKey && !isEnter)) return;
    event.preventDefault();
    open(event.currentTarget.querySelector('button[aria-haspopup]') ?? event.currentTarget);
  };
  return (
    <div
      data-message-id={line.id}
      tabIndex={tabbable ? 0 : -1}
      onKeyDown={onKeyDown}
      className={`group relative rounded-lg border-l-2 py-0.5 pr-3 pl-3 text-sm leading-relaxed transition-colors focus-visible:outline-offset-[-2px] hover:bg-raised/60 ${
        continued ? '' : 'mt-2'
      } ${lit ? 'bg-accent/15' : line.mentionsMe ? 'border-accent bg-accent/5' : 'border-transparent'} ${
        lit || line.mentionsMe ? '' : 'border-transparent'
      }`}
    >
      {line.replyTo !== undefined && (
        <Quote id={line.replyTo} quoted={quoted} onJump={(id) => commands.jumpTo(id)} />
      )}
      {!continued && (
        <Author
          viewerId={line.viewerId}
          nickname={line.nickname}
          role={line.role}
          className="max-w-full pr-16"
        />
      )}
      <div>
        {continued && <span className="sr-only">{line.nickname}: </span>}
        {removed ? (
          <em className="text-muted">
            {t(line.removed === 'byAuthor' ? 'chat.removedByAuthor' : 'chat.removedByStaff')}
          </em>
        ) : (
          <MessageText
            text={line.text}
            names={line.names}
            mentionsMe={line.mentionsMe}
            myName={myName}
            emotes={emotes}
          />
        )}
      </div>
      <span className="absolute top-0 right-1 flex items-center gap-0.5 rounded-lg bg-raised pl-2 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 group-focus:opacity-100">
        <time dateTime={line.sentAt} className="text-xs text-muted tabular-nums">
          {formatTime(line.sentAt, locale)}
        </time>
        {!removed && (
          <IconButton
            icon="more"
            size="small"
            label={t('chat.options', { nickname: line.nickname })}
            aria-haspopup="menu"
            tabIndex={-1}
            onClick={(event) => open(event.currentTarget)}
          />
        )}
      </span>
    </div>
  );
});

interface QuoteProps {
  id: number;
  quoted: Line | undefined;
  onJump: (id: number) => void;
}

function Quote({ id, quoted, onJump }: QuoteProps) {
  const { t } = useLanguage();
  return (
    <button
      type="button"
      disabled={quoted === undefined}
      tabIndex={-1}
      onClick={() => onJump(id)}
      className="flex max-w-full items-center gap-1.5 rounded text-left text-xs text-muted enabled:hover:text-text"
    >
      <Icon name="reply" className="size-3.5 shrink-0" />
      {quoted === undefined ? (
        t('chat.replyGone')
      ) : (
        <>
          <span className="sr-only">{t('chat.replyTo', { nickname: quoted.nickname })}</span>
          <bdi aria-hidden="true" className="shrink-0 font-medium">
            {quoted.nickname}
          </bdi>
          <span className="truncate">{quoted.removed === 'no' ? quoted.text : '…'}</span>
        </>
      )}
    </button>
  );
}
