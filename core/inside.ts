import { relative } from 'node:path/posix'

/** Whether a path is this folder or lies in it: both absolute, links followed. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith('../')
}
