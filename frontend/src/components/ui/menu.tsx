import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import { createPortal } from 'react-dom';

export interface MenuItem {
  label: string;
  danger?: boolean;
  onSelect: () => void;
}

/** Where the menu hangs, in the window. */
export interface MenuPlace {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface MenuProps {
  label: string;
  items: readonly MenuItem[];
  place: MenuPlace;
  onClose: () => void;
}

const GAP = 4;
const MARGIN = 8;

/** A menu of commands by mouse and keyboard; gives the focus back to where it was. */
export function Menu({ label, items, place, onClose }: MenuProps) {
  const menu = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ left: number; top: number } | null>(null);
  const close = useEffectEvent(onClose);

  useLayoutEffect(() => {
    const element = menu.current;
    if (element !== null) setAt(fit(element, place));
  }, [place]);

  useEffect(() => {
    const before = document.activeElement;
    const element = menu.current;
    element?.querySelector('button')?.focus({ preventScroll: true });
    return () => {
      // The menu is gone by now, and the focus with it, unless something else took it.
      const lost = document.activeElement === null || document.activeElement === document.body;
      if ((lost || element?.contains(document.activeElement) === true) && before instanceof HTMLElement)
        before.focus({ preventScroll: true });
    };
  }, []);

  useEffect(() => {
    const stop = new AbortController();
    const outside = (event: Event) => {
      if (!(event.target instanceof Node && menu.current?.contains(event.target) === true)) close();
    };
    addEventListener('pointerdown', outside, { signal: stop.signal, capture: true });
    addEventListener('resize', () => close(), { signal: stop.signal });
    return () => stop.abort();
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(menu.current?.querySelectorAll('button') ?? [])];
    const current = buttons.findIndex((button) => button === document.activeElement);
    const target = nextIndex(event.key, current, buttons.length);
    if (target !== null) buttons[target]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return createPortal(
    <div
      ref={menu}
      role="menu"
      tabIndex={-1}
      aria-label={label}
      onKeyDown={onKeyDown}
      // Not hidden before it has its place: what is hidden takes no focus.
      style={at ?? { left: 0, top: 0, opacity: 0 }}
      className="fixed z-50 flex min-w-44 animate-appear flex-col rounded-xl border border-line bg-raised p-1 text-sm shadow-2xl"
    >
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          onClick={() => {
            onClose();
            item.onSelect();
          }}
          className={`min-h-9 rounded-lg px-3 text-left hover:bg-line focus-visible:bg-line focus-visible:outline-none ${
            item.danger === true ? 'text-danger' : ''
          }`}
        >
          {item.label}
        </button>
      ))}
    </div>,
    document.body,
  );
}

function nextIndex(key: string, current: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return (current + 1) % count;
    case 'ArrowUp':
      return (current - 1 + count) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

/** Below its place and flush right with it; above, where there is more room. */
function fit(element: HTMLElement, place: MenuPlace): { left: number; top: number } {
  const { offsetWidth: width, offsetHeight: height } = element;
  const below = place.bottom + GAP;
  const top = below + height + MARGIN > innerHeight ? place.top - GAP - height : below;
  const left = place.right - width;
  const within = (value: number, most: number) => Math.max(MARGIN, Math.min(value, most - MARGIN));
  return { left: within(left, innerWidth - width), top: within(top, innerHeight - height) };
}
