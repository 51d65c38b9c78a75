import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startMailbox } from './start-mailbox.ts'

/** Puts a `docker` first on the PATH that answers, has no image, and builds as `build` says. */
async function fakeDocker(build: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-docker-'))
  const program = join(folder, 'docker')
  await writeFile(program, `#!/bin/sh\ncase "$1" in info) exit 0 ;; build) ${build} ;; *) exit 1 ;; esac\n`)
  await chmod(program, 0o755)
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
}

test.each([
  ['takes too long', 'exec sleep 60', /building the image .*: not done within 0\.3 s/],
  ['fails', 'echo "no such registry" >&2; exit 1', /building the image .*: no such registry/],
])('uses the development servers, and says why, when the image’s build %s', async (_what, build, why) => {
  await fakeDocker(build)
  const said: string[] = []
  await using mailbox = await startMailbox({ buildLimitMs: 300, say: (line) => said.push(line) })
  expect(mailbox.describe).toContain('development mail servers')
  expect(said.at(-1)).toMatch(why)
})
