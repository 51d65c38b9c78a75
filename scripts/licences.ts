import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { idOf, type Package } from './packages.ts'

/** The licences under which code may be in an image, by their SPDX names, and why each may. */
export const PERMITTED: Readonly<Record<string, string>> = {
  MIT: 'asks that its text goes with the code',
  'MIT-0': 'asks nothing',
  ISC: 'asks that its text goes with the code',
  'BSD-2-Clause': 'asks that its text goes with the code',
  'BSD-3-Clause': 'asks that its text goes with the code, and that no name is used to advertise',
  'Apache-2.0': 'asks that its text and notices go with the code; gives the patents it needs',
  '0BSD': 'asks nothing',
  'BlueOak-1.0.0': 'asks that its text, or where to find it, goes with the code',
}

/** Packages that were read by a person, since what they say of themselves is not enough, or not permitted everywhere. */
export const READ: Readonly<Record<string, { readonly licence: string; readonly why: string; readonly whole?: true }>> =
  {
    'async@0.2.10': { licence: 'MIT', why: 'its package.json is of before the field; its LICENSE is that text' },
    'url-template@2.0.8': {
      licence: 'BSD-3-Clause',
      why: 'its package.json says BSD; its LICENSE has the three clauses',
    },
    'node-webpmux@3.2.1': {
      licence: 'LGPL-3.0-or-later',
      why: 'stands unchanged in a folder of its own, where anybody can put another one',
      whole: true,
    },
  }

/** A package with the licence under which it is used and the texts that come with it. */
export interface Licensed extends Package {
  readonly licence: string
  readonly texts: readonly { readonly file: string; readonly text: string }[]
}

/**
 * Looks up the licence of each package in `<root>/<place>`. `bundled`: its code is put together with other code, which is more
 * than to pass it on as it is. Throws, naming all of them, when one is unknown or not permitted.
 */
export function licensed(packages: readonly Package[], options: { root: string; bundled: boolean }): Licensed[] {
  const faults: string[] = []
  const found = packages.map((one) => {
    const folder = join(options.root, one.place)
    const manifest: { license?: unknown } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const read = READ[idOf(one)]
    const licence = read?.licence ?? String(manifest.license ?? 'none')
    if (read ? read.whole && options.bundled : !isPermitted(licence))
      faults.push(`${idOf(one)} (${one.place}): ${licence}`)
    return { ...one, licence, texts: textsIn(folder) }
  })
  if (faults.length > 0) {
    throw new Error(
      `licences that scripts/licences.ts does not permit${options.bundled ? ' in a bundle' : ''}:\n${faults.join('\n')}`,
    )
  }
  return found
}

/** An SPDX expression: one of several permitted ones is enough, of several that hold together each is needed. */
export function isPermitted(expression: string): boolean {
  const inner = expression.trim().replace(/^\(([^()]*)\)$/, '$1')
  if (/[()]/.test(inner) || (/ OR /.test(inner) && / AND /.test(inner))) return false
  if (/ OR /.test(inner)) return inner.split(' OR ').some((one) => Object.hasOwn(PERMITTED, one))
  return inner.split(' AND ').every((one) => Object.hasOwn(PERMITTED, one))
}

function textsIn(folder: string) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice)\b(?!.*\.[cm]?[jt]s$)/i.test(entry.name))
    .map(({ name }) => ({ file: name, text: readFileSync(join(folder, name), 'utf8') }))
    .sort((a, b) => (a.file < b.file ? -1 : 1))
}

/** All of it in one text to be passed on with the code: each package once, each text under the packages that have it. */
export function licenceText(packages: readonly Licensed[]): string {
  const byText = new Map<string, string[]>()
  const names = new Map(packages.map((one) => [idOf(one), one]))
  for (const [id, { licence, texts }] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = texts.map(({ text }) => text.trim().replaceAll('\r\n', '\n')).join('\n\n')
    const said = text === '' ? `Licence: ${licence}. The package brings no text of it.` : text
    byText.set(said, [...(byText.get(said) ?? []), `${id} (${licence})`])
  }
  const parts = [...byText].map(([text, ids]) => `${'='.repeat(80)}\n${ids.join('\n')}\n${'-'.repeat(80)}\n${text}\n`)
  return `Countersign holds code of these packages, each under the licence named with it.\n\n${parts.join('\n')}`
}
