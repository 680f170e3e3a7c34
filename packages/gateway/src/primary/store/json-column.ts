/** Columns that hold JSON text. Pure. A snapshot that cannot be read is forgotten, it must never stop the start. */

export function jsonOrNull(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
