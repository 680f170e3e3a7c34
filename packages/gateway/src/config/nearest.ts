/** Finds the name an operator most likely meant. Pure. */

/** Names longer than this are not compared: no option is as long, and the cost grows with the square. */
const NAME_LENGTH_MAX = 80;
/** A shorter word matches the end of too many names by chance. */
const TAIL_LENGTH_MIN = 4;

/**
 * The candidate nearest to `name`, or undefined when none is near. Letter case and separators do not count, so
 * `keys_dir` finds `keys-dir`; a last part finds its whole, so `max-wait` finds `lease-max-wait`.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  const wanted = bare(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let tail: string | undefined;
  for (const candidate of candidates) {
    const known = bare(candidate);
    const distance = editDistance(wanted, known);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    if (wanted.length >= TAIL_LENGTH_MIN && known.endsWith(wanted)) tail ??= candidate;
  }
  return bestDistance <= 1 ? best : (tail ?? best);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Fewest insertions, deletions, replacements and swaps of neighbours that make `left` into `right`. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped = row > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
        swapped ? at(beforePrevious, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforePrevious, previous] = [previous, current];
  }
  return at(previous, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
