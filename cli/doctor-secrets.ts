import type { Finding } from '#core/finding.ts'
import { credentialFaults } from '#runtime/credential-rules.ts'
import { PROGRAM } from './cli.ts'
import { looseFiles } from './loose-files.ts'
import { environmentOf, type ZoneHome } from './zone-home.ts'

/** What services of this zone would refuse to start with: secrets that others can open, credentials of the other zone. */
export async function secretFindings(home: ZoneHome): Promise<Finding[]> {
  const loose = (await looseFiles(home)).map(({ file, fault }) => `${file} ${fault}`)
  const refused = credentialFaults({ ...environmentOf(home), COUNTERSIGN_HOME: home.root })
  const hint = `Services refuse to start so. \`${PROGRAM} init ${home.zone}\` closes the files of this home to others.`
  const faults = [...new Set([...loose, ...refused])]
  if (faults.length === 0) return [{ check: 'secrets', result: 'ok', found: 'this zone’s own, and closed to others' }]
  return faults.map((found) => {
    const isLoose = / has mode /.test(found)
    return { check: 'secrets', result: 'failed', found, ...(isLoose && { hint }) }
  })
}
