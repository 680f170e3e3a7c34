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

/**
 * Everything charged in one span is a mark of three numbers: the span (`floor(moment / SPAN_MS)`), its requests, its tokens.
 * They lie in one array of numbers: hundreds of thousands of lanes have a mark or two each, and live for a minute.
 */
const NUMBERS_PER_MARK = 3;
const REQUESTS_AT = 1;
const TOKENS_AT = 2;
/** Up to here an array is made anew for one more mark, with no room to spare; a longer one is a busy lane's, and grows. */
const EXACT_NUMBERS_MAX = 4 * NUMBERS_PER_MARK;
const NO_MARKS: number[] = [];

/** An amount of a minute's quota. */
export interface Usage {
  readonly requests: number;
  readonly tokens: number;
}

const NOTHING_USED: Usage = { requests: 0, tokens: 0 };

export class UsageWindow {
  #requests = 0;
  #tokens = 0;
  /** Oldest first, one mark per span. */
  #marks = NO_MARKS;

  /** Charges since the window began; call {@link forget} first. */
  get used(): Usage {
    return { requests: this.#requests, tokens: this.#tokens };
  }

  /** Marks kept. */
  get spans(): number {
    return this.#marks.length / NUMBERS_PER_MARK;
  }

  /** Adds to what was used at a moment, which may lie some seconds ahead. */
  charge(atMs: number, requests: number, tokens: number): void {
    const span = spanOf(atMs);
    const marks = this.#marks;
    const at = this.#indexFrom(span);
    if (marks[at] === span) this.#add(at, requests, tokens);
    else if (marks.length >= EXACT_NUMBERS_MAX) marks.splice(at, 0, span, requests, tokens);
    else if (marks.length === 0) this.#marks = [span, requests, tokens];
    else this.#marks = marks.toSpliced(at, 0, span, requests, tokens);
    this.#requests += requests;
    this.#tokens += tokens;
  }

  /** Takes back at most what was charged at that moment; nothing when it is out of the window already. */
  refund(atMs: number, requests: number, tokens: number): Usage {
    const span = spanOf(atMs);
    const marks = this.#marks;
    const at = this.#indexFrom(span);
    if (marks[at] !== span) return NOTHING_USED;
    const charged = { requests: this.#at(at + REQUESTS_AT), tokens: this.#at(at + TOKENS_AT) };
    const taken = {
      requests: Math.min(requests, charged.requests),
      tokens: Math.min(tokens, charged.tokens),
    };
    if (taken.requests === charged.requests && taken.tokens === charged.tokens) this.#drop(at);
    else this.#add(at, -taken.requests, -taken.tokens);
    this.#requests -= taken.requests;
    this.#tokens -= taken.tokens;
    return taken;
  }

  /**
   * One use that was charged at a moment began at another, with other tokens: it counts there from now on. What is
   * out of the window already counts no longer.
   */
  move(chargedAtMs: number, chargedTokens: number, startedAtMs: number, tokens: number): void {
    const marks = this.#marks;
    const isOnly = marks.length === NUMBERS_PER_MARK && marks[0] === spanOf(chargedAtMs);
    // A lane's only use, as most are where there are many lanes: its mark becomes the other one.
    if (isOnly && marks[REQUESTS_AT] === 1 && marks[TOKENS_AT] === chargedTokens) {
      marks[0] = spanOf(startedAtMs);
      marks[TOKENS_AT] = tokens;
      this.#tokens += tokens - chargedTokens;
    } else if (this.refund(chargedAtMs, 1, chargedTokens).requests > 0) {
      this.charge(startedAtMs, 1, tokens);
    }
  }

  /** Drops what is out of the window. Each charge is dropped once. */
  forget(nowMs: number): void {
    let end = 0;
    for (; end < this.#marks.length && endOf(this.#at(end)) <= nowMs; end += NUMBERS_PER_MARK) {
      this.#requests -= this.#at(end + REQUESTS_AT);
      this.#tokens -= this.#at(end + TOKENS_AT);
    }
    if (end === this.#marks.length) this.#marks = NO_MARKS;
    else if (end > 0) this.#marks.splice(0, end);
  }

  /** From when on no more than this is in the window, if nothing is added; 0 when that is so already. */
  emptiesToMs(requestsMax: number, tokensMax: number): number {
    let [requests, tokens] = [this.#requests, this.#tokens];
    if (requests <= requestsMax && tokens <= tokensMax) return 0;
    for (let at = 0; at < this.#marks.length; at += NUMBERS_PER_MARK) {
      requests -= this.#at(at + REQUESTS_AT);
      tokens -= this.#at(at + TOKENS_AT);
      if (requests <= requestsMax && tokens <= tokensMax) return endOf(this.#at(at));
    }
    return 0;
  }

  /** The moment of the newest charge; undefined when there is none. */
  get newestMs(): number | undefined {
    const newest = this.#marks[this.#marks.length - NUMBERS_PER_MARK];
    return newest === undefined ? undefined : newest * SPAN_MS;
  }

  #at(index: number): number {
    return this.#marks[index] as number;
  }

  #add(at: number, requests: number, tokens: number): void {
    this.#marks[at + REQUESTS_AT] = this.#at(at + REQUESTS_AT) + requests;
    this.#marks[at + TOKENS_AT] = this.#at(at + TOKENS_AT) + tokens;
  }

  #drop(at: number): void {
    if (this.#marks.length === NUMBERS_PER_MARK) this.#marks = NO_MARKS;
    else this.#marks.splice(at, NUMBERS_PER_MARK);
  }

  /** Index of the span's mark, or where it belongs. Searched from the newest, which it mostly is. */
  #indexFrom(span: number): number {
    let at = this.#marks.length;
    while (at > 0 && this.#at(at - NUMBERS_PER_MARK) >= span) at -= NUMBERS_PER_MARK;
    return at;
  }
}

function spanOf(atMs: number): number {
  return Math.floor(atMs / SPAN_MS);
}

function endOf(span: number): number {
  return (span + 1) * SPAN_MS + WINDOW_MS;
}
