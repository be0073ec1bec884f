import { useId, useState, type KeyboardEvent, type ReactNode } from 'react';

export interface Tab {
  label: string;
  content: () => ReactNode;
}

/** Tabs by mouse and arrow keys; only the chosen one's content stands. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  const id = useId();
  const [chosen, setChosen] = useState(0);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = (chosen + step + tabs.length) % tabs.length;
    setChosen(next);
    event.currentTarget.querySelectorAll('button')[next]?.focus();
    event.preventDefault();
  };
  return (
    <div>
      <div
        role="tablist"
        aria-label={label}
        onKeyDown={onKeyDown}
        className="-mx-1 mb-5 flex gap-1 overflow-x-auto border-b border-line px-1 pb-2"
      >
        {tabs.map((tab, index) => (
          <button
            key={tab.label}
            id={`${id}-${index}`}
            type="button"
            role="tab"
            aria-selected={index === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setChosen(index)}
            className={`min-h-9 shrink-0 rounded-lg px-3 text-sm ${
              index === chosen ? 'bg-raised text-text' : 'text-muted hover:text-text'
            }`}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div key={chosen} id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${chosen}`}>
        {tabs[chosen]?.content()}
      </div>
    </div>
  );
}
