import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { NOTE } from './backup-zone.ts'

/** What is done to a store of restic's, by its folder. */
export type Damage = readonly [what: string, harm: (folder: string) => void]

const share = (part: number) => (size: number) => Math.min(size - 1, Math.floor(size * part))

function flip(path: string, at: (size: number) => number): void {
  const bytes = readFileSync(path)
  const place = at(bytes.length)
  bytes[place] = (bytes[place] ?? 0) ^ 0x01
  rmSync(path)
  writeFileSync(path, bytes)
}

function cut(path: string, to: (size: number) => number): void {
  const bytes = readFileSync(path)
  rmSync(path)
  writeFileSync(path, bytes.subarray(0, to(bytes.length)))
}

/** Files of one kind, the largest first. */
function files(store: string, kind: string): string[] {
  const folder = join(store, kind)
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted((a, b) => statSync(b).size - statSync(a).size || (a < b ? -1 : 1))
}
const nth = (kind: string, index: number) => (store: string) => {
  const all = files(store, kind)
  return all[Math.min(index, all.length - 1)] as string
}

function onFile(name: string, pick: (store: string) => string): readonly Damage[] {
  return [
    [`the first byte of ${name} is another`, (store) => flip(pick(store), share(0))],
    [`a byte in the middle of ${name} is another`, (store) => flip(pick(store), share(0.5))],
    [`the last byte of ${name} is another`, (store) => flip(pick(store), share(1))],
    [`${name} is cut in the middle`, (store) => cut(pick(store), share(0.5))],
    [`${name} lacks its last byte`, (store) => cut(pick(store), (size) => size - 1)],
    [`${name} is empty`, (store) => cut(pick(store), () => 0)],
    [`${name} is gone`, (store) => rmSync(pick(store))],
  ]
}

/** What happens to disks and servers. */
export const STORE_DAMAGES: readonly Damage[] = [
  ...onFile('the largest pack', nth('data', 0)),
  ...onFile('the second pack', nth('data', 1)),
  ['a tenth into the largest pack a byte is another', (store) => flip(nth('data', 0)(store), share(0.1))],
  ['nine tenths into the largest pack a byte is another', (store) => flip(nth('data', 0)(store), share(0.9))],
  [
    'one pack has the bytes of another',
    (store) => {
      rmSync(nth('data', 0)(store))
      copyFileSync(nth('data', 1)(store), nth('data', 0)(store).replace(/.$/, '0'))
    },
  ],
  ['something follows the largest pack', (store) => appendFileSync(nth('data', 0)(store), 'more')],
  ...onFile('the index', nth('index', 0)),
  ...onFile('the newest snapshot', nth('snapshots', 0)),
  ['a byte of the configuration is another', (store) => flip(join(store, 'config'), share(0.5))],
  ['the configuration is cut', (store) => cut(join(store, 'config'), share(0.5))],
  ['the configuration is gone', (store) => rmSync(join(store, 'config'))],
  ['a byte of the key is another', (store) => flip(nth('keys', 0)(store), share(0.5))],
  ['the key is cut', (store) => cut(nth('keys', 0)(store), share(0.5))],
  ['the key is gone', (store) => rmSync(nth('keys', 0)(store))],
  ['all packs are gone', (store) => rmSync(join(store, 'data'), { recursive: true })],
]

/** What a store that is sound may hold all the same: done between what is written down and what is saved. */
export const CONTENT_DAMAGES: readonly Damage[] = [
  ['a database is cut', (zone) => truncateSync(join(zone, 'state/seen.sqlite'), 8_192)],
  ['a page of a database is another', (zone) => flip(join(zone, 'state/sync.sqlite'), share(0.5))],
  [
    'a row of a database is missing',
    (zone) => {
      using database = new DatabaseSync(join(zone, 'state/seen.sqlite'))
      database.exec('DELETE FROM seen WHERE at = 7')
    },
  ],
  ['a database is missing', (zone) => rmSync(join(zone, 'state/sync.sqlite'))],
  ['the hub’s history is cut', (zone) => cut(join(zone, 'hub/vault.bundle'), share(0.7))],
  ['a byte of the hub’s history is another', (zone) => flip(join(zone, 'hub/vault.bundle'), share(0.8))],
  ['the hub’s history is missing', (zone) => rmSync(join(zone, 'hub/vault.bundle'))],
  ['a note is missing', (zone) => rmSync(join(zone, NOTE))],
  ['a note of the same length says something else', (zone) => flip(join(zone, NOTE), share(0.5))],
  [
    'a ledger lacks its last line',
    (zone) => cut(join(zone, 'vault/Logs/cloud/2026-11-20.jsonl'), (size) => size - 200),
  ],
  ['a note is there that was not backed up', (zone) => writeFileSync(join(zone, 'vault/Approved/more.md'), 'x')],
  ['the manifest is missing', (zone) => rmSync(join(zone, 'manifest.json'))],
  ['the manifest is cut', (zone) => cut(join(zone, 'manifest.json'), share(0.5))],
  ['a key is empty', (zone) => writeFileSync(join(zone, 'keys/signing'), '')],
  ['whom it trusts is gone', (zone) => rmSync(join(zone, 'trust'), { recursive: true })],
]
