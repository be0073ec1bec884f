import { ChoiceMenu, type ChoiceItem } from '@/components/ui/choice-menu';
import type { Translate } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import { languageName } from '@/lib/language-name';
import type { CaptionsView } from './captions';
import { familyOf } from './codecs';
import type { Sound } from './engine';
import { isPlayable, SOUND_ONLY, SOURCE, type Offer } from './offers';
import type { SoundsView } from './player-view';
import type { QualityView } from './quality-control';
import { AUTO, type Choice } from './quality-state';

interface PlayerMenusProps {
  quality: QualityView;
  sounds: SoundsView;
  captions: CaptionsView;
  onQuality: (choice: Choice) => void;
  onSound: (sound: Sound) => void;
  onCaptions: (id: string | null) => void;
}

const NO_CAPTIONS = '';

/** Captions, sounds and qualities; each only where there is something to choose. */
export function PlayerMenus(props: PlayerMenusProps) {
  const { t, locale } = useLanguage();
  const { quality, sounds, captions } = props;
  return (
    <>
      {captions.tracks.length > 0 && (
        <ChoiceMenu
          icon={captions.current === null ? 'captionsOff' : 'captions'}
          label={t('captions.label')}
          value={captions.current ?? NO_CAPTIONS}
          items={[
            { value: NO_CAPTIONS, label: t('captions.off') },
            ...captions.tracks.map(({ id, label, language }) => ({
              value: id,
              label: label === '' ? languageName(language, locale) : label,
            })),
          ]}
          onChoose={(id) => props.onCaptions(id === NO_CAPTIONS ? null : id)}
        />
      )}
      {sounds.sounds.length > 1 && (
        <ChoiceMenu
          icon="voices"
          label={t('sounds.label')}
          value={String(sounds.current)}
          items={sounds.sounds.map((sound) => soundItem(sound, locale))}
          onChoose={(id) => {
            const sound = sounds.sounds.find((one) => String(one.id) === id);
            if (sound !== undefined) props.onSound(sound);
          }}
        />
      )}
      {quality.offers.length > 1 && (
        <ChoiceMenu
          icon="gear"
          label={t('quality.label')}
          shown={shownQuality(quality, t)}
          value={quality.choice}
          items={[
            { value: AUTO, label: t('quality.auto') },
            ...quality.offers.map((offer) => qualityItem(offer, quality, t)),
          ]}
          onChoose={props.onQuality}
        />
      )}
    </>
  );
}

function shownQuality({ playing, preparing }: QualityView, t: Translate): string {
  if (preparing !== null) return t('quality.preparing', { quality: qualityName(preparing, t) });
  return playing === null ? '' : qualityName(playing, t);
}

function qualityName(quality: string, t: Translate): string {
  if (quality === SOURCE) return t('quality.source');
  return quality === SOUND_ONLY ? t('quality.audio') : quality;
}

function qualityItem(offer: Offer, view: QualityView, t: Translate): ChoiceItem {
  const label = qualityName(offer.quality, t);
  const item = { value: offer.quality, label };
  const [codec] = offer.unplayable;
  if (!isPlayable(offer) && codec !== undefined) {
    const family = familyOf(codec);
    const name = family === 'other' ? codec : t(`codecName.${family}`);
    return { ...item, disabled: true, note: t('quality.unplayable', { codec: name }) };
  }
  if (view.preparing === offer.quality) return { ...item, note: t('quality.starting') };
  if (view.missing.includes(offer.quality)) return { ...item, note: t('quality.missing') };
  if (offer.quality === SOURCE && offer.height > 0) {
    const rate = Math.round(offer.frameRate);
    return {
      ...item,
      note: rate > 0 ? `${offer.height}p, ${t('quality.rate', { rate })}` : `${offer.height}p`,
    };
  }
  return item;
}

function soundItem({ id, name, language }: Sound, locale: string): ChoiceItem {
  const spoken = languageName(language, locale);
  const item = { value: String(id), label: name === '' ? spoken : name };
  return spoken === '' || spoken.toLowerCase() === name.toLowerCase() ? item : { ...item, note: spoken };
}
