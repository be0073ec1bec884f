import {
  useEffect,
  useEffectEvent,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
} from 'react';
import { createPortal } from 'react-dom';
import { Icon, type IconName } from './icon';

export interface ChoiceItem {
  value: string;
  label: string;
  /** Beside the label, smaller. */
  note?: string;
  disabled?: boolean;
}

interface ChoiceMenuProps {
  icon: IconName;
  label: string;
  items: readonly ChoiceItem[];
  value: string;
  /** Said beside the icon where there is room. */
  shown?: string;
  onChoose: (value: string) => void;
}

const GAP = 4;
const MARGIN = 8;

/** A button that opens a choice of one, above itself; by mouse, touch and keyboard, in full screen, too. */
export function ChoiceMenu({ icon, label, items, value, shown, onChoose }: ChoiceMenuProps) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState({ left: 0, top: 0 });
  const close = useEffectEvent(() => setOpen(false));

  useLayoutEffect(() => {
    if (!open || menu.current === null || button.current === null) return;
    const { offsetWidth, offsetHeight } = menu.current;
    const { right, top } = button.current.getBoundingClientRect();
    const within = (value: number, most: number) => Math.max(MARGIN, Math.min(value, most - MARGIN));
    setAt({
      left: within(right - offsetWidth, innerWidth - offsetWidth),
      top: within(top - GAP - offsetHeight, innerHeight - offsetHeight),
    });
  }, [open]);

  useEffect(() => {
    if (!open) return;
    const rows = rowsOf(menu.current);
    const chosen = rows.find((row) => row.ariaChecked === 'true') ?? rows[0];
    chosen?.focus({ preventScroll: true });
    chosen?.scrollIntoView({ block: 'nearest' });
    const outside = (event: Event) => {
      const { target } = event;
      const own = [menu.current, button.current];
      if (!(target instanceof Node && own.some((element) => element?.contains(target) === true))) close();
    };
    const stop = new AbortController();
    addEventListener('pointerdown', outside, { signal: stop.signal, capture: true });
    addEventListener('resize', () => close(), { signal: stop.signal });
    return () => stop.abort();
  }, [open]);

  const leave = () => {
    setOpen(false);
    button.current?.focus({ preventScroll: true });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const rows = rowsOf(menu.current);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const current = rows.findIndex((row) => row === document.activeElement);
      rows[(current + step + rows.length) % rows.length]?.focus();
    } else if (event.key === 'Home') rows[0]?.focus();
    else if (event.key === 'End') rows.at(-1)?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') leave();
    // The other keys are no shortcuts of the player here.
    else if (event.key === 'Enter' || event.key === ' ') return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={shown === undefined ? label : `${label}: ${shown}`}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
        className="flex h-11 min-w-11 shrink-0 items-center justify-center gap-1.5 rounded-lg px-2 text-white/90 hover:bg-white/10 hover:text-white"
      >
        <Icon name={icon} />
        {shown !== undefined && <span className="hidden text-xs tabular-nums sm:inline">{shown}</span>}
      </button>
      {open &&
        createPortal(
          <div
            ref={menu}
            id={id}
            role="menu"
            aria-label={label}
            tabIndex={-1}
            onKeyDown={onKeyDown}
            style={at}
            className="fixed z-50 flex max-h-[min(24rem,calc(100dvh-1rem))] min-w-52 animate-appear flex-col overflow-y-auto overscroll-contain rounded-xl border border-line bg-raised p-1 text-sm shadow-2xl"
          >
            {items.map((item) => (
              <button
                key={item.value}
                type="button"
                role="menuitemradio"
                aria-checked={item.value === value}
                aria-disabled={item.disabled === true}
                tabIndex={-1}
                onClick={() => {
                  if (item.disabled === true) return;
                  onChoose(item.value);
                  leave();
                }}
                className="flex min-h-10 shrink-0 items-center gap-2 rounded-lg px-2 py-1 text-left hover:bg-line focus-visible:bg-line focus-visible:outline-none aria-disabled:cursor-default aria-disabled:text-muted/70"
              >
                <Icon
                  name="check"
                  className={`size-4 shrink-0 text-accent ${item.value === value ? '' : 'invisible'}`}
                />
                <span className="min-w-0">
                  <span className="block truncate">{item.label}</span>
                  {item.note !== undefined && <span className="block text-xs text-muted">{item.note}</span>}
                </span>
              </button>
            ))}
          </div>,
          // What is outside of it is not seen in full screen.
          document.fullscreenElement ?? document.body,
        )}
    </>
  );
}

const rowsOf = (menu: HTMLElement | null) => [
  ...(menu?.querySelectorAll<HTMLElement>('[role=menuitemradio]') ?? []),
];
