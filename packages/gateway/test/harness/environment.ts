/** What programs that tests start may know of the environment: nothing that could configure them. */
export const INHERITED: NodeJS.ProcessEnv = {
  PATH: process.env["PATH"],
  TMPDIR: process.env["TMPDIR"],
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
};
