import { useId, useState } from 'react';
import { problemText } from '@/components/problem-text';
import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/field';
import { usePreview } from '@/components/ui/use-preview';
import type { Translate } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import { call, type Problem } from '@/lib/api';
import type { EmoteInfo } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';
import { emoteNameOf, isEmoteName } from './words';

const MOST_BYTES = 512 * 1024;

/** A picture, seen before it is sent, and its name. */
export function EmoteForm({ slug, onAdded }: { slug: string; onAdded: () => void }) {
  const { t } = useLanguage();
  const id = useId();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');
  const preview = usePreview(file);
  const { busy, problem, run } = useSubmit<EmoteInfo>(() => {
    setFile(null);
    setName('');
    onAdded();
  });
  const tooLarge = file !== null && file.size > MOST_BYTES;
  const badName = name !== '' && !isEmoteName(name);
  const ready = file !== null && !tooLarge && isEmoteName(name) && !busy;
  const wrong = tooLarge ? t('emotes.tooLarge') : problem === null ? null : uploadProblem(problem, t);
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const path = `/api/rooms/${slug}/emotes?name=${encodeURIComponent(name)}`;
        if (ready) void run(() => call<EmoteInfo>('POST', path, file));
      }}
    >
      <p className="text-sm text-muted">{t('emotes.text')}</p>
      <div className="flex items-start gap-4">
        <div>
          <input
            id={id}
            type="file"
            accept="image/png,image/webp,image/gif"
            aria-label={t('emotes.file')}
            className="peer sr-only"
            // Lets the same file be chosen again after it was sent.
            key={preview ?? 'none'}
            onChange={({ target }) => {
              const chosen = target.files?.[0] ?? null;
              setFile(chosen);
              if (chosen !== null && name === '') setName(emoteNameOf(chosen.name));
            }}
          />
          <label
            htmlFor={id}
            className="grid size-20 cursor-pointer place-items-center overflow-hidden rounded-xl border border-dashed border-line bg-ink p-1 text-center text-xs text-muted peer-focus-visible:outline-2 peer-focus-visible:outline-accent hover:text-text"
          >
            {preview === null ? (
              t('emotes.choose')
            ) : (
              <img src={preview} alt={t('emotes.preview')} className="max-h-full max-w-full object-contain" />
            )}
          </label>
        </div>
        <div className="min-w-0 flex-1">
          <TextField
            label={t('emotes.name')}
            hint={t('emotes.nameHint')}
            error={badName ? t('emotes.badName') : undefined}
            maxLength={32}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
      </div>
      {wrong !== null && (
        <p role="alert" className="rounded-lg bg-danger/10 px-3 py-2 text-sm text-danger">
          {wrong}
        </p>
      )}
      <Button type="submit" look="primary" className="self-start" disabled={!ready}>
        {t('emotes.add')}
      </Button>
    </form>
  );
}

function uploadProblem(problem: Problem, t: Translate): string {
  if (problem.status === 413) return t('emotes.tooLarge');
  if (problem.status === 409 && problem.detail === '') return t('emotes.taken');
  return problemText(problem, t);
}
