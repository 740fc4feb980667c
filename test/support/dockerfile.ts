/** What the last stage of a Dockerfile says, as far as ours goes. */
export interface Dockerfile {
  readonly bases: readonly string[]
  /** Files of the repository, of every stage. */
  readonly copies: readonly { readonly sources: readonly string[]; readonly target: string }[]
  /** The command that installs the dependencies. */
  readonly install: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly user: string
  readonly healthcheck: readonly string[]
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
}

export function dockerfile(text: string): Dockerfile {
  const lines = text.split('\n').filter(line => /^[A-Z]+ /.test(line))
  const all = (instruction: string) =>
    lines.filter(line => line.startsWith(`${instruction} `)).map(line => line.slice(instruction.length + 1))
  const last = (instruction: string) => all(instruction).at(-1) ?? ''
  const list = (json: string) => JSON.parse(json) as string[]
  const copies = all('COPY')
    .filter(line => !line.startsWith('--from'))
    .map(line => line.split(' '))
    .map(words => ({ sources: words.slice(0, -1), target: words.at(-1)! }))
  return {
    bases: all('FROM').map(line => line.split(' ')[0]!),
    copies,
    install: all('RUN')
      .find(line => line.startsWith('npm '))!
      .split(' '),
    environment: Object.fromEntries(
      last('ENV')
        .split(' ')
        .map(pair => pair.split('=') as [string, string]),
    ),
    user: last('USER'),
    healthcheck: list(last('HEALTHCHECK').replace(/^.*? CMD /, '')),
    entrypoint: list(last('ENTRYPOINT')),
    command: list(last('CMD')),
  }
}
