import type { AnyTemplate } from '@ziggie/llm-client/templates';
import { type ReactElement, useEffect, useId, useRef, useState } from 'react';
import type { ComposerView } from '../composer/use-composer.ts';
import { useModels } from '../hooks/use-models.ts';
import { CloseIcon } from '../icons/action-icons.tsx';
import { useMoreText } from '../text/use-more-text.ts';
import { labelOf, missingIn, type TemplateValues, textOf } from './template-text.ts';

/** A template that waits for its values. */
export interface AskedTemplate {
  readonly template: AnyTemplate;
  readonly values: TemplateValues;
}

export interface TemplateFormProps {
  asked: AskedTemplate;
  composer: ComposerView;
  onSend: (text: string) => void;
  onClose: () => void;
}

/** Asks for the variables of a template before anything is sent. What has a default may stay empty. */
export function TemplateForm({ asked, composer, onSend, onClose }: TemplateFormProps): ReactElement {
  const { strings } = useMoreText();
  const { current } = useModels();
  const { template } = asked;
  const [values, setValues] = useState<TemplateValues>(asked.values);
  const [wasTried, setWasTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const missing = missingIn(template, values);
  const focusMissing = () => {
    const first = template.variables.find((name) => missing.includes(name)) ?? template.variables[0];
    form.current?.querySelector<HTMLElement>(`[name="${first}"]`)?.focus({ preventScroll: true });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens
  useEffect(focusMissing, []);
  const finish = (use: (text: string) => void) => {
    setWasTried(true);
    if (missing.length > 0) {
      focusMissing();
      return;
    }
    onClose();
    use(textOf(template, values));
  };
  return (
    <form
      ref={form}
      className="zg-template"
      noValidate
      aria-label={template.description}
      onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        if (current !== null) finish(onSend);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.nativeEvent.isComposing) return;
        event.stopPropagation();
        onClose();
      }}
    >
      <div className="zg-template-head">
        <p>{template.description}</p>
        <button type="button" className="zg-icon-button" aria-label={strings.close} onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      {template.variables.map((name) => {
        const isMissing = wasTried && missing.includes(name);
        return (
          <div className="zg-template-field" key={name}>
            <label htmlFor={`${id}-${name}`}>{labelOf(name)}</label>
            <textarea
              id={`${id}-${name}`}
              name={name}
              className="zg-input"
              rows={name in template.defaults ? 1 : 3}
              dir="auto"
              value={values[name] ?? ''}
              placeholder={template.defaults[name]}
              required={!(name in template.defaults)}
              aria-invalid={isMissing ? true : undefined}
              aria-describedby={isMissing ? `${id}-${name}-missing` : undefined}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
            {isMissing ? (
              <p className="zg-template-missing" id={`${id}-${name}-missing`}>
                {strings.templateMissing}
              </p>
            ) : null}
          </div>
        );
      })}
      <div className="zg-edit-row">
        <button type="button" className="zg-button-plain" onClick={() => finish(composer.setText)}>
          {strings.templateInsert}
        </button>
        <button type="submit" className="zg-button-main" aria-disabled={current === null}>
          {strings.send}
        </button>
      </div>
    </form>
  );
}
