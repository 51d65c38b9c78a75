import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACTING_CODE } from '#core/acting-code.ts'
import { actingInputs, BUNDLE_SETS, type BundleSet, bundle } from '../scripts/bundle.ts'
import { licensed } from '../scripts/licences.ts'
import { idOf, LockFile } from '../scripts/packages.ts'

const root = join(import.meta.dirname, '..')
let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'countersign-bundle-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const made = new Map<BundleSet, ReturnType<typeof bundle>>()
/** What went into a set: each is bundled once, when it is first asked for. */
function bundled(set: BundleSet): ReturnType<typeof bundle> {
  const acting = set === 'local' || set === 'browser'
  const metafile = made.get(set) ?? bundle(BUNDLE_SETS[set], { root, outDir: join(scratch, set), acting })
  made.set(set, metafile)
  return metafile
}

// The whole dependency tree is bundled: seconds, on a busy machine more.
describe('the bundles of the images', { timeout: 60_000 }, () => {
  it.each(['cloud', 'backup', 'hub'] as const)('hold no acting code in the %s set', async (set) => {
    const metafile = await bundled(set)
    expect(actingInputs(metafile)).toEqual([])
    expect((await readdir(join(scratch, set))).sort()).toEqual(
      Object.keys(BUNDLE_SETS[set])
        .map((name) => `${name}.mjs`)
        .sort(),
    )
  })

  it.each(['cloud', 'hub'] as const)(
    'hold secretlint in the programs of the %s set that scan, and only there',
    async (set) => {
      const metafile = await bundled(set)
      const holders = Object.entries(metafile.outputs)
        .filter(([, { inputs }]) => Object.keys(inputs).some((input) => input.startsWith('node_modules/@secretlint/')))
        .map(([file]) => basename(file))
      expect(holders.sort()).toEqual(set === 'cloud' ? ['countersign.mjs', 'sync.mjs'] : ['gate.mjs'])
    },
  )

  it('know acting code when they see it: every pattern finds some in the local set', async () => {
    const metafile = await bundled('local')
    for (const pattern of ACTING_CODE) {
      expect(
        Object.keys(metafile.inputs).some((input) => pattern.test(input)),
        String(pattern),
      ).toBe(true)
    }
  })

  it.each(Object.keys(BUNDLE_SETS) as BundleSet[])(
    'hold in the %s set only packages that a release lists, under licences that it permits',
    async (set) => {
      const lock = new LockFile(root)
      const packages = lock.of(Object.keys((await bundled(set)).inputs))
      expect(packages.map(idOf)).toContain('zod@4.6.7')
      const listed = new Set(lock.production().map(idOf))
      expect(packages.map(idOf).filter((id) => !listed.has(id))).toEqual([])
      expect(licensed(packages, { root, bundled: true })).toHaveLength(packages.length)
    },
  )

  it('are refused when a cloud program imports acting code, however far down', async () => {
    const planted = await project({
      'services/triage/main.ts': "import './helper.ts'",
      'services/triage/helper.ts': "import { send } from '../../adapters/smtp/open-smtp.ts'\nsend()",
      'adapters/smtp/open-smtp.ts': 'export function send() {}',
    })
    await expect(bundle({ triage: 'services/triage/main.ts' }, planted)).rejects.toThrow('adapters/smtp/open-smtp.ts')
    await expect(readdir(planted.outDir)).rejects.toThrow('ENOENT')
  })

  it('carry a refusal in the place of acting code which is imported lazily', async () => {
    const lazy = await project({
      'cli/main.ts': "export const run = async () => (await import('../services/executor/main.ts')).started",
      'services/executor/main.ts': "export const started = 'planted executor'",
    })
    const metafile = await bundle({ countersign: 'cli/main.ts' }, lazy)
    expect(Object.keys(metafile.inputs)).not.toContain('services/executor/main.ts')
    const program: { run: () => Promise<string> } = await import(
      pathToFileURL(join(lazy.outDir, 'countersign.mjs')).href
    )
    await expect(program.run()).rejects.toThrow('services/executor/main.ts is no part of this image')
  })
})

async function project(files: Record<string, string>) {
  const projectRoot = await mkdtemp(join(scratch, 'planted-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(projectRoot, name)), { recursive: true })
    await writeFile(join(projectRoot, name), text)
  }
  return { root: projectRoot, outDir: join(projectRoot, 'out'), acting: false }
}
