const HEADING = /^## \[?(\d+\.\d+\.\d+(?:-[\w.]+)?)\]?/

/**
 * What a changelog tells of what came after a version: its lines, without the headings of sections. Undefined `version`, or
 * one that it does not name: all of it.
 */
export function changesSince(changelog: string, version: string | undefined): string[] {
  const lines = changelog.split('\n')
  const begin = lines.findIndex((line) => line.startsWith('## '))
  const end = lines.findIndex((line) => version !== undefined && HEADING.exec(line)?.[1] === version)
  const told = begin === -1 ? [] : lines.slice(begin, end === -1 ? undefined : end)
  return told.filter((line) => line.trim() !== '' && !line.startsWith('#'))
}
