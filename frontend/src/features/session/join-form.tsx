import { useId, useState } from 'react';
import { Button } from '@/components/ui/button';
import { useLanguage } from '@/i18n/locale';

interface JoinFormProps {
  nickname: string;
  rejected: boolean;
  onJoin: (nickname: string) => void;
}

export function JoinForm({ nickname, rejected, onJoin }: JoinFormProps) {
  const { t } = useLanguage();
  const [name, setName] = useState(nickname);
  const id = useId();
  return (
    <form
      className="flex w-full max-w-sm flex-col gap-3 px-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '') onJoin(name.trim());
      }}
    >
      <h2 className="text-xl font-semibold text-balance">{t('join.title')}</h2>
      <label htmlFor={id} className="text-sm text-muted">
        {t('join.text')}
      </label>
      <input
        id={id}
        type="text"
        name="nickname"
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
        placeholder={t('join.nickname')}
        autoComplete="nickname"
        autoFocus
        required
        maxLength={64}
        enterKeyHint="go"
        aria-invalid={rejected}
        aria-describedby={rejected ? `${id}-problem` : undefined}
        className="min-h-12 rounded-lg border border-line bg-panel px-4 text-base placeholder:text-muted/70 aria-invalid:border-danger"
      />
      {rejected && (
        <p id={`${id}-problem`} role="alert" className="text-sm text-danger">
          {t('join.rejected')}
        </p>
      )}
      <Button type="submit" look="primary" className="min-h-12 text-base">
        {t('join.submit')}
      </Button>
    </form>
  );
}
