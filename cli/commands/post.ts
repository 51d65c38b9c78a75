import { text as readAll } from 'node:stream/consumers'
import type { Command } from 'commander'
import { briefOf } from '#core/action.ts'
import { NETWORKS } from '#core/social-text.ts'
import { type Cli, example, PROGRAM } from '../cli.ts'
import { draftOwnPost } from '../draft-post.ts'
import { terminalText } from '../table.ts'

interface Options {
  title?: string
  notBefore?: string
  publishAt?: string
  image?: string[]
  alt?: string[]
}

export function configure(command: Command, cli: Cli): void {
  command
    .argument('<network>', NETWORKS.join(', '))
    .argument('[text]', 'the whole text; without it, what comes on stdin')
    .option('--title <text>', 'how the task is called; the beginning of the text without it')
    .option('--not-before <time>', 'published by this machine then or later: 2026-12-01T08:00:00Z')
    .option('--publish-at <time>', 'kept and published by the network then (Mastodon, Facebook)')
    .option('--image <file>', 'an image, once for each; for Instagram its https address, needed there', collect)
    .option('--alt <text>', 'what the image shows, once for each, in the same order', collect)
    .addHelpText(
      'after',
      `\nWrites a draft into Pending_Approval/social. Nothing is posted before you have approved its card.\n${example(
        'post bluesky "We are open on Monday"',
        'post mastodon --image stall.jpg --alt "Our stall" "On the market today"',
        'post mastodon --publish-at 2026-12-01T08:00:00Z < text.md',
      )}`,
    )
    .action(async (network: string, given: string | undefined, options: Options) => {
      const post = { network, text: given ?? (await readAll(process.stdin)), ...options }
      const { path, action } = await draftOwnPost(await cli.home(), post, Date.now())
      const id = path.slice(-9, -3)
      cli.answer(
        { path, action },
        `${terminalText(briefOf(action))}, in ${path}.\nRead its card there, then approve it there or with ${PROGRAM} approve ${id}.`,
      )
    })
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
