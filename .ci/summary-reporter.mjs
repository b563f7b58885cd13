/**
 * Ends a test run with the one line that machines read: `N passed, N failed, N skipped`. A file that could not be
 * loaded, and an error outside any test, each count as one failure.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'passed' || state === 'failed' ? state : 'skipped']++;
      }
    }
    count.failed += unhandledErrors.length;
    // After the other reporters: they print at the end of the run too.
    process.on('exit', () => {
      process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
