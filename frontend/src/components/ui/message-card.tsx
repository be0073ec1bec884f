import type { ReactNode } from 'react';

/** A title, a sentence and what can be done: for empty states, errors and refusals. */
export function MessageCard({
  title,
  text,
  children,
}: {
  title: string;
  text: string;
  children?: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-6 py-8 text-center">
      <h2 className="text-xl font-semibold text-balance">{title}</h2>
      <p className="leading-relaxed text-pretty text-text/70">{text}</p>
      {children !== undefined && <div className="mt-2 flex flex-wrap justify-center gap-3">{children}</div>}
    </div>
  );
}
