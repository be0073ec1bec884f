import { ProblemNote } from '@/components/problem-note';
import { ConfirmButton } from '@/components/ui/confirm-button';
import type { TextKey } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { Invite, Role } from '@/lib/api-types';
import { formatDateTime } from '@/lib/format';
import { useSubmit } from '@/lib/use-submit';
import { inviteStanding } from './invite-standing';

const roles = {
  viewer: 'invites.roleViewer',
  moderator: 'invites.roleModerator',
  host: 'invites.roleHost',
} as const satisfies Record<Role, TextKey>;

interface InviteRowProps {
  invite: Invite;
  nowMs: number;
  onChanged: () => void;
}

export function InviteRow({ invite, nowMs, onChanged }: InviteRowProps) {
  const { t, locale } = useLanguage();
  const { busy, problem, run } = useSubmit<unknown>(onChanged);
  const standing = inviteStanding(invite, nowMs);
  const until =
    invite.expiresAt === null
      ? t('invites.noEnd')
      : t('invites.until', { time: formatDateTime(invite.expiresAt, locale) });
  const seats =
    invite.maxSeats === null
      ? t('invites.seatsTaken', { count: invite.seatsUsed })
      : t('invites.seatsOf', { used: invite.seatsUsed, max: invite.maxSeats });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3">
      <div className={`min-w-0 flex-1 basis-40 ${standing === 'good' ? '' : 'opacity-50'}`}>
        <div className="truncate font-medium">{invite.label ?? t('invites.unnamed')}</div>
        <div className="text-sm text-muted">
          {t(roles[invite.role])} · {standing === 'good' ? until : t(`invites.${standing}`)} · {seats}
        </div>
      </div>
      {standing === 'good' && (
        <ConfirmButton
          label={t('invites.revoke')}
          question={t('invites.revokeAsk')}
          confirm={t('invites.revokeConfirm')}
          busy={busy}
          onConfirm={() => void run(() => call('DELETE', `/api/invites/${encodeURIComponent(invite.id)}`))}
        />
      )}
      <ProblemNote problem={problem} />
    </li>
  );
}
