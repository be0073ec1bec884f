import type { ButtonHTMLAttributes } from 'react';

type Look = 'primary' | 'plain' | 'danger' | 'quiet';

const looks: Readonly<Record<Look, string>> = {
  primary: 'bg-accent text-ink hover:bg-accent-strong font-semibold',
  plain: 'bg-raised text-text hover:bg-line border border-line',
  danger: 'border border-danger/40 text-danger hover:bg-danger/10',
  quiet: 'text-muted hover:text-text hover:bg-raised',
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
}

export function Button({ look = 'plain', type = 'button', className = '', ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={`inline-flex min-h-10 items-center justify-center gap-2 rounded-lg px-4 text-sm transition-colors disabled:opacity-50 ${looks[look]} ${className}`}
      {...rest}
    />
  );
}
