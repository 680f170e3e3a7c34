/** Lays out plain-text tables for the terminal. Pure. */

/** A longer cell is cut, so that one odd value does not spoil the table. */
const CELL_LENGTH_MAX = 100;

const CONTROL_CHARACTERS = /\p{Cc}/gu;

/**
 * Columns padded to their widest cell. What the cells hold may come from outside, so control characters, which a
 * terminal would obey, are replaced.
 */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, (line[column] ?? "").length), 0),
  );
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A text from outside as it may stand on a terminal: one line, of bounded length. */
export function cell(text: string): string {
  const safe = text.replace(CONTROL_CHARACTERS, "\u{fffd}");
  return safe.length > CELL_LENGTH_MAX ? `${safe.slice(0, CELL_LENGTH_MAX - 1)}…` : safe;
}
