import { useId, useState } from 'react';
import { problemText } from '@/components/problem-text';
import { ProblemNote } from '@/components/problem-note';
import { Button } from '@/components/ui/button';
import { usePreview } from '@/components/ui/use-preview';
import type { TextKey } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import { call } from '@/lib/api';
import type { HostRoom, SlateChoice } from '@/lib/api-types';
import { useSubmit } from '@/lib/use-submit';
import { PICTURE_TYPES, pictureFault } from './stream-settings';

const choices = [
  ['off', 'stream.slateOff'],
  ['card', 'stream.slateCard'],
  ['picture', 'stream.slatePicture'],
] as const satisfies readonly (readonly [SlateChoice, TextKey])[];

/** What viewers see while a lost streamer is waited for. */
export function SlateForm({ room, onChanged }: { room: HostRoom; onChanged: () => void }) {
  const { t } = useLanguage();
  const id = useId();
  const { busy, problem, run } = useSubmit<HostRoom>(onChanged);
  return (
    <fieldset className="flex flex-col gap-2" disabled={busy}>
      <legend className="mb-1 font-medium">{t('stream.slate')}</legend>
      <p className="text-sm text-pretty text-muted">{t('stream.slateText')}</p>
      <div className="flex flex-wrap gap-x-6">
        {choices.map(([slate, label]) => (
          <label key={slate} className="flex min-h-11 items-center gap-3 text-sm">
            <input
              type="radio"
              name={id}
              className="size-4 accent-accent"
              checked={room.slate === slate}
              onChange={() => void run(() => call<HostRoom>('PATCH', `/api/rooms/${room.slug}`, { slate }))}
            />
            {t(label)}
          </label>
        ))}
      </div>
      <ProblemNote problem={problem} />
      {room.slate === 'picture' && <PictureForm room={room} onChanged={onChanged} />}
    </fieldset>
  );
}

function PictureForm({ room, onChanged }: { room: HostRoom; onChanged: () => void }) {
  const { t } = useLanguage();
  const id = useId();
  const path = `/api/rooms/${room.slug}/slate`;
  const [file, setFile] = useState<File | null>(null);
  /** Makes the browser look again at the same address. */
  const [version, setVersion] = useState(() => Date.now());
  const preview = usePreview(file);
  const { busy, problem, run } = useSubmit<unknown>(() => {
    setFile(null);
    setVersion((old) => old + 1);
    onChanged();
  });
  const fault = file === null ? null : pictureFault(file);
  const shown = preview ?? (room.hasSlatePicture ? `${path}?v=${version}` : null);
  const wrong =
    fault !== null
      ? t(`stream.picture.${fault}`)
      : problem === null
        ? null
        : problem.status === 413
          ? t('stream.picture.tooLarge')
          : problemText(problem, t);
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-4">
        <input
          id={id}
          type="file"
          accept={PICTURE_TYPES.join(',')}
          className="peer sr-only"
          // Lets the same file be chosen again after it was sent.
          key={version}
          onChange={({ target }) => setFile(target.files?.[0] ?? null)}
        />
        <label
          htmlFor={id}
          className="grid aspect-video w-64 max-w-full cursor-pointer place-items-center overflow-hidden rounded-xl border border-dashed border-line bg-black text-center text-sm text-muted peer-focus-visible:outline-2 peer-focus-visible:outline-accent hover:text-text"
        >
          {shown === null ? (
            <span className="p-4">{t('stream.picture.choose')}</span>
          ) : (
            <img src={shown} alt={t('stream.picture.preview')} className="size-full object-contain" />
          )}
        </label>
        <div className="flex min-w-0 flex-1 basis-40 flex-col items-start gap-3">
          <p className="text-sm text-muted">
            {t(shown === null ? 'stream.picture.none' : 'stream.picture.hint')}
          </p>
          {file !== null && (
            <Button
              look="primary"
              disabled={busy || fault !== null}
              onClick={() => void run(() => call('PUT', path, file))}
            >
              {t('stream.picture.use')}
            </Button>
          )}
          {file === null && room.hasSlatePicture && (
            <Button look="quiet" disabled={busy} onClick={() => void run(() => call('DELETE', path))}>
              {t('stream.picture.remove')}
            </Button>
          )}
        </div>
      </div>
      {wrong !== null && (
        <p role="alert" className="rounded-lg bg-danger/10 px-3 py-2 text-sm text-danger">
          {wrong}
        </p>
      )}
    </div>
  );
}
