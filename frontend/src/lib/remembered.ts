/**
 * Small texts kept by the browser. Storage may be refused (private windows, policies):
 * then nothing is remembered, and nothing fails.
 */
type Place = 'tab' | 'browser';

function storage(place: Place): Storage {
  return place === 'tab' ? sessionStorage : localStorage;
}

export function recall(place: Place, key: string): string | null {
  try {
    return storage(place).getItem(`streamcircle.${key}`);
  } catch {
    return null;
  }
}

export function remember(place: Place, key: string, value: string): void {
  try {
    storage(place).setItem(`streamcircle.${key}`, value);
  } catch {
    // Nothing to do: the page works without it.
  }
}

export function forget(place: Place, key: string): void {
  try {
    storage(place).removeItem(`streamcircle.${key}`);
  } catch {
    // As above.
  }
}
