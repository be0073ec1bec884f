/** English texts of what plays and how: qualities, codecs, the incoming stream and its settings. */
export const enStream = {
  'player.willBeBack': 'The streamer dropped out. The stream will be back.',
  'player.lostTitle': 'The stream did not come back',
  'player.lostText': 'The room is off air. If the stream starts again, so does this page.',
  'player.unplayableTitle': 'Your browser cannot play this stream',
  'player.unplayableHost': 'The streamer can help: H.264 picture and AAC sound play everywhere.',
  'player.listen': 'Listen to the sound only',

  'quality.label': 'Quality',
  'quality.auto': 'Auto',
  'quality.source': 'Source',
  'quality.audio': 'Sound only',
  'quality.rate': '{rate} fps',
  'quality.preparing': '{quality} is starting…',
  'quality.starting': 'Starting; this takes a few seconds',
  'quality.missing': 'Not available at the moment',
  'quality.unplayable': '{codec}: not for this browser',
  'sounds.label': 'Sound',
  'captions.label': 'Captions',
  'captions.off': 'Off',

  'codec.h264':
    'The picture is H.264 of a kind that this browser does not decode. Update the browser, or try another one.',
  'codec.hevc':
    'The picture is in HEVC (H.265). Safari plays it; Chrome and Edge do where the device decodes it. On Windows, install the HEVC Video Extensions.',
  'codec.av1':
    'The picture is in AV1. Chrome, Edge and Firefox play it; Safari only on recent Apple devices.',
  'codec.vp9': 'The picture is in VP9. Chrome, Edge and Firefox play it.',
  'codec.aac':
    'The sound is AAC of a kind that this browser does not decode. Chrome, Edge and Safari play it.',
  'codec.opus': 'The sound is in Opus. Chrome, Edge and Firefox play it; Safari from version 17 on.',
  'codec.flac': 'The sound is in FLAC. Chrome, Edge and Firefox play it.',
  'codec.ac3': 'The sound is in Dolby Digital (AC-3). Safari plays it, and Edge on most devices.',
  'codec.eac3': 'The sound is in Dolby Digital Plus (E-AC-3). Safari plays it, and Edge on most devices.',
  'codec.other':
    'It uses a format that this browser does not know. Try a recent Chrome, Edge, Firefox or Safari.',
  'codecName.h264': 'H.264',
  'codecName.hevc': 'HEVC',
  'codecName.av1': 'AV1',
  'codecName.vp9': 'VP9',
  'codecName.aac': 'AAC',
  'codecName.opus': 'Opus',
  'codecName.flac': 'FLAC',
  'codecName.ac3': 'AC-3',
  'codecName.eac3': 'E-AC-3',
} as const;
