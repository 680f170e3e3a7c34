/** The part of autocannon that the bench uses; the package has no types of its own. */
declare module "autocannon" {
  export interface Options {
    readonly url: string;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly connections: number;
    /** Seconds. */
    readonly duration: number;
    /** Milliseconds between samples; the end is noticed at one. */
    readonly sampleInt: number;
    /** Seconds a request may take. */
    readonly timeout: number;
  }

  export interface Result {
    readonly "2xx": number;
    readonly non2xx: number;
    /** Broken connections and time-outs. */
    readonly errors: number;
    /** Seconds. */
    readonly duration: number;
  }

  export default function autocannon(options: Options): Promise<Result>;
}
