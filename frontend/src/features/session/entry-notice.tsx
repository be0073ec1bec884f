import { Button } from '@/components/ui/button';
import { MessageCard } from '@/components/ui/message-card';
import { Spinner } from '@/components/ui/spinner';
import { useLanguage } from '@/i18n/locale';
import { useStore } from '@/lib/use-store';
import type { Refusal } from './entry-state';
import { JoinForm } from './join-form';
import type { RoomEntry } from './room-entry';

/** What stands before the picture until the visitor is in the room. */
export function EntryNotice({ entry }: { entry: RoomEntry }) {
  const state = useStore(entry.state);
  const { t } = useLanguage();
  switch (state.step) {
    case 'joined':
      return null;
    case 'asking':
      return <JoinForm {...state} onJoin={(nickname) => void entry.join(nickname)} />;
    case 'joining':
      return <Waiting text={t('join.joining')} />;
    case 'delayed':
      return <Waiting text={t(state.cause === 'tooMany' ? 'join.tooMany' : 'join.unreachable')} />;
    case 'refused':
      return <RefusalCard refusal={state.refusal} onRetry={() => entry.restart()} />;
  }
}

function Waiting({ text }: { text: string }) {
  return (
    <div role="status" className="flex animate-appear-late items-center gap-3 px-6 text-muted">
      <Spinner />
      {text}
    </div>
  );
}

function RefusalCard({ refusal, onRetry }: { refusal: Refusal; onRetry: () => void }) {
  const { t } = useLanguage();
  return (
    <div role="alert">
      <MessageCard title={t(`refused.${refusal}.title`)} text={t(`refused.${refusal}.text`)}>
        <Button look="primary" onClick={onRetry}>
          {t('common.retry')}
        </Button>
        <a
          href="/"
          className="inline-flex min-h-10 items-center rounded-lg px-4 text-sm text-muted hover:text-text"
        >
          {t('app.home')}
        </a>
      </MessageCard>
    </div>
  );
}
