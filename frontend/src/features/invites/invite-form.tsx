import { useState } from 'react';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { SelectField, TextField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { NewInvite } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';
import { inviteRequest } from './invite-request';

interface InviteFormProps {
  slug: string;
  onCreated: (invite: NewInvite) => void;
  onCancel: () => void;
}

export function InviteForm({ slug, onCreated, onCancel }: InviteFormProps) {
  const { t } = useLanguage();
  const { busy, problem, run } = useSubmit<NewInvite>(onCreated);
  const [draft, setDraft] = useState({ label: '', role: 'viewer', expiresInSeconds: '604800', maxSeats: '' });
  const change = (name: keyof typeof draft) => ({
    value: draft[name],
    onChange: (event: { target: { value: string } }) => {
      setDraft({ ...draft, [name]: event.target.value });
    },
  });
  return (
    <form
      className="grid gap-4 sm:grid-cols-2"
      onSubmit={(event) => {
        event.preventDefault();
        void run(() => call<NewInvite>('POST', `/api/rooms/${slug}/invites`, inviteRequest(draft)));
      }}
    >
      <TextField
        label={t('invites.label')}
        error={problem?.fields.label}
        maxLength={100}
        autoFocus
        {...change('label')}
      />
      <SelectField
        label={t('invites.role')}
        options={[
          ['viewer', t('invites.roleViewer')],
          ['moderator', t('invites.roleModerator')],
          ['host', t('invites.roleHost')],
        ]}
        {...change('role')}
      />
      <SelectField
        label={t('invites.expiry')}
        options={[
          ['3600', t('invites.hour')],
          ['86400', t('invites.day')],
          ['604800', t('invites.week')],
          ['2592000', t('invites.month')],
          ['', t('invites.forever')],
        ]}
        {...change('expiresInSeconds')}
      />
      <TextField
        label={t('invites.seats')}
        error={problem?.fields.maxSeats}
        type="number"
        inputMode="numeric"
        min={1}
        max={100_000}
        {...change('maxSeats')}
      />
      <div className="flex flex-col gap-3 sm:col-span-2">
        <ProblemNote problem={problem} />
        <div className="flex gap-3">
          <Button type="submit" look="primary" disabled={busy}>
            {t('invites.create')}
          </Button>
          <Button look="quiet" onClick={onCancel}>
            {t('common.cancel')}
          </Button>
        </div>
      </div>
    </form>
  );
}
