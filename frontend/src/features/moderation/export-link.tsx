import { useLanguage } from '@/i18n/locale';

export function ExportLink({ slug }: { slug: string }) {
  const { t } = useLanguage();
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p className="min-w-0 flex-1 basis-52 text-sm text-muted">{t('room.exportHint')}</p>
      <a
        href={`/api/rooms/${slug}/messages/export`}
        download={`${slug}-chat.json`}
        className="inline-flex min-h-10 items-center rounded-lg border border-line bg-raised px-4 text-sm hover:bg-line"
      >
        {t('room.export')}
      </a>
    </div>
  );
}
