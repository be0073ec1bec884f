import { useLanguage } from '@/i18n/locale';
import type { Choice } from './completion';

interface SuggestionListProps {
  id: string;
  choices: readonly Choice[];
  active: number;
  onChoose: (choice: Choice) => void;
}

export const suggestionId = (list: string, index: number) => `${list}-${index}`;

/** The listbox of the composer's combobox: the focus stays in the text. */
export function SuggestionList({ id, choices, active, onChoose }: SuggestionListProps) {
  const { t } = useLanguage();
  return (
    <div
      id={id}
      role="listbox"
      aria-label={t('chat.suggestions')}
      className="absolute inset-x-2 bottom-full z-20 mb-1 max-h-64 overflow-y-auto rounded-xl border border-line bg-raised p-1 text-sm shadow-2xl"
    >
      {choices.map((choice, index) => (
        <div
          key={choice.insert}
          id={suggestionId(id, index)}
          role="option"
          aria-selected={index === active}
          // The text keeps the focus, and its caret.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onChoose(choice)}
          className={`flex min-h-9 cursor-pointer items-center gap-2.5 rounded-lg px-2.5 ${
            index === active ? 'bg-line' : 'hover:bg-line/60'
          }`}
        >
          {choice.url !== undefined && <img src={choice.url} alt="" className="h-6 w-auto max-w-10" />}
          {choice.emoji !== undefined && <span aria-hidden="true">{choice.emoji}</span>}
          <bdi className="truncate">{choice.label}</bdi>
        </div>
      ))}
    </div>
  );
}
