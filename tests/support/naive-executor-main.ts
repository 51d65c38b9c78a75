import { mkdirSync, readdirSync, readFileSync, renameSync, watch } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'

// How an executor is written by whoever does not think of its death: send, then put the file away. The control of the
// crash matrix: the harness must catch it sending twice.

const { COUNTERSIGN_VAULT: vault = '', COUNTERSIGN_OWNER_ADDRESS: from = '', ...env } = process.env
const transport = createTransport({
  host: env.COUNTERSIGN_SMTP_HOST,
  port: Number(env.COUNTERSIGN_SMTP_PORT),
  ignoreTLS: true,
  auth: { user: from, pass: readFileSync(env.COUNTERSIGN_SMTP_PASSWORD_FILE ?? '', 'utf8') },
})
const [approved, done] = [join(vault, 'Approved'), join(vault, 'Done/2026-11')]
mkdirSync(done, { recursive: true })
let isBusy = false

async function work(): Promise<void> {
  if (isBusy) return
  isBusy = true
  for (const name of readdirSync(approved)) {
    const text = readFileSync(join(approved, name), 'utf8')
    await transport.sendMail({ from, to: 'client@countersign.test', subject: 'Naive', text })
    renameSync(join(approved, name), join(done, name))
  }
  isBusy = false
}

watch(approved, () => void work())
console.log('{"port":1,"state":"ready"}')
await work()
