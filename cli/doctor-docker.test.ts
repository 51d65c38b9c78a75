import { expect, test } from 'vitest'
import { type AskDocker, dockerFindings } from './doctor-docker.ts'

const answers =
  (engine: Awaited<ReturnType<AskDocker>>, compose: Awaited<ReturnType<AskDocker>>): AskDocker =>
  async (verb) =>
    verb === 'version' ? engine : compose
const said = (version: string) => ({ said: version })
const problem = (text: string) => ({ said: '', problem: text })

test('names the versions of Docker and Compose', async () => {
  expect(await dockerFindings(answers(said('26.1.5+dfsg1'), said('2.26.1-4')))).toEqual([
    { check: 'docker', result: 'ok', found: 'version 26.1.5+dfsg1' },
    { check: 'compose', result: 'ok', found: 'version 2.26.1-4' },
  ])
  expect((await dockerFindings(answers(said('20.10.24'), said('v2.24.0')))).map(({ result }) => result)).toEqual([
    'ok',
    'ok',
  ])
})

// What Docker's own command line says, to the letter.
test.each([
  ['is not there', problem('ENOENT'), 'Docker is not installed', /apt install docker\.io/],
  [
    'is not this user’s to use',
    problem(
      'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.45/version": dial unix /var/run/docker.sock: connect: permission denied',
    ),
    'Docker is there, and this user may not use it',
    /usermod -aG docker/,
  ],
  [
    'does not run',
    problem('Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?'),
    'Docker is installed, and does not run',
    /systemctl enable --now docker/,
  ],
  ['is too old', said('19.03.13'), 'version 19.03.13; 20.10 or newer is needed', /docs\.docker\.com/],
])('says what to do where Docker %s', async (_what, engine, found, hint) => {
  const [first] = await dockerFindings(answers(engine, said('2.26.1')))
  expect(first).toEqual({ check: 'docker', result: 'failed', found, hint: expect.stringMatching(hint) })
})

test.each([
  ['is missing', problem("docker: 'compose' is not a docker command."), /old form/],
  ['is too old', said('2.20.3'), /^version 2\.20\.3; 2\.24 or newer is needed$/],
])('says what to do where Compose %s', async (_what, compose, found) => {
  const [, second] = await dockerFindings(answers(said('26.1.5'), compose))
  expect(second).toMatchObject({
    ...{ check: 'compose', result: 'failed' },
    found: expect.stringMatching(found),
    hint: expect.stringContaining('docker-compose-v2'),
  })
})
