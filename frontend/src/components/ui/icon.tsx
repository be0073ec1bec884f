/** The few drawings of the player's buttons, 24 by 24, in the colour of the text. */
const shapes = {
  play: 'M8 5.5v13l11-6.5z',
  pause: 'M7 5h3.5v14H7zM13.5 5H17v14h-3.5z',
  sound:
    'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15 8.8a4.5 4.5 0 0 1 0 6.4l1.3 1.3a6.3 6.3 0 0 0 0-9zM17.8 6l-1.3 1.3a7 7 0 0 1 0 9.4L17.8 18a8.8 8.8 0 0 0 0-12z',
  muted:
    'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM21 9.6 19.7 8.3l-2.2 2.2-2.2-2.2L14 9.6l2.2 2.2L14 14l1.3 1.3 2.2-2.2 2.2 2.2L21 14l-2.2-2.2z',
  expand: 'M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z',
  shrink: 'M8 4h2v6H4V8h4zM14 4h2v4h4v2h-6zM4 14h6v6H8v-4H4zM14 14h6v2h-4v4h-2z',
  pip: 'M3 5h18v14H3zM5 7v10h14V7zM12 11.5h5.5v4H12z',
  people:
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19c0-3.3 2.9-5.5 6.5-5.5s6.5 2.2 6.5 5.5zM16 11.5a3 3 0 0 0 0-6v6zM17 13.7c2.6.5 4.5 2.5 4.5 5.3H17z',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, className = 'size-6' }: { name: IconName; className?: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="currentColor" fillRule="evenodd" className={className}>
      <path d={shapes[name]} />
    </svg>
  );
}
