import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const hasVerifier = spawnSync('systemd-analyze', ['--version']).status === 0

test.each(['cloud', 'local'])('the unit of the %s zone brings up its compose file, and stops it in time', (zone) => {
  const unit = readFileSync(join(root, `deploy/systemd/countersign-${zone}.service`), 'utf8')
  expect(unit.match(/-f compose\.\w+\.yml/g)).toEqual(Array(3).fill(`-f compose.${zone}.yml`))
  expect(existsSync(join(root, `compose.${zone}.yml`))).toBe(true)
  expect(unit).toMatch(/^Restart=on-failure$/m)
})

test.skipIf(!hasVerifier).each(['cloud', 'local'])(
  'systemd finds nothing wrong with the unit of the %s zone',
  (zone) => {
    const dir = mkdtempSync(join(tmpdir(), 'units-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    // What it stands on is not on every machine: a Docker, and the folder of the checkout.
    writeFileSync(join(dir, 'docker.service'), '[Service]\nExecStart=/bin/true\n')
    const unit = readFileSync(join(root, `deploy/systemd/countersign-${zone}.service`), 'utf8')
      .replace('/opt/countersign', '/tmp')
      .replaceAll('/usr/bin/docker', '/bin/true')
    const file = join(dir, `countersign-${zone}.service`)
    writeFileSync(file, unit)
    const env = { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:` }
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8', env })
    expect(stderr.split('\n').filter((line) => line.includes(`countersign-${zone}`))).toEqual([])
    expect(status).toBe(0)
  },
)
