/**
 * What was used of a minute's quota in the last minute: a rolling sum of requests and tokens. One per lane that is in
 * use, in the primary thread. Pure data structure; it knows no clock.
 *
 * Whether the upstream counts clock minutes or the last sixty seconds is not known. What never exceeds a limit in any
 * sixty seconds exceeds it in neither.
 */

/** A charge counts this long: the minute, and how much longer one call may take to arrive than the next. */
export const WINDOW_MS = 60_500;
/** Charges of the same span are kept as one: a lane's window takes a few hundred entries at most. */
const SPAN_MS = 250;

/** Everything charged in one span; it counts until the whole span is out of the window. */
interface Mark {
  /** `floor(moment / SPAN_MS)`. */
  readonly span: number;
  requests: number;
  tokens: number;
}

/** An amount of a minute's quota. */
export interface Usage {
  readonly requests: number;
  readonly tokens: number;
}

export class UsageWindow {
  #requests = 0;
  #tokens = 0;
  /** Oldest first, one per span. */
  readonly #marks: Mark[] = [];

  /** Charges since the window began; call {@link forget} first. */
  get used(): Usage {
    return { requests: this.#requests, tokens: this.#tokens };
  }

  /** Adds to what was used at a moment, which may lie some seconds ahead. */
  charge(atMs: number, requests: number, tokens: number): void {
    const span = spanOf(atMs);
    const index = this.#indexFrom(span);
    const mark = this.#marks[index];
    if (mark?.span === span) {
      mark.requests += requests;
      mark.tokens += tokens;
    } else {
      this.#marks.splice(index, 0, { span, requests, tokens });
    }
    this.#requests += requests;
    this.#tokens += tokens;
  }

  /** Takes back at most what was charged at that moment; nothing when it is out of the window already. */
  refund(atMs: number, requests: number, tokens: number): Usage {
    const span = spanOf(atMs);
    const mark = this.#marks[this.#indexFrom(span)];
    if (mark?.span !== span) return { requests: 0, tokens: 0 };
    const taken = { requests: Math.min(requests, mark.requests), tokens: Math.min(tokens, mark.tokens) };
    mark.requests -= taken.requests;
    mark.tokens -= taken.tokens;
    this.#requests -= taken.requests;
    this.#tokens -= taken.tokens;
    return taken;
  }

  /** Drops what is out of the window. Each charge is dropped once. */
  forget(nowMs: number): void {
    let dropped = 0;
    for (const mark of this.#marks) {
      if (endOf(mark) > nowMs) break;
      this.#requests -= mark.requests;
      this.#tokens -= mark.tokens;
      dropped++;
    }
    if (dropped > 0) this.#marks.splice(0, dropped);
  }

  /** From when on no more than this is in the window, if nothing is added; 0 when that is so already. */
  emptiesToMs(requestsMax: number, tokensMax: number): number {
    let [requests, tokens] = [this.#requests, this.#tokens];
    if (requests <= requestsMax && tokens <= tokensMax) return 0;
    for (const mark of this.#marks) {
      requests -= mark.requests;
      tokens -= mark.tokens;
      if (requests <= requestsMax && tokens <= tokensMax) return endOf(mark);
    }
    return 0;
  }

  /** The moment of the newest charge; undefined when there is none. */
  get newestMs(): number | undefined {
    const newest = this.#marks.at(-1);
    return newest === undefined ? undefined : newest.span * SPAN_MS;
  }

  /** Index of the span's mark, or where it belongs. Searched from the newest, which it mostly is. */
  #indexFrom(span: number): number {
    let index = this.#marks.length;
    while (index > 0 && (this.#marks[index - 1] as Mark).span >= span) index--;
    return index;
  }
}

function spanOf(atMs: number): number {
  return Math.floor(atMs / SPAN_MS);
}

function endOf(mark: Mark): number {
  return (mark.span + 1) * SPAN_MS + WINDOW_MS;
}
