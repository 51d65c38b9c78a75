import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A disk of 24 MB in the place of a folder, with what was in the folder. Disposing takes it away. */
export interface SmallDisk extends Disposable {
  /** Takes all its room; what gives it back again is returned. */
  fill(): () => void
  /** `ro`, `rw`, or `abort`: read-only as the kernel makes a failing disk, whatever is open on it. */
  remount(how: string): void
  /** Mounts it anew, as after a reboot. Nobody may use it. */
  reboot(): void
}

export function smallDisk(dir: string): SmallDisk {
  const image = `${dir}.img`
  mkdirSync(dir, { recursive: true })
  cpSync(dir, `${dir}.kept`, { recursive: true })
  writeFileSync(image, '')
  run('truncate', '-s', '24M', image)
  run('mkfs.ext4', '-q', '-m', '0', '-b', '4096', image)
  run('mount', '-o', 'loop', image, dir)
  cpSync(`${dir}.kept`, dir, { recursive: true })
  return {
    fill() {
      const ballast = join(dir, 'ballast')
      spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=1k'])
      return () => rmSync(ballast)
    },
    remount: (how) => run('mount', '-o', `remount,${how}`, dir),
    reboot() {
      run('umount', dir)
      run('mount', '-o', 'loop', image, dir)
    },
    // Lazily: a process that was killed this moment may not have let go of it.
    [Symbol.dispose]: () => run('umount', '-l', dir),
  }
}

/** A folder in memory; the hub syncs its whole file system at each push. Where nothing may be mounted, an ordinary one. */
export function folderInMemory(): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-memory-'))
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]).status === 0
  return {
    dir,
    [Symbol.dispose]() {
      if (isMounted) run('umount', '-l', dir)
      rmSync(dir, { recursive: true })
    },
  }
}

/** Whether this process may mount disks. */
export function maySmallDisk(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'countersign-mount-'))
  try {
    smallDisk(join(dir, 'disk'))[Symbol.dispose]()
    return true
  } catch {
    return false
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
