import type { enStream } from './en-stream';

export const frStream: Record<keyof typeof enStream, string> = {
  'player.willBeBack': 'Connexion du diffuseur perdue. La diffusion va reprendre.',
  'player.lostTitle': 'La diffusion n’a pas repris',
  'player.lostText':
    'Le salon est hors antenne. Si la diffusion reprend, cette page la relancera d’elle-même.',
  'player.unplayableTitle': 'Votre navigateur ne peut pas lire cette diffusion',
  'player.unplayableHost': 'Le diffuseur peut y remédier : une image H.264 et un son AAC sont lus partout.',
  'player.listen': 'Écouter le son seul',

  'quality.label': 'Qualité',
  'quality.auto': 'Automatique',
  'quality.source': 'Source',
  'quality.audio': 'Son seul',
  'quality.rate': '{rate} im/s',
  'quality.preparing': '{quality} arrive…',
  'quality.starting': 'Démarrage ; quelques secondes de patience',
  'quality.missing': 'Indisponible pour le moment',
  'quality.unplayable': '{codec} : non lu par ce navigateur',
  'sounds.label': 'Son',
  'captions.label': 'Sous-titres',
  'captions.off': 'Désactivés',

  'codec.h264':
    'L’image est en H.264, sous une forme que ce navigateur ne décode pas. Mettez-le à jour, ou essayez-en un autre.',
  'codec.hevc':
    'L’image est en HEVC (H.265). Safari la lit ; Chrome et Edge aussi, si l’appareil sait la décoder. Sous Windows, installez les Extensions vidéo HEVC.',
  'codec.av1':
    'L’image est en AV1. Chrome, Edge et Firefox la lisent ; Safari, seulement sur les appareils Apple récents.',
  'codec.vp9': 'L’image est en VP9. Chrome, Edge et Firefox la lisent.',
  'codec.aac':
    'Le son est en AAC, sous une forme que ce navigateur ne décode pas. Chrome, Edge et Safari le lisent.',
  'codec.opus': 'Le son est en Opus. Chrome, Edge et Firefox le lisent ; Safari à partir de la version 17.',
  'codec.flac': 'Le son est en FLAC. Chrome, Edge et Firefox le lisent.',
  'codec.ac3':
    'Le son est en Dolby Digital (AC-3). Safari le lit, ainsi qu’Edge sur la plupart des appareils.',
  'codec.eac3':
    'Le son est en Dolby Digital Plus (E-AC-3). Safari le lit, ainsi qu’Edge sur la plupart des appareils.',
  'codec.other':
    'Elle utilise un format que ce navigateur ne connaît pas. Essayez un Chrome, Edge, Firefox ou Safari récent.',
  'codecName.h264': 'H.264',
  'codecName.hevc': 'HEVC',
  'codecName.av1': 'AV1',
  'codecName.vp9': 'VP9',
  'codecName.aac': 'AAC',
  'codecName.opus': 'Opus',
  'codecName.flac': 'FLAC',
  'codecName.ac3': 'AC-3',
  'codecName.eac3': 'E-AC-3',
};
