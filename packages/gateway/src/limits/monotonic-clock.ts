/**
 * A clock that all threads of the process read alike and that nobody can set: what windows of the shared tables are
 * measured with. The wall clock jumps, and each thread's `performance.now` begins with the thread. Any thread.
 */

/** The clock begins with the machine; what happened up to two days before that has a time too, milliseconds. */
const BEGINNING_MS = 2 * 86_400_000;

/** Milliseconds since some moment at least two days before the process began. */
export function monotonicNowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return BEGINNING_MS + seconds * 1_000 + nanoseconds / 1_000_000;
}
