import { execFile } from 'node:child_process'
import type { Notice } from '#core/notice-to-person.ts'
import type { Notifier } from '#core/ports/notifier.ts'
import { notifyFailed } from './notify-fault.ts'

const TIMEOUT_MS = 10_000
const MAX_TITLE = 120
const MAX_BODY = 600

/** What is run for one notice. `input` goes to its standard input. */
interface Call {
  readonly program: string
  readonly args: readonly string[]
  readonly input?: string
}

/** Its words are arguments of a script that never changes. */
const APPLE_SCRIPT = ['on run argv', 'display notification (item 2 of argv) with title (item 1 of argv)', 'end run']
/** Reads its words as JSON, so that nothing of them is ever part of the script. */
const POWER_SHELL = `
$ErrorActionPreference = 'Stop'
$notice = [Console]::In.ReadToEnd() | ConvertFrom-Json
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02)
$texts = $toast.GetElementsByTagName('text')
$null = $texts.Item(0).AppendChild($toast.CreateTextNode($notice.title))
$null = $texts.Item(1).AppendChild($toast.CreateTextNode($notice.body))
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('Countersign').Show([Windows.UI.Notifications.ToastNotification]::new($toast))
`

/** A notification on this machine's desktop: notify-send, osascript or PowerShell, never through a shell. */
export function desktopNotifier(options: {
  readonly platform: NodeJS.Platform
  readonly isOptional: boolean
}): Notifier {
  const { platform, isOptional } = options
  return {
    name: 'desktop',
    isOutside: false,
    isOptional,
    notify: (notice, signal) => run(callFor(platform, notice), signal),
  }
}

function callFor(platform: NodeJS.Platform, { title, lines, isUrgent }: Notice): Call {
  const head = title.slice(0, MAX_TITLE).toWellFormed()
  const body = lines.join('\n').slice(0, MAX_BODY).toWellFormed()
  switch (platform) {
    case 'darwin':
      return { program: 'osascript', args: [...APPLE_SCRIPT.flatMap((line) => ['-e', line]), head, body] }
    case 'win32': {
      // PowerShell takes a script in UTF-16 and reads its input in a code page: both are kept to ASCII.
      const script = Buffer.from(POWER_SHELL, 'utf16le').toString('base64')
      const args = ['-NoProfile', '-NonInteractive', '-EncodedCommand', script]
      return { program: 'powershell.exe', args, input: asciiJson({ title: head, body }) }
    }
    default: {
      const urgency = isUrgent ? 'critical' : 'normal'
      const args = ['--app-name=Countersign', `--urgency=${urgency}`, '--', head, withoutMarkup(body)]
      return { program: 'notify-send', args }
    }
  }
}

/** Desktops show a body as markup, links and images included; entities are shown as they are where it is none. */
function withoutMarkup(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›').replaceAll('&', '＆')
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function run({ program, args, input }: Call, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const options = { timeout: TIMEOUT_MS, signal, windowsHide: true, maxBuffer: 64 * 1024 }
  const child = execFile(program, args, options, (error, _stdout, stderr) => {
    if (!error) return resolve()
    const isMissing = 'code' in error && error.code === 'ENOENT'
    const found = isMissing ? 'there is no such program here' : (stderr.trim().split('\n')[0] ?? '').slice(0, 200)
    reject(notifyFailed(`showing a notification with ${program}`, found || error.message.slice(0, 200), error))
  })
  child.stdin?.on('error', () => {}) // It ended without reading: its exit code tells.
  child.stdin?.end(input ?? '')
  return promise
}
