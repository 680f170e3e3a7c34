/** Where the threads' entry files are: given from outside, because a built package has them elsewhere. */
export interface ThreadEntries {
  /** Entry of an HTTP worker thread. */
  readonly worker: URL;
  /** Entry of a thread that tests keys. */
  readonly prober: URL;
}
