import type { ReactNode } from 'react';

interface LinkProps {
  to: string;
  onGo: (path: string) => void;
  className?: string;
  children: ReactNode;
}

/** A link inside the app: a plain click stays on the page, every other use is the browser's. */
export function Link({ to, onGo, className, children }: LinkProps) {
  return (
    <a
      href={to}
      className={className}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        onGo(to);
      }}
    >
      {children}
    </a>
  );
}
