import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const LINES_EACH = 4

/** The last warnings and errors of each log in a folder, `name: line`; for whoever sees a step fail. */
export async function troubleIn(logs: string): Promise<string[]> {
  const files = await readdir(logs).catch(() => []) // nothing was started yet
  const lines = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(logs, file), 'utf8')
      const bad = text.split('\n').filter((line) => line !== '' && !/"level":"(debug|info)"/.test(line) && isOurs(line))
      return bad.slice(-LINES_EACH).map((line) => `${file}: ${line.slice(0, 600)}`)
    }),
  )
  return lines.flat()
}

/** Redis speaks of its own start at length; node's crash messages and our JSON lines are what matters. */
function isOurs(line: string): boolean {
  return line.startsWith('{') || /Error|cannot start|^ {2}COUNTERSIGN_/.test(line)
}
