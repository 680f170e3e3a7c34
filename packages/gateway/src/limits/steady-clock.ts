/**
 * A clock that all threads of the process read alike and that nobody can set: what windows of the shared tables are
 * measured with. The wall clock jumps, and each thread's `performance.now` begins with the thread. Any thread.
 */

/** Milliseconds since some moment before the process began. */
export function steadyNowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
