/** Made-up embedding vectors: the same text gives the same unit vector, another text another. Pure. */

/** Longest vector, numbers. */
export const DIMENSIONS_MAX = 3072;

/** A unit vector of `dimensions` (1..{@link DIMENSIONS_MAX}) numbers that float32 holds exactly. */
export function embeddingOf(text: string, dimensions: number): readonly number[] {
  let state = seedOf(text);
  const values = new Float32Array(Math.min(DIMENSIONS_MAX, Math.max(1, dimensions)));
  let squares = 0;
  for (let index = 0; index < values.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const value = state / 2 ** 31 - 1;
    values[index] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares) || 1;
  return Array.from(values, (value) => Math.fround(value / length));
}

/** FNV-1a of the text's bytes. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** The numbers as the OpenAI dialect packs them: base64 of little-endian float32. */
export function packedEmbedding(values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}
