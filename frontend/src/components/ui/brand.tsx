/** The name with its mark; the mark is the same drawing as the page's icon. */
export function Brand() {
  return (
    <span className="flex items-center gap-2.5 font-semibold tracking-tight">
      <img src="/icon.svg" alt="" width="26" height="26" />
      StreamCircle
    </span>
  );
}
