import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One package of a lock file's tree. */
export interface Package {
  /** Where it stands in the tree: `node_modules/a/node_modules/b`. */
  readonly place: string
  readonly name: string
  readonly version: string
}

interface Entry {
  readonly name?: string
  readonly version: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly devOptional?: boolean
}

/** Reads `package-lock.json`. */
export class LockFile {
  readonly #entries: Readonly<Record<string, Entry>>

  constructor(root: string) {
    this.#entries = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  }

  /** Throws when nothing stands there. */
  at(place: string): Package {
    const entry = this.#entries[place]
    if (!entry) throw new Error(`package-lock.json has nothing at ${place}`)
    return { place, name: entry.name ?? place.replace(/^.*node_modules\//, ''), version: entry.version }
  }

  all(): Package[] {
    return Object.keys(this.#entries)
      .filter((place) => place !== '')
      .map((place) => this.at(place))
  }

  /** What the programs are made of or may need; not what only development or one platform does. */
  production(): Package[] {
    return this.all().filter(({ place }) => {
      const { dev, optional, devOptional } = this.#entries[place]!
      return !dev && !optional && !devOptional
    })
  }

  /** The packages that these files, relative to the repository, come from; sorted by place. */
  of(files: Iterable<string>): Package[] {
    const places = new Set<string>()
    for (const file of files) {
      const place = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]
      if (place) places.add(place)
    }
    return [...places].sort().map((place) => this.at(place))
  }
}

/** `name@version`: what the same code is called, wherever it stands. */
export function idOf({ name, version }: Pick<Package, 'name' | 'version'>): string {
  return `${name}@${version}`
}
