import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openJournal } from '#adapters/journal/journal.ts'
import { openSeenMail } from '#adapters/seen-sqlite/seen-sqlite.ts'
import { initZone } from '../../cli/init/init-zone.ts'
import { openZoneHome, type ZoneHome } from '../../cli/zone-home.ts'

/** Homes of a local zone with something in two stores, each one a copy of its own. Disposing removes them. */
export async function upgradeHomes(): Promise<{ next(): Promise<ZoneHome> } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'upgrade-'))
  const { home } = await initZone({ root: join(folder, 'filled'), zone: 'local', settings: {}, secrets: {} })
  {
    using seen = openSeenMail(join(home.state, 'triage.sqlite'))
    seen.add('a', { at: 1 })
    using journal = openJournal(join(home.state, 'journal.sqlite'), { epoch: 'take', now: 1 })
    journal.rememberRecipients(['you@example.org'], 1)
  }
  let homes = 0
  return {
    async next() {
      const root = join(folder, String(homes++))
      await cp(home.root, root, { recursive: true })
      return openZoneHome(root)
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
