import { ProblemNote } from '@/components/problem-note';
import { Card } from '@/components/ui/card';
import { ConfirmButton } from '@/components/ui/confirm-button';
import { AuditList } from '@/features/moderation/audit-list';
import { BansList } from '@/features/moderation/bans-list';
import { ChatRules } from '@/features/moderation/chat-rules';
import { EmotesEditor } from '@/features/moderation/emotes-editor';
import { ExportLink } from '@/features/moderation/export-link';
import { LockAndSlow } from '@/features/moderation/lock-and-slow';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { AdminRoom, EmoteInfo } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';

interface ChatCardsProps {
  room: AdminRoom;
  onChanged: () => void;
}

/** The room's chat as its operator has it: rules, emotes, bans and log. */
export function ChatCards({ room, onChanged }: ChatCardsProps) {
  const { t } = useLanguage();
  const { slug } = room;
  const { busy, problem, run } = useSubmit<AdminRoom>(onChanged);
  const change = (patch: Partial<AdminRoom>) =>
    void run(() => call<AdminRoom>('PATCH', `/api/rooms/${slug}`, patch));
  return (
    <div className="grid items-start gap-6 lg:grid-cols-2 *:min-w-0">
      <Card title={t('room.chatCard')}>
        <div className="flex flex-col gap-5 divide-y divide-line *:not-last:pb-5">
          <div className="flex flex-col gap-3">
            <LockAndSlow
              locked={room.locked}
              slowModeSeconds={room.slowModeSeconds}
              busy={busy}
              onLock={(locked) => change({ locked })}
              onSlow={(slowModeSeconds) => change({ slowModeSeconds })}
            />
            <ProblemNote problem={problem} />
          </div>
          <ChatRules room={room} onChanged={onChanged} />
          <ExportLink slug={slug} />
        </div>
      </Card>
      <Card title={t('room.emotes')}>
        <EmotesEditor slug={slug} imageUrl={(emote) => imageOnOrigin(slug, emote)} />
      </Card>
      <Card title={t('room.bans')}>
        <BansList slug={slug} />
      </Card>
      <Card title={t('room.audit')}>
        <div className="max-h-96 overflow-y-auto">
          <AuditList slug={slug} />
        </div>
      </Card>
    </div>
  );
}

/** Relays have emotes at the address that viewers get; the origin's own API has them here. */
function imageOnOrigin(slug: string, emote: EmoteInfo): string {
  return `/api/rooms/${slug}/emotes/files/${emote.url.split('/').at(-1) ?? ''}`;
}

export function DeleteRoom({ slug, onDeleted }: { slug: string; onDeleted: () => void }) {
  const { t } = useLanguage();
  const { busy, problem, run } = useSubmit<unknown>(onDeleted);
  return (
    <div className="flex flex-wrap items-center justify-end gap-3">
      <ProblemNote problem={problem} />
      <ConfirmButton
        label={t('room.delete')}
        question={t('room.deleteAsk')}
        confirm={t('room.deleteConfirm')}
        busy={busy}
        onConfirm={() => void run(() => call('DELETE', `/api/rooms/${slug}`))}
      />
    </div>
  );
}
