import { isJumbo, parseText, type Part } from './parse-text';

interface MessageTextProps {
  text: string;
  names: readonly string[];
  /** The viewer's own name is among them. */
  mentionsMe: boolean;
  myName: string;
  emotes: ReadonlyMap<string, string>;
}

/** A message's text with links, mentions and emotes. Rendered as text, never as markup. */
export function MessageText({ text, names, mentionsMe, myName, emotes }: MessageTextProps) {
  const parts = parseText(text, names, emotes);
  const jumbo = isJumbo(parts);
  return (
    <span className={`wrap-anywhere ${jumbo ? 'text-3xl leading-tight' : ''}`}>
      {parts.map((part, index) => (
        // Parts of one text never move.
        <PartView key={index} part={part} jumbo={jumbo} ownName={mentionsMe ? myName : null} />
      ))}
    </span>
  );
}

function PartView({ part, jumbo, ownName }: { part: Part; jumbo: boolean; ownName: string | null }) {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'link':
      return (
        <a
          href={part.href}
          target="_blank"
          rel="noopener nofollow ugc"
          className="rounded-sm text-accent-strong underline decoration-accent/40 underline-offset-2 hover:decoration-accent"
        >
          {part.text}
        </a>
      );
    case 'mention': {
      const own = ownName !== null && part.text.slice(1).toLowerCase() === ownName.toLowerCase();
      return (
        <span
          className={`rounded px-1 ${own ? 'bg-accent font-semibold text-ink' : 'bg-accent/15 text-accent-strong'}`}
        >
          {part.text}
        </span>
      );
    }
    case 'emote':
      return <EmoteImage name={part.text} url={part.url} className={jumbo ? 'h-12' : 'h-6'} />;
  }
}

export function EmoteImage({ name, url, className }: { name: string; url: string; className: string }) {
  return (
    <img
      src={url}
      alt={name}
      title={name}
      loading="lazy"
      draggable={false}
      className={`inline-block w-auto max-w-24 object-contain align-middle ${className}`}
    />
  );
}
