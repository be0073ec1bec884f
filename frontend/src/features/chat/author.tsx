import type { TextKey } from '@/i18n/translate';
import { useLanguage } from '@/i18n/locale';
import type { Role } from '@/lib/api-types';

/** Soft hues, all readable on the panel. */
const hues = [
  'text-sky-300',
  'text-emerald-300',
  'text-rose-300',
  'text-violet-300',
  'text-teal-200',
  'text-orange-300',
  'text-lime-300',
  'text-pink-300',
] as const;

function hueOf(viewerId: string): string {
  let sum = 0;
  for (const letter of viewerId) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return hues[sum % hues.length] ?? '';
}

const roleNames = {
  moderator: 'invites.roleModerator',
  host: 'invites.roleHost',
} as const satisfies Record<Exclude<Role, 'viewer'>, TextKey>;

interface AuthorProps {
  viewerId: string;
  nickname: string;
  role: Role;
  className?: string;
}

export function Author({ viewerId, nickname, role, className = '' }: AuthorProps) {
  return (
    <span className={`inline-flex min-w-0 items-center gap-1.5 ${className}`}>
      <bdi className={`truncate font-semibold ${hueOf(viewerId)}`}>{nickname}</bdi>
      <RoleBadge role={role} />
    </span>
  );
}

export function RoleBadge({ role }: { role: Role }) {
  const { t } = useLanguage();
  if (role === 'viewer') return null;
  return (
    <span
      className={`shrink-0 rounded px-1.5 text-[0.6875rem] leading-[1.125rem] font-medium ${
        role === 'host' ? 'bg-accent/20 text-accent-strong' : 'bg-line text-text/80'
      }`}
    >
      {t(roleNames[role])}
    </span>
  );
}
