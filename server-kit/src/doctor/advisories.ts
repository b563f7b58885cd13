interface Advisory {
  id: string;
  /** The first version without it. */
  fixedIn: readonly [number, number, number];
  source: string;
}

/** Fixed holes of Ollama that are reached over its API. Where sources differ about the version, it is left out. */
const advisories: readonly Advisory[] = [
  { id: 'CVE-2024-28224', fixedIn: [0, 1, 29], source: 'https://github.com/advisories/GHSA-5jx5-hqx5-2vrj' },
  { id: 'CVE-2024-37032', fixedIn: [0, 1, 34], source: 'https://github.com/advisories/GHSA-8hqg-whrw-pv92' },
  {
    id: 'CVE-2024-39720',
    fixedIn: [0, 1, 46],
    source: 'https://www.oligo.security/blog/more-models-more-probllms',
  },
  { id: 'CVE-2024-45436', fixedIn: [0, 1, 47], source: 'https://nvd.nist.gov/vuln/detail/CVE-2024-45436' },
  { id: 'CVE-2026-7482', fixedIn: [0, 17, 1], source: 'https://osv.dev/vulnerability/CVE-2026-7482' },
];

/**
 * The advisories that a version of Ollama is open to; none for a version that cannot be read, such as a build of one's own.
 * A candidate for the version that has the cure (`0.17.1-rc0`) may not have it yet.
 */
export function openAdvisories(version: string): string[] {
  const parts = /^(\d+)\.(\d+)\.(\d+)(-rc)?/.exec(version);
  if (parts === null) return [];
  const has = parts.slice(1, 4).map(Number);
  const isCandidate = parts[4] !== undefined;
  return advisories
    .filter(({ fixedIn }) => {
      const at = fixedIn.findIndex((part, index) => has[index] !== part);
      return at === -1 ? isCandidate : (has[at] as number) < (fixedIn[at] as number);
    })
    .map(({ id }) => id);
}
