import { useEffect, useId, useRef, type ReactNode } from 'react';
import { useLanguage } from '@/i18n/locale';
import { IconButton } from './icon-button';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}

/** A modal dialog, open for as long as it stands. The browser keeps the focus in it and gives it back. */
export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const { t } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Only the backdrop is the dialog itself: its inside is covered.
        if (event.target === dialog.current) onClose();
      }}
      className={`m-auto max-h-[min(90dvh,48rem)] w-[calc(100%-1.5rem)] overflow-hidden rounded-2xl border border-line bg-panel text-text shadow-2xl backdrop:bg-black/60 ${
        wide ? 'max-w-2xl' : 'max-w-md'
      }`}
    >
      <div className="flex max-h-[inherit] flex-col">
        <div className="flex items-center justify-between gap-3 border-b border-line py-2 pr-2 pl-5">
          <h2 id={id} className="min-w-0 truncate font-semibold">
            {title}
          </h2>
          <IconButton icon="close" label={t('common.close')} onClick={onClose} />
        </div>
        <div className="min-h-0 overflow-y-auto p-5">{children}</div>
      </div>
    </dialog>
  );
}
