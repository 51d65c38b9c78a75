import { type Progress, upgradeFiles } from '../../cli/upgrade/migrate-home.ts'
import { openZoneHome } from '../../cli/zone-home.ts'
import { upgradeStores } from './upgrade-stores.ts'

// Migrates a zone home as `countersign upgrade` does, and dies by SIGKILL at one of the places where it can be stopped:
// `node upgrade-main.ts <home> <place>`, counted from 0. Ends with 0 when there is no such place.

const [, , root = '', place = ''] = process.argv
let reached = 0
const maybeDie = () => {
  if (reached++ === Number(place)) process.kill(process.pid, 'SIGKILL')
}
const home = await openZoneHome(root)
const now = () => {
  maybeDie()
  return Date.now()
}
const files = upgradeFiles(home, upgradeStores(maybeDie), '0.2.0', now)
const progress: Progress = { to: '0.2.0', at: new Date().toISOString(), stage: 'stopping', services: [] }
files.save(progress)
await files.migrate(progress)
maybeDie()
files.release()
files.finish()
