import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { examplesPath } from '#core/examples.ts'
import type { IncomingMail } from '#core/ports/mail.ts'
import { draftOf, renderTaskFile, type TaskFile, withSection } from '#core/task-file.ts'
import { fileNameOf } from '#core/vault-path.ts'
import { type ClientMail, readClientInbox, sendAsClient } from './client-mail.ts'
import {
  agreement,
  auditOf,
  commitThatAdded,
  doneFile,
  draftedBy,
  hubPaths,
  mentions,
  nonEmpty,
  presented,
  readTask,
  taskOfMail,
  verify,
} from './evidence.ts'
import { SCRIPTED, type ScriptedModel } from './scripted-model.ts'
import { pendingFile, type Step, type Story } from './story-parts.ts'
import { youAskForMore } from './story-redraft.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

export const SUBJECT = 'Invoice for March'
const LETTER = `Hello Olivia,

could you send me the invoice for March, please? I would like to pay it this week.

Kind regards
Clara`
const ADDED = 'The invoice is attached to Monday’s letter; please pay within 14 days.'
/** One wait of the story. Crash tests kill processes in the middle, so this is far above what a step takes. */
const LIMIT_MS = 90_000

/** The story in order. */
export function storySteps(world: World, model: ScriptedModel | undefined, signal: AbortSignal): Step[] {
  const { smtp, imap, accounts } = world.mailbox
  const story: Story = {
    world,
    model,
    mail: { smtp, imap, client: accounts.client },
    limits: { limitMs: LIMIT_MS, signal },
    known: { messageId: '', file: '', folder: '', month: '', draft: '' },
  }
  return [
    ...whileYouAreAway(story),
    ...youReadIt(story),
    ...(model ? youAskForMore(story) : []),
    ...youDecide(story),
    ...whatItLeaves(story),
  ]
}

/** The local machine is off: a mail becomes a draft at the hub. */
function whileYouAreAway(story: Story): Step[] {
  const { world, mail, limits, known } = story
  const { owner, client } = world.mailbox.accounts
  return [
    {
      name: 'cloud-up',
      title: 'The cloud zone is up; the local machine is off',
      async run() {
        await world.startZone('cloud')
        const running = world.supervisor.state().map((one) => one.name)
        verify(!running.some((name) => name.startsWith('local/')), 'a process of the local zone is running')
        return running.join(', ')
      },
    },
    {
      name: 'mail-sent',
      title: 'A client writes a mail',
      async run() {
        known.messageId = await sendAsClient(mail, { to: owner.address, subject: SUBJECT, text: LETTER })
        return `“${SUBJECT}” from ${client.address} to ${owner.address}`
      },
    },
    {
      name: 'triaged',
      title: 'Triage turns it into a task',
      async run() {
        const task = await until('a task for the mail', () => taskOfMail(world.homes.cloud, known.messageId), limits)
        known.file = fileNameOf(task.path)
        known.folder = `Pending_Approval/${task.task?.front.domain}`
        return known.file
      },
    },
    {
      name: 'claimed',
      title: 'The cloud claims it: the hub accepted the move to In_Progress/cloud',
      async run() {
        const path = `In_Progress/cloud/${known.file}`
        return until(`${path} in the hub's history`, () => commitThatAdded(world.hub, path), limits)
      },
    },
    {
      name: 'drafted',
      title: 'The drafter hands in a reply, which waits for you at the hub',
      async run() {
        const path = await atHub(story, `${known.folder}/${known.file}`)
        const by = await draftedBy(world.hub, path)
        const wanted = story.model ? `openai:${SCRIPTED}` : 'template'
        verify(by === wanted, `it was drafted by ${by}, not by ${wanted}`)
        verify(story.model === undefined || story.model.asked() > 0, 'the model was not asked')
        return `${path}, by ${by}`
      },
    },
    {
      name: 'noted',
      title: 'The cloud leaves a note for the dashboard',
      async run() {
        const look = () => commitThatAdded(world.hub, 'Updates/cloud/*.md')
        return until('a note below Updates/cloud in the hub’s history', look, limits)
      },
    },
  ]
}

/** The local machine is on: the draft lies before the person. */
function youReadIt(story: Story): Step[] {
  const { world, limits } = story
  const pending = () => pendingFile(story)
  return [
    {
      name: 'local-up',
      title: 'You switch your machine on: the draft is in your vault',
      async run() {
        await world.startZone('local')
        const path = pending()
        await until('the draft in the local vault', () => readTask(path), limits)
        return path
      },
    },
    {
      name: 'card',
      title: 'Your machine renders the approval card',
      async run() {
        const path = pending()
        const task = await until('the card', async () => presented(await readTask(path)), limits)
        return `fingerprint ${task.front.presented?.digest.slice(0, 23)}`
      },
    },
  ]
}

/** Edit, approve, done. */
function youDecide(story: Story): Step[] {
  const { world, limits, known } = story
  const { local } = world.homes
  const pending = () => pendingFile(story)
  return [
    {
      name: 'edited',
      title: 'You edit the draft: its card is made anew, for the text as it stands now',
      async run() {
        const path = pending()
        const before = presented(await readTask(path))
        verify(before !== undefined, `${path} is not there`)
        known.draft = `${draftOf(before)}\n\n${ADDED}`
        await writeFile(path, renderTaskFile(withSection(before, 'draft', known.draft)))
        const isNew = (task: TaskFile | undefined) =>
          task && task.front.presented?.digest !== before.front.presented?.digest ? task : undefined
        const task = await until('the new card', async () => isNew(presented(await readTask(path))), limits)
        return `“${ADDED}” added; fingerprint ${task.front.presented?.digest.slice(0, 23)}`
      },
    },
    {
      name: 'approved',
      title: 'You move the file to Approved/',
      async run() {
        await rename(pending(), join(local.vault, 'Approved', known.file))
        return `Approved/${known.file}`
      },
    },
    {
      name: 'executed',
      title: 'After the undo window it is countersigned and sent; the file moves to Done/',
      async run() {
        const path = await until('the file in Done/', () => doneFile(local, known.file), limits)
        known.month = path.split('/')[1] ?? ''
        const outcome = (await readTask(join(local.vault, path)))?.front.outcome
        verify(outcome !== undefined, `${path} tells no outcome`)
        return `${path}: ${outcome.status}`
      },
    },
  ]
}

/** What the world looks like afterwards. */
function whatItLeaves(story: Story): Step[] {
  const { world, mail, limits, known } = story
  const { cloud, local } = world.homes
  return [
    {
      name: 'delivered',
      title: 'The answer is in the client’s mailbox, once, as you edited it, in its thread',
      async run() {
        const [letter] = await until('the answer', async () => nonEmpty(await readClientInbox(mail)), limits)
        verifyAnswer(letter, known)
        await verifyOne(mail)
        return `Re: ${known.messageId}`
      },
    },
    {
      name: 'remembered',
      title: 'What you made of the draft is kept in your vault, as an example for letters to this client',
      async run() {
        const path = examplesPath(mail.client.address)
        const look = async () => (await mentions(join(local.vault, path), ADDED)) || undefined
        await until(`your edit in ${path}`, look, limits)
        return path
      },
    },
    {
      name: 'done-at-hub',
      title: 'The hub has the finished task',
      run: () => atHub(story, `Done/${known.month}/${known.file}`),
    },
    {
      name: 'dashboard',
      title: 'The dashboard tells of it',
      async run() {
        const dashboard = join(local.vault, 'Dashboard.md')
        await until(
          'the finished task in Dashboard.md',
          () => mentions(dashboard, `Done/${known.month}/${known.file}`),
          limits,
        )
        return dashboard
      },
    },
    {
      name: 'agreed',
      title: 'Hub and both vaults hold the same files',
      run: () => until('hub and vaults to agree', () => agreement(world), limits),
    },
    {
      name: 'audited',
      title: 'Both ledgers verify, from both vaults',
      run: () => until('the ledgers', async () => auditOf([cloud, local]), limits),
    },
    {
      name: 'once',
      title: 'Still exactly one answer',
      async run() {
        await verifyOne(mail)
        return '1 mail'
      },
    },
  ]
}

function atHub(story: Story, path: string): Promise<string> {
  const look = async () => (await hubPaths(story.world.hub)).find((one) => one === path)
  return until(`${path} at the hub`, look, story.limits)
}

function verifyAnswer(letter: IncomingMail | undefined, known: Story['known']): void {
  const headers = (name: string) => (letter?.headers.get(name) ?? []).join(' ')
  verify(letter !== undefined && letter.subject === `Re: ${SUBJECT}`, `the subject is ${letter?.subject}`)
  verify(
    letter.text.replace(/\s+/g, ' ').trim() === known.draft.replace(/\s+/g, ' ').trim(),
    'the text differs from what was approved',
  )
  verify(headers('in-reply-to') === known.messageId, `In-Reply-To is ${headers('in-reply-to')}`)
  verify(headers('references').includes(known.messageId), `References are ${headers('references')}`)
}

async function verifyOne(mail: ClientMail): Promise<void> {
  const count = (await readClientInbox(mail)).length
  verify(count === 1, `the client has ${count} mails`)
}
