import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer, Network, Wait } from 'testcontainers'
import { beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
// A minute and a half: CI leaves it to who asks (CONTRIBUTING.md).
const isAsked = process.env.COUNTERSIGN_TEST_EVERY_DISASTER === '1'

describe.runIf(isAsked)('the trial of a backup of Odoo starts Odoo on it', () => {
  let result: Record<string, string[] & number>
  let peak: string

  // As in compose.cloud.yml: the backup's container and the trial's share one folder, and nothing else.
  beforeAll(async () => {
    const place = mkdtempSync(join(tmpdir(), 'countersign-trial-'))
    chmodSync(place, 0o777)
    await using resources = new AsyncDisposableStack()
    resources.defer(() => rmSync(place, { recursive: true, force: true }))
    const network = await new Network().start()
    resources.defer(async () => void (await network.stop()))
    const modules = realpathSync(join(root, 'node_modules'))
    const postgres = await new GenericContainer('postgres:17')
      .withNetwork(network)
      .withNetworkAliases('db')
      .withEnvironment({ POSTGRES_USER: 'odoo', POSTGRES_PASSWORD: 'odoo', POSTGRES_DB: 'postgres' })
      .withBindMounts([
        { source: root, target: root, mode: 'ro' },
        { source: place, target: '/trial', mode: 'rw' },
        ...(modules.startsWith(`${root}/`) ? [] : [{ source: modules, target: modules, mode: 'ro' as const }]),
      ])
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start()
    resources.defer(async () => void (await postgres.stop()))
    const odoo = await new GenericContainer('countersign/odoo-demo:19')
      .withNetwork(network)
      .withEnvironment({ HOST: 'db', USER: 'odoo', PASSWORD: 'odoo' })
      .withExposedPorts(8069)
      .withWaitStrategy(Wait.forHttp('/web/version', 8069).forStatusCode(200))
      .withStartupTimeout(120_000)
      .start()
    await odoo.stop()
    const postgresUser = (await postgres.exec(['id', '-u', 'postgres'])).output.trim()
    const trial = await new GenericContainer('odoo:19')
      .withNetworkMode('none')
      .withUser(`${postgresUser}:${postgresUser}`)
      .withEnvironment({ HOME: '/tmp' })
      .withTmpFs({ '/tmp': 'rw,noexec,nosuid,nodev,size=128m,mode=1777' })
      .withResourcesQuota({ memory: 0.4375 })
      .withBindMounts([
        { source: join(root, 'deploy/container/odoo-trial.sh'), target: '/etc/odoo/trial.sh', mode: 'ro' },
        { source: place, target: '/trial', mode: 'rw' },
      ])
      .withEntrypoint(['bash', '/etc/odoo/trial.sh'])
      .start()
    resources.defer(async () => void (await trial.stop()))
    const { output, exitCode } = await postgres.exec(
      [
        realpathSync(process.execPath),
        '--disable-warning=ExperimentalWarning',
        join(root, 'tests/support/odoo-trial-main.ts'),
      ],
      { user: 'postgres', workingDir: root },
    )
    if (exitCode !== 0) throw new Error(output)
    result = JSON.parse(output.slice(output.lastIndexOf('\n{') + 1))
    const memory = 'cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes /sys/fs/cgroup/memory.peak 2>/dev/null'
    peak = (await trial.exec(['sh', '-c', memory])).output.trim()
    console.log(`a trial of Odoo: ${result.seconds} s, ${Math.round(Number(peak) / 1024 ** 2)} MB`)
  }, 600_000)

  test('neutralised, and it answers', () => {
    expect(result.whole).toEqual([
      expect.stringMatching(/^Odoo: ok: \d+ tables/),
      'Odoo itself: ok: starts on what was restored, neutralised, and answers',
    ])
  })

  test('what is whole by every count, and no Odoo can work with, is found', () => {
    expect(result.broken?.at(-1)).toMatch(/^Odoo itself: failed: /)
    expect(result.broken?.slice(0, -1).filter((line) => !line.includes(': ok: '))).toEqual([])
  })

  test('where there is no trial Odoo, that is told, and the rest is looked at all the same', () => {
    expect(result.absent?.at(-1)).toBe('Odoo itself: skipped: not started on it: the container odoo-trial is not there')
    expect(result.absent?.[0]).toMatch(/^Odoo: ok/)
  })
})
