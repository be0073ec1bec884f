import { useLanguage } from '@/i18n/locale';
import type { SoundState } from './card-state';
import type { SoundHealth } from './health';

/** The quietest that the meter shows, dB of full scale. */
const FLOOR_DB = -60;
/** From here on it is loud enough to be cut off. */
const HOT_DB = -3;
/** A film has pauses; from here on they are worth a word. */
const SILENCE_SECONDS = 5;

/** Is there sound? A meter for each track. */
export function SoundLevels({ sound }: { sound: SoundState }) {
  const { t } = useLanguage();
  if (sound.kind !== 'some') {
    const text = sound.kind === 'unusable' ? 'health.unusableSound' : 'health.noSound';
    return <p className="text-sm text-accent">{t(text)}</p>;
  }
  return (
    <ul className="flex flex-col gap-3">
      {sound.sounds.map((one) => (
        <SoundRow key={one.index} sound={one} />
      ))}
    </ul>
  );
}

function SoundRow({ sound }: { sound: SoundHealth }) {
  const { t, locale } = useLanguage();
  const { levelDb, silentSeconds } = sound;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const isSilent = silentSeconds >= SILENCE_SECONDS;
  const db = levelDb === null ? null : Math.max(levelDb, FLOOR_DB);
  const said = isSilent
    ? t('health.silent', { seconds: whole.format(silentSeconds) })
    : db === null
      ? t(sound.kbps === 0 ? 'health.soundStopped' : 'health.noLevel')
      : t('health.level', { db: whole.format(db) });
  const facts = [
    sound.codec,
    sound.channels > 0 ? t('health.channels', { count: sound.channels }) : '',
    sound.kbps === null ? '' : t('health.kbps', { count: whole.format(sound.kbps) }),
  ].filter((fact) => fact !== '');
  const name = t('health.sound', { number: sound.index + 1 });
  return (
    <li>
      <div className="mb-1 flex flex-wrap items-baseline justify-between gap-x-3 text-xs">
        <span>
          {name} <span className="text-muted">{facts.join(' · ')}</span>
        </span>
        <span className={`tabular-nums ${isSilent ? 'text-accent' : 'text-muted'}`}>{said}</span>
      </div>
      {db !== null && (
        <div
          role="meter"
          aria-label={name}
          aria-valuemin={FLOOR_DB}
          aria-valuemax={0}
          aria-valuenow={Math.round(db)}
          aria-valuetext={said}
          className="h-2 overflow-hidden rounded-full bg-ink"
        >
          <div
            className={`h-full rounded-full transition-[width] duration-500 ${db > HOT_DB ? 'bg-danger' : 'bg-accent'}`}
            style={{ width: `${((db - FLOOR_DB) / -FLOOR_DB) * 100}%` }}
          />
        </div>
      )}
    </li>
  );
}
