import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = join(import.meta.dirname, '../../docs/disasters.md')

/** The commands of a section of docs/disasters.md, in order, as they stand there. Throws when there are none. */
export function commandsOf(title: string): string[] {
  const page = readFileSync(PAGE, 'utf8')
  const section = page.split('\n## ').find((one) => one.startsWith(`${title}\n`))
  const block = section && /```sh\n([\s\S]*?)```/.exec(section)?.[1]
  if (!block) throw new Error(`docs/disasters.md has no commands under “${title}”`)
  return block.trim().split('\n')
}
