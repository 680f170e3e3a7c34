/**
 * What an option of the gateway can be: the vocabulary in which the schema (`config.ts`) is declared, and the
 * derivation of the `GatewayConfig` type from it. Types only; any thread may import it. It must never hold an option.
 */

/** Whether a running gateway may take a changed value over, or only a new start does. */
export type Reload = "live" | "restart";

/** What a default may depend on. */
export interface Facts {
  /** CPU cores this process may use, at least 1. */
  readonly cores: number;
  /** The resolved value of `host`. */
  readonly host: string;
}

/** A default that depends on the machine or on another option. */
export interface DerivedDefault<T> {
  /** The rule in words, for help and docs. */
  readonly text: string;
  readonly from: (facts: Facts) => T;
}

interface Described {
  /** The manual: one or two sentences, in which the first says what the option does. */
  readonly manual: string;
  readonly reload: Reload;
  /** A second environment name; the derived one wins when both are set. */
  readonly environmentAlias?: string;
  /** False for what cannot stand in the configuration file. */
  readonly inFile?: false;
}

/** A whole number of `unit`, within the bounds. */
export interface IntegerOption extends Described {
  readonly kind: "integer";
  readonly default: number | DerivedDefault<number>;
  readonly min: number;
  readonly max: number;
  /** What is counted, in the plural; none for a plain number such as a port. */
  readonly unit?: string;
}

/** A number that need not be whole. */
export interface NumberOption extends Described {
  readonly kind: "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** A length of time, written as `500ms`, `30s`, `5m`, `12h` or `7d`; resolved to milliseconds. */
export interface DurationOption extends Described {
  readonly kind: "duration";
  readonly default: string;
  readonly min: string;
  readonly max: string;
  /** The word for a time without end, resolved to Infinity; without it there is none. */
  readonly endless?: string;
}

/** An amount of memory or data, written as `64KB` or `100MB` (1 KB is 1024 bytes); resolved to bytes. */
export interface SizeOption extends Described {
  readonly kind: "size";
  readonly default: string;
  readonly min: string;
  readonly max: string;
}

export interface BooleanOption extends Described {
  readonly kind: "boolean";
  readonly default: boolean;
}

export interface ChoiceOption extends Described {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default: string | DerivedDefault<string>;
}

export interface TextOption extends Described {
  readonly kind: "text";
  readonly default: string;
  /** What the value looks like, to follow "must be": `a path such as /gw`. */
  readonly form: string;
  /** Matches every acceptable value, and bounds its length. */
  readonly pattern: RegExp;
  /** Whether a plain number may stand in the file too; it is taken as its digits. */
  readonly orNumber?: true;
}

/** Several texts: separated by commas, or given as several flags, or as a list in the file. */
export interface ListOption extends Described {
  readonly kind: "list";
  readonly default: readonly string[];
  readonly form: string;
  /** Matches every acceptable item, and bounds its length. */
  readonly pattern: RegExp;
  /** What a pattern cannot tell of an item. */
  readonly accepts?: (item: string) => boolean;
  /** The word that stands for the empty list. */
  readonly none: string;
}

/** Several secrets, each `NAME=SECRET` or only the secret; never shown. The default is none. */
export interface SecretListOption extends Described {
  readonly kind: "secret-list";
}

/** An absolute URL without query and fragment. Never echoed in an error: it may hold a password. */
export interface UrlOption extends Described {
  readonly kind: "url";
  /** The empty text stands for none. */
  readonly default: string;
  readonly schemes: readonly string[];
  /** `credentials`: `user:password@` is allowed and a path is not. `path`: the reverse. */
  readonly allows: "credentials" | "path";
}

export type Option =
  | IntegerOption
  | NumberOption
  | DurationOption
  | SizeOption
  | BooleanOption
  | ChoiceOption
  | TextOption
  | ListOption
  | SecretListOption
  | UrlOption;

/** Options that belong together; their names get the section's name in front. */
export interface Section {
  readonly kind: "section";
  readonly title: string;
  readonly options: Readonly<Record<string, Option>>;
}

export type Schema = Readonly<Record<string, Option | Section>>;

/** A secret by which a caller is known. */
export interface AuthKey {
  /** For logs and limits: the operator's name for it, or `auth-key-N` by its place in the list. */
  readonly name: string;
  readonly secret: string;
}

/** A resolved value: durations in milliseconds, sizes in bytes. Plain data, so that it can cross threads. */
export type OptionValue = number | boolean | string | readonly string[] | readonly AuthKey[];

type ValueOf<O> = O extends { readonly kind: "integer" | "number" | "duration" | "size" }
  ? number
  : O extends { readonly kind: "boolean" }
    ? boolean
    : O extends { readonly kind: "choice"; readonly choices: readonly (infer Choice)[] }
      ? Choice
      : O extends { readonly kind: "list" }
        ? readonly string[]
        : O extends { readonly kind: "secret-list" }
          ? readonly AuthKey[]
          : string;

type ResolvedName<Name extends string, O> = O extends { readonly kind: "duration" }
  ? `${Name}Ms`
  : O extends { readonly kind: "size" }
    ? `${Name}Bytes`
    : Name;

/** The configuration a schema resolves to: the unit is part of the name (`maxWait` → `maxWaitMs`). */
export type Resolved<S> = {
  readonly [Name in keyof S & string as ResolvedName<Name, S[Name]>]: S[Name] extends {
    readonly kind: "section";
    readonly options: infer Options;
  }
    ? Resolved<Options>
    : ValueOf<S[Name]>;
};
