/** Which models a client may use, as the operator wrote it: names, in which `*` stands for anything. Pure. */

/** What a pattern may look like, and how long it may be. */
export const MODEL_PATTERN = /^[A-Za-z0-9._/:@*-]{1,200}$/;

/** True when the model is one of those named. No pattern at all allows every model. */
export function allowsModel(patterns: readonly string[], model: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matches(pattern, model));
}

/** Piece by piece from the left, so that no pattern can make it take long. */
function matches(pattern: string, model: string): boolean {
  const pieces = pattern.split("*");
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return model === first;
  const last = pieces.at(-1) ?? "";
  const end = model.length - last.length;
  if (!model.startsWith(first) || !model.endsWith(last) || first.length > end) return false;
  let from = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = model.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    from = found + piece.length;
  }
  return true;
}
