import { useState } from 'react';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { CopyField } from '@/components/ui/copy-field';
import { TextField } from '@/components/ui/field';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { NewRelay } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';

interface RelayFormProps {
  onCreated: () => void;
  onDone: () => void;
}

/** Asks for a name, then shows the command that joins the new relay, once. */
export function RelayForm({ onCreated, onDone }: RelayFormProps) {
  const { t } = useLanguage();
  const [name, setName] = useState('');
  const [region, setRegion] = useState('');
  const [made, setMade] = useState<NewRelay | null>(null);
  const { busy, problem, run } = useSubmit<NewRelay>((relay) => {
    setMade(relay);
    onCreated();
  });

  if (made !== null) {
    return (
      <div className="flex flex-col gap-4 rounded-xl border border-accent/40 bg-raised p-5">
        <div>
          <h3 className="font-semibold">{t('relays.made')}</h3>
          <p className="mt-1 text-sm text-muted">{t('relays.madeText')}</p>
        </div>
        <CopyField label={t('relays.command')} value={made.command} />
        <Button className="self-start" onClick={onDone}>
          {t('common.done')}
        </Button>
      </div>
    );
  }

  const body = region.trim() === '' ? { name: name.trim() } : { name: name.trim(), region: region.trim() };
  return (
    <form
      className="grid gap-4 sm:grid-cols-2"
      onSubmit={(event) => {
        event.preventDefault();
        void run(() => call<NewRelay>('POST', '/api/relays', body));
      }}
    >
      <TextField
        label={t('relays.name')}
        error={problem?.fields.name}
        required
        autoFocus
        maxLength={64}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <TextField
        label={t('relays.region')}
        error={problem?.fields.region}
        maxLength={64}
        value={region}
        onChange={(event) => {
          setRegion(event.target.value);
        }}
      />
      <div className="flex flex-col gap-3 sm:col-span-2">
        <ProblemNote problem={problem} />
        <div className="flex gap-3">
          <Button type="submit" look="primary" disabled={busy}>
            {t('relays.create')}
          </Button>
          <Button look="quiet" onClick={onDone}>
            {t('common.cancel')}
          </Button>
        </div>
      </div>
    </form>
  );
}
