import type { ButtonHTMLAttributes } from 'react';
import { Icon, type IconName } from './icon';

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label' | 'title'> {
  icon: IconName;
  label: string;
  size?: 'normal' | 'small';
}

/** A button with a drawing; its label is read out and shown on hover. */
export function IconButton({ icon, label, size = 'normal', className = '', ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`grid shrink-0 place-items-center rounded-lg text-muted hover:bg-raised hover:text-text disabled:opacity-40 ${
        size === 'small' ? 'size-7' : 'size-10'
      } ${className}`}
      {...rest}
    >
      <Icon name={icon} className={size === 'small' ? 'size-4' : 'size-5'} />
    </button>
  );
}
