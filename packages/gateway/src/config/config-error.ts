/** The one error of configuration and command line: the operator has to change what was given. */

/**
 * Its message is one sentence that is safe to print: it names the option and what is acceptable, never a secret.
 * The process ends with `exitCode`.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly exitCode = 2;
}
