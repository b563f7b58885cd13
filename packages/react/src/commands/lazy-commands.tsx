import { lazyPart } from '../parts/lazy-part.tsx';
import type { SlashMenuProps } from './slash-menu.tsx';
import type { TemplateFormProps } from './template-form.tsx';

/** Fetched with the first slash. */
export const LazySlashMenu = lazyPart<SlashMenuProps>(() =>
  import('./slash-menu.tsx').then(({ SlashMenu }) => SlashMenu),
);

/** Fetched with the first template that asks. */
export const LazyTemplateForm = lazyPart<TemplateFormProps>(() =>
  import('./template-form.tsx').then(({ TemplateForm }) => TemplateForm),
);
