import { matching } from './matching-text.ts';

/** One value for each format that schemas name. */
const formats: Readonly<Record<string, (variant: number) => string>> = {
  'date-time': (variant) => `2026-01-${two(variant % 28)}T09:00:00Z`,
  date: (variant) => `2026-01-${two(variant % 28)}`,
  time: (variant) => `09:${two(variant % 59)}:00Z`,
  duration: (variant) => `PT${variant + 1}H`,
  email: (variant) => `person${variant + 1}@example.org`,
  hostname: (variant) => `host${variant + 1}.example.org`,
  ipv4: (variant) => `192.0.2.${(variant % 250) + 1}`,
  ipv6: (variant) => `2001:db8::${(variant % 9000) + 1}`,
  uri: (variant) => `https://example.org/${variant + 1}`,
  uuid: (variant) => `00000000-0000-4000-8000-${String(variant + 1).padStart(12, '0')}`,
};

function two(number: number): string {
  return String(number + 1).padStart(2, '0');
}

/** A text that fits `format`, `pattern`, `minLength` and `maxLength`; where nothing is asked, the subject. */
export function textFor(schema: Record<string, unknown>, subject: string, variant: number): string {
  const { format, pattern, minLength, maxLength } = schema;
  if (typeof format === 'string' && Object.hasOwn(formats, format)) return formats[format]?.(variant) ?? '';
  const least = typeof minLength === 'number' ? minLength : 0;
  const most = typeof maxLength === 'number' ? maxLength : Number.POSITIVE_INFINITY;
  if (typeof pattern === 'string') {
    const text = matching(pattern, least);
    if (text !== undefined) return text;
  }
  const text = variant === 0 ? subject : `${subject} ${variant + 1}`;
  const characters = [...text.padEnd(least, '.')];
  if (characters.length <= most) return characters.join('');
  // What tells variants apart stands at the end.
  return characters.slice(characters.length - most).join('');
}
