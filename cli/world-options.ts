import { type Command, Option } from 'commander'

export type WorldOptions = {
  readonly redis?: 'path' | 'docker' | 'packages'
  readonly mailbox: 'auto' | 'container' | 'dev'
}

/** The options of the commands that run both zones on this machine: what is otherwise found out. */
export function addWorldOptions(command: Command): Command {
  return command
    .addOption(new Option('--redis <source>', 'where Redis comes from').choices(['path', 'docker', 'packages']))
    .addOption(
      new Option('--mailbox <kind>', 'which mail server').choices(['auto', 'container', 'dev']).default('auto'),
    )
}
