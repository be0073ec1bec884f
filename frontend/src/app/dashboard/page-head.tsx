import type { ReactNode } from 'react';

export function PageHead({
  title,
  text,
  children,
}: {
  title: ReactNode;
  text?: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex flex-wrap items-end justify-between gap-4">
      <div className="min-w-0">
        <h1 className="flex flex-wrap items-center gap-3 text-2xl font-semibold tracking-tight sm:text-3xl">
          {title}
        </h1>
        {text !== undefined && <p className="mt-2 text-muted">{text}</p>}
      </div>
      {children}
    </div>
  );
}
