import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CountersignError } from '#core/errors.ts'
import type { RunGit } from './run-git.ts'

const HEAD = 'ref: refs/heads/main\n'

/**
 * Makes a bare repository, or completes one, with exactly these settings and no template. The configuration is written
 * before git reads it (what stood there may be damaged or planted) and after (`init` writes values of its own).
 */
export async function initBare(run: RunGit, gitDir: string, settings: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(gitDir, { recursive: true, mode: 0o700 })
  writeConfig(gitDir, settings)
  writeHead(gitDir)
  await run(['init', '--bare', '--template=', '--initial-branch=main', gitDir])
  writeConfig(gitDir, settings)
  writeAttributes(gitDir)
}

/**
 * Writes a repository's whole configuration file, so that nothing planted in it survives an open. Keys are
 * `section[.subsection].name`.
 */
function writeConfig(gitDir: string, settings: Readonly<Record<string, string>>): void {
  const text = Object.entries(settings)
    .map(([key, value]) => `${sectionLine(key)}\n\t${key.slice(key.lastIndexOf('.') + 1)} = ${quoted(value)}\n`)
    .join('')
  replaceFile(gitDir, 'config', text)
}

/** A HEAD that a power cut left empty makes git deny that there is a repository. */
function writeHead(gitDir: string): void {
  const path = join(gitDir, 'HEAD')
  if (!existsSync(path) || readFileSync(path, 'utf8') !== HEAD) replaceFile(gitDir, 'HEAD', HEAD)
}

function replaceFile(gitDir: string, name: string, text: string): void {
  const temporary = join(gitDir, `${name}.countersign`)
  writeFileSync(temporary, text, { mode: 0o600, flush: true })
  renameSync(temporary, join(gitDir, name))
}

/** An attributes file that outranks any `.gitattributes`: no filter, no driver, no line-end conversion. */
function writeAttributes(gitDir: string): void {
  mkdirSync(join(gitDir, 'info'), { recursive: true })
  writeFileSync(join(gitDir, 'info', 'attributes'), '* -text -filter -ident -diff -merge -working-tree-encoding -eol\n')
}

function sectionLine(key: string): string {
  const [section = '', ...rest] = key.split('.').slice(0, -1)
  return rest.length > 0 ? `[${section} ${quoted(rest.join('.'))}]` : `[${section}]`
}

function quoted(value: string): string {
  if (/[\0\r\n]/.test(value))
    throw new CountersignError('ERR_CONFIG_INVALID', `a git setting has a line end: ${JSON.stringify(value)}`)
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`
}
