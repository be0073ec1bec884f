import { useId, type InputHTMLAttributes, type SelectHTMLAttributes } from 'react';

const box =
  'min-h-11 w-full rounded-lg border border-line bg-ink px-3 text-base sm:text-sm aria-invalid:border-danger';

interface FieldTexts {
  label: string;
  hint?: string;
  /** What the server says is wrong with it. */
  error?: string | undefined;
}

type TextFieldProps = FieldTexts & InputHTMLAttributes<HTMLInputElement>;

export function TextField({ label, hint, error, ...rest }: TextFieldProps) {
  const id = useId();
  const said = error ?? hint;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm text-muted">
        {label}
      </label>
      <input
        id={id}
        className={box}
        aria-invalid={error !== undefined}
        aria-describedby={said === undefined ? undefined : `${id}-said`}
        {...rest}
      />
      {said !== undefined && (
        <p id={`${id}-said`} className={`text-xs ${error === undefined ? 'text-muted' : 'text-danger'}`}>
          {said}
        </p>
      )}
    </div>
  );
}

type SelectFieldProps = {
  label: string;
  options: readonly (readonly [value: string, text: string])[];
} & Omit<SelectHTMLAttributes<HTMLSelectElement>, 'children'>;

export function SelectField({ label, options, ...rest }: SelectFieldProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm text-muted">
        {label}
      </label>
      <select id={id} className={box} {...rest}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

export function CheckField({ label, ...rest }: { label: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="flex min-h-11 items-center gap-3 text-sm">
      <input type="checkbox" className="size-4 accent-accent" {...rest} />
      {label}
    </label>
  );
}
