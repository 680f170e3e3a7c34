/** Reads the values of an original's database, which may be written in several ways. Pure. */

/** What a word for a state means as an HTTP status. */
const STATUS_WORDS: Readonly<Record<string, number>> = {
  ok: 200,
  good: 200,
  valid: 200,
  available: 200,
  active: 200,
  success: 200,
  healthy: 200,
  forbidden: 403,
  invalid: 400,
  banned: 403,
  quota: 429,
  rate_limited: 429,
};

/** A number below this is in seconds: as milliseconds it would be before 1973. */
const SECONDS_BELOW = 100_000_000_000;
const MS_PER_SECOND = 1000;
/** Moments outside of this are none. Milliseconds since the epoch: 2015 to 2100. */
const EARLIEST_MS = 1_420_070_400_000;
const LATEST_MS = 4_102_444_800_000;

/** An HTTP status, or 0 when the value is none. */
export function statusOf(value: unknown): number {
  const text =
    typeof value === "string" || typeof value === "number" ? String(value).trim().toLowerCase() : "";
  const status = STATUS_WORDS[text] ?? Number(text);
  return Number.isInteger(status) && status >= 100 && status <= 599 ? status : 0;
}

/** Milliseconds since the epoch of seconds, milliseconds or a date; one without a zone is in this machine's. */
export function momentOf(value: unknown): number | null {
  const moment =
    typeof value === "string" ? fromText(value.trim()) : typeof value === "number" ? fromNumber(value) : null;
  return moment !== null && moment >= EARLIEST_MS && moment <= LATEST_MS ? Math.round(moment) : null;
}

function fromNumber(value: number): number {
  return value < SECONDS_BELOW ? value * MS_PER_SECOND : value;
}

function fromText(text: string): number | null {
  if (/^\d+(?:\.\d+)?$/.test(text)) return fromNumber(Number(text));
  const date = Date.parse(text.replace(/^(\d{4}-\d{2}-\d{2}) (?=\d)/, "$1T").replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(date) ? null : date;
}
