import { useEffect, useEffectEvent, useId, useRef, useState, type KeyboardEvent } from 'react';
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

/** A button that opens a choice of one, above itself; by mouse, touch and keyboard. It stays within the full screen. */
export function ChoiceMenu({ icon, label, items, value, shown, onChoose }: ChoiceMenuProps) {
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = useEffectEvent(() => setOpen(false));

  useEffect(() => {
    if (!open) return;
    const rows = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitemradio]') ?? [])];
    const chosen = rows.find((row) => row.ariaChecked === 'true') ?? rows[0];
    chosen?.focus({ preventScroll: true });
    chosen?.scrollIntoView({ block: 'nearest' });
    const outside = (event: Event) => {
      if (!(event.target instanceof Node && root.current?.contains(event.target) === true)) close();
    };
    addEventListener('pointerdown', outside, { capture: true });
    return () => removeEventListener('pointerdown', outside, { capture: true });
  }, [open]);

  const leave = () => {
    setOpen(false);
    button.current?.focus({ preventScroll: true });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const rows = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitemradio]') ?? [])];
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
    <div ref={root} className="relative shrink-0">
      <button
        ref={button}
        type="button"
        aria-label={shown === undefined ? label : `${label}: ${shown}`}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
        className="flex h-11 min-w-11 items-center justify-center gap-1.5 rounded-lg px-2 text-white/90 hover:bg-white/10 hover:text-white"
      >
        <Icon name={icon} />
        {shown !== undefined && <span className="hidden text-xs tabular-nums sm:inline">{shown}</span>}
      </button>
      {open && (
        <div
          id={id}
          role="menu"
          aria-label={label}
          tabIndex={-1}
          onKeyDown={onKeyDown}
          className="absolute right-0 bottom-full z-10 mb-1 flex max-h-[min(20rem,36vh)] min-w-52 animate-appear flex-col overflow-y-auto overscroll-contain rounded-xl border border-line bg-raised p-1 text-sm shadow-2xl"
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
        </div>
      )}
    </div>
  );
}
