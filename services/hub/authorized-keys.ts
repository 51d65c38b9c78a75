import { parseArgs } from 'node:util'
import { readAgents } from '#adapters/keys/trust-files.ts'
import { renderAuthorizedKeys } from '#core/trust.ts'

// Prints who may enter the hub, each with a forced command: sshd's AuthorizedKeysCommand, run at each connection.
const { trust, shell, repository } = parseArgs({
  options: { trust: { type: 'string' }, shell: { type: 'string' }, repository: { type: 'string' } },
}).values
if (!trust || !shell || !repository) throw new Error('--trust, --shell and --repository are needed')
process.stdout.write(renderAuthorizedKeys(await readAgents(trust), { shell, repository }))
