export function Spinner() {
  return (
    <span
      aria-hidden="true"
      className="inline-block size-6 shrink-0 animate-spin rounded-full border-2 border-text/20 border-t-accent motion-reduce:animate-breathe"
    />
  );
}
