/** The few drawings of the buttons, 24 by 24, in the colour of the text. */
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
  chat: 'M4 4h16v12H9.5L5 20v-4H4zM6 6v8h1v1.9L8.8 14H18V6z',
  hideChat: 'M3 5h18v14H3zM5 7v10h8V7zM15 7v10h4V7z',
  send: 'M3.5 20.5v-6.6L12 12l-8.5-1.9V3.5L21.5 12z',
  smile:
    'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM9 9a1.2 1.2 0 1 0 0 2.4A1.2 1.2 0 0 0 9 9zm6 0a1.2 1.2 0 1 0 0 2.4A1.2 1.2 0 0 0 15 9zm-7 4.5h8a4 4 0 0 1-8 0z',
  more: 'M12 5a1.6 1.6 0 1 0 0 3.2A1.6 1.6 0 0 0 12 5zm0 5.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2zm0 5.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  close: 'm6.4 5 5.6 5.6L17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
  reply: 'M10 5v4c6 .4 9.5 4 10 10-2.2-3.2-5-4.8-10-5v4.5L3.5 12z',
  down: 'M11 5h2v10.2l4.3-4.3 1.4 1.4L12 19l-6.7-6.7 1.4-1.4 4.3 4.3z',
  back: 'M19 11v2H8.8l4.3 4.3-1.4 1.4L5 12l6.7-6.7 1.4 1.4L8.8 11z',
  lock: 'M8 10V8a4 4 0 0 1 8 0v2h1.5v9h-11v-9zm2 0h4V8a2 2 0 0 0-4 0z',
  pin: 'M8 3h8v2l-1.2.8.7 5.7L18 13v2h-5v5l-1 1.5-1-1.5v-5H6v-2l2.5-1.5.7-5.7L8 5z',
  tune: 'M4 7h9.2a2.5 2.5 0 0 1 4.6 0H20v2h-2.2a2.5 2.5 0 0 1-4.6 0H4zm0 8h2.2a2.5 2.5 0 0 1 4.6 0H20v2h-9.2a2.5 2.5 0 0 1-4.6 0H4z',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, className = 'size-6' }: { name: IconName; className?: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" fill="currentColor" fillRule="evenodd" className={className}>
      <path d={shapes[name]} />
    </svg>
  );
}
