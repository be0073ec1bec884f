import { useEffect, useEffectEvent } from 'react';

export interface PlayerCommands {
  togglePlay(): void;
  toggleMute(): void;
  toggleFullScreen(): void;
  toggleCaptions(): void;
}

/** Space or k: play and pause; m: sound; f: full screen; c: captions. Not while something is typed or a control has the key. */
export function usePlayerKeys(commands: PlayerCommands): void {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTakenByControl(event)) return;
    const command = commandFor(event.key, commands);
    if (command === null) return;
    event.preventDefault();
    command();
  });

  useEffect(() => {
    const listener = (event: KeyboardEvent) => pressed(event);
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
}

function commandFor(key: string, commands: PlayerCommands): (() => void) | null {
  switch (key.toLowerCase()) {
    case ' ':
    case 'k':
      return () => commands.togglePlay();
    case 'm':
      return () => commands.toggleMute();
    case 'f':
      return () => commands.toggleFullScreen();
    case 'c':
      return () => commands.toggleCaptions();
    default:
      return null;
  }
}

function isTakenByControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.matches('input:not([type=range]), textarea, select, [contenteditable]')) return true;
  return event.key === ' ' && target.matches('button, a, summary, input');
}
