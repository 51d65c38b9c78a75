import { spawnSync } from 'node:child_process'

/** strace may be there and still not be allowed to trace. */
export const hasStrace = spawnSync('strace', ['-f', 'true']).status === 0
