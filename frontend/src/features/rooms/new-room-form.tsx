import { useState } from 'react';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { CheckField, SelectField, TextField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { AdminRoom } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';

interface NewRoomFormProps {
  onCreated: (room: AdminRoom) => void;
  onCancel: () => void;
}

export function NewRoomForm({ onCreated, onCancel }: NewRoomFormProps) {
  const { t } = useLanguage();
  const [name, setName] = useState('');
  const [slug, setSlug] = useState('');
  const [access, setAccess] = useState('invite');
  const [listed, setListed] = useState(false);
  const { busy, problem, run } = useSubmit<AdminRoom>(onCreated);

  const submit = () => {
    const wanted = { name: name.trim(), access, listed };
    const body = slug === '' ? wanted : { ...wanted, slug };
    void run(() => call<AdminRoom>('POST', '/api/rooms', body));
  };

  return (
    <form
      className="grid gap-4 sm:grid-cols-2"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextField
        label={t('rooms.name')}
        error={problem?.fields.name}
        required
        autoFocus
        maxLength={100}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <TextField
        label={t('rooms.slug')}
        hint={t('rooms.slugHint')}
        error={problem?.fields.slug}
        pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
        maxLength={64}
        autoCapitalize="none"
        value={slug}
        onChange={(event) => {
          setSlug(event.target.value);
        }}
      />
      <SelectField
        label={t('rooms.access')}
        options={[
          ['invite', t('rooms.accessInvite')],
          ['open', t('rooms.accessOpen')],
        ]}
        value={access}
        onChange={(event) => {
          setAccess(event.target.value);
        }}
      />
      <div className="flex items-end">
        <CheckField
          label={t('rooms.listed')}
          checked={listed}
          onChange={(event) => {
            setListed(event.target.checked);
          }}
        />
      </div>
      <div className="flex flex-col gap-3 sm:col-span-2">
        <ProblemNote problem={problem} />
        <div className="flex gap-3">
          <Button type="submit" look="primary" disabled={busy}>
            {t('rooms.create')}
          </Button>
          <Button look="quiet" onClick={onCancel}>
            {t('common.cancel')}
          </Button>
        </div>
      </div>
    </form>
  );
}
