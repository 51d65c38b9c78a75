import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderTaskFile, section, type TaskFile, withSection } from '#core/task-file.ts'
import { presented, readTask, verify } from './evidence.ts'
import { pendingFile, type Step, type Story } from './story-parts.ts'
import { until } from './until.ts'

const NOTES = 'Say that it comes on Monday.'

/** The draft goes back to the drafter with notes, and comes again. */
export function youAskForMore(story: Story): Step[] {
  const { world, limits, known } = story
  return [
    {
      name: 'asked-again',
      title: 'You write what should change and tick Redraft: it goes back to the cloud',
      async run() {
        const path = pendingFile(story)
        const task = presented(await readTask(path))
        verify(task !== undefined, `${path} is not there`)
        const decision = (section(task, 'decision') ?? '').replace('- [ ] Redraft', '- [x] Redraft')
        await writeFile(path, renderTaskFile(withSection(withSection(task, 'notes', NOTES), 'decision', decision)))
        const asked = join(
          world.homes.local.vault,
          known.folder.replace('Pending_Approval', 'Needs_Action'),
          known.file,
        )
        await until('the file to leave', async () => (await readTask(path)) === undefined || undefined, limits)
        return `“${NOTES}” in ${asked}`
      },
    },
    {
      name: 'revised',
      title: 'It comes again, with what changed and the notes that it answers',
      async run() {
        const path = pendingFile(story)
        const isRevised = (task: TaskFile | undefined) =>
          task && (section(task, 'card') ?? '').includes('| Revision | 2 |') ? task : undefined
        const task = await until('revision 2', async () => isRevised(presented(await readTask(path))), limits)
        const card = section(task, 'card') ?? ''
        const difference = /```diff\n([\s\S]*?)\n```/.exec(card)?.[1] ?? ''
        const changes = difference.split('\n').filter((line) => /^[-+~] /.test(line))
        verify(
          changes.some((line) => line.includes('Monday')),
          `the card does not show what changed:\n${card}`,
        )
        verify(card.includes(NOTES), 'the card does not show the notes')
        verify(section(task, 'notes') === `~~${NOTES}~~`, `the notes are: ${section(task, 'notes')}`)
        return `revision 2:\n${changes.map((line) => `         ${line}`).join('\n')}`
      },
    },
  ]
}
