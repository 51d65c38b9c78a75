/** What a container sees of itself. All of it facts; what they mean is judged elsewhere. */
export interface ContainerLook {
  /** Paths of files that are secrets by their place, with whether there is anything in them. */
  readonly secrets: readonly { readonly path: string; readonly isEmpty: boolean }[]
  /** Names of the settings of this program that its environment holds. */
  readonly settings: readonly string[]
  /** Where it could speak to Docker (or another maker of containers). */
  readonly sockets: readonly string[]
  readonly uid: number
  /** Linux capabilities that are in effect, as the kernel's number; undefined: the kernel does not say. */
  readonly capabilities: string | undefined
  readonly noNewPrivileges: boolean | undefined
  /** Source files that its programs were made of, as the bundler left their names. */
  readonly sources: readonly { readonly program: string; readonly files: readonly string[] }[]
  /** Paths at which a browser, or what drives one, was found. */
  readonly browsers: readonly string[]
  /** Ports that other containers of its networks can reach. */
  readonly ports: readonly number[]
  /** Connections past the way out. */
  readonly direct: readonly Attempt[]
  /** What the way out said to what nobody may ask for; empty where this container knows none. */
  readonly through: readonly Attempt[]
}

export interface Attempt {
  /** `host:port`. */
  readonly place: string
  /** `connected`, or why not. */
  readonly outcome: string
}
