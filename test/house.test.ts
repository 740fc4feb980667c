/** The rules of the house, read off the sources' text. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

function filesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && ending.test(entry.name))
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort()
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const SOURCES = ['src', 'handlers'].flatMap(folder => filesIn(folder, /\.ts$/))

/** The code without comments, so that a rule is about what runs. */
function codeOf(path: string): string {
  return read(path)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
}

/** Every file of the sources that an import of `path` names, types included. */
function importsOf(path: string): string[] {
  const found = codeOf(path).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)
  return [...found].map(([, target]) => relative(ROOT, resolve(ROOT, path, '..', target!)))
}

const FLOORS: readonly [RegExp, number][] = [
  [/^(src\/domain\/|package\.json$)/, 0],
  [/^src\/(formats|config)\//, 1],
  [/^src\/(log|host)\.ts$/, 1],
  [/^src\/(stores|providers)\//, 2],
  [/^src\/(stages|exports)\//, 3],
  [/^src\/(callback-answer|pipeline|planning|proving|sweep|wiring)\.ts$/, 4],
  [/^(src\/(server|console|cli|sandbox)|handlers|infra)\//, 5],
]

function floorOf(path: string): number {
  const floor = FLOORS.find(([pattern]) => pattern.test(path))?.[1]
  if (floor === undefined) throw new Error(`${path} stands on no floor`)
  return floor
}

const folderOf = (path: string) => path.split('/').slice(0, 2).join('/')

/** The lines of the sources that break a rule, but for the files where it may be broken. */
function linesWith(
  pattern: RegExp,
  allowed: readonly string[],
  files: readonly string[] = SOURCES,
): string[] {
  return files
    .filter(path => !allowed.some(part => path.startsWith(part)))
    .flatMap(path =>
      codeOf(path)
        .split('\n')
        .filter(line => pattern.test(line))
        .map(line => `${path}: ${line.trim()}`),
    )
}

describe('the house', () => {
  it('has every file on a floor and every import pointing down or staying in its folder', () => {
    const wrong = SOURCES.flatMap(path =>
      importsOf(path)
        .filter(
          target =>
            floorOf(target) > floorOf(path) ||
            (floorOf(target) === floorOf(path) &&
              floorOf(path) < 4 &&
              folderOf(target) !== folderOf(path) &&
              !/^src\/(log|host)\.ts$/.test(target)),
        )
        .map(target => `${path} → ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it('keeps siblings apart: providers from providers, stores from providers both ways, stages from stages', () => {
    const wrong = SOURCES.flatMap(path =>
      importsOf(path)
        .filter(target => {
          if (path.startsWith('src/stores/')) return target.startsWith('src/providers/')
          if (path.startsWith('src/providers/') && target.startsWith('src/stores/')) return true
          if (path.startsWith('src/stages/'))
            return target.startsWith('src/stages/') && target !== 'src/stages/context.ts'
          const [, provider] = /^src\/providers\/([^/]+)\//.exec(path) ?? []
          const [, other] = /^src\/providers\/([^/]+)\//.exec(target) ?? []
          return provider !== undefined && other !== undefined && provider !== other
        })
        .map(target => `${path} → ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it('has handlers that decide nothing: they import no other entry', () => {
    const wrong = SOURCES.filter(path => path.startsWith('handlers/')).flatMap(path =>
      importsOf(path).filter(target => /^(src\/(server|cli|sandbox)|infra|test)\//.test(target)),
    )
    expect(wrong).toEqual([])
  })

  it('never lets the sandbox and the client share code of a provider', () => {
    const wrong = SOURCES.filter(path => path.startsWith('src/sandbox/')).flatMap(path =>
      importsOf(path).filter(target => /^src\/(providers|stages|stores|formats)\//.test(target)),
    )
    expect(wrong).toEqual([])
  })

  it('keeps the stack apart: of the sources it knows the domain and the names of variables', () => {
    const stack = filesIn('infra', /\.ts$/)
    expect(stack.length).toBeGreaterThan(8)
    const wrong = stack.flatMap(path =>
      importsOf(path)
        .filter(target => !/^(infra\/|src\/domain\/|src\/config\/env\.ts$)/.test(target))
        .map(target => `${path} → ${target}`),
    )
    expect(wrong).toEqual([])
    const inside = SOURCES.flatMap(path => importsOf(path)).filter(target => target.startsWith('infra/'))
    expect(inside).toEqual([])
    expect(linesWith(/export default|export \* from/, [], stack)).toEqual([])
  })

  it('reads the environment in one place', () => {
    expect(linesWith(/process\.env/, ['src/config/env.ts'])).toEqual([])
  })

  it('reads the clock in one place', () => {
    expect(linesWith(/Date\.now\(|new Date\(\)|performance\.now\(/, ['src/host.ts'])).toEqual([])
  })

  it('takes chance from one place', () => {
    expect(
      linesWith(/Math\.random|randomBytes|randomUUID|randomInt|getRandomValues/, ['src/host.ts']),
    ).toEqual([])
  })

  it('opens connections in few places', () => {
    const allowed = [
      'src/providers/http.ts',
      'src/providers/download.ts',
      'src/wiring.ts',
      'src/server/server.ts',
      'src/sandbox/',
      'src/cli/demo.ts',
    ]
    expect(
      linesWith(/from '(undici|node:https?|node:tls)'|(?<![#.\w])fetch\(|createServer\(/, allowed),
    ).toEqual([])
  })

  it('has no float on the money path', () => {
    const money = SOURCES.filter(path => /^src\/(domain|formats|providers|stages|exports)\//.test(path))
    expect(linesWith(/parseFloat\(/, [], money)).toEqual([])
    expect(linesWith(/JSON\.parse\(/, ['src/domain/json.ts'], money)).toEqual([])
    // A day's number and an id's second are whole numbers far below 2^53.
    const counts = ['src/domain/calendar.ts', 'src/providers/binance-pay/id.ts']
    expect(linesWith(/\bNumber\(/, counts, money)).toEqual([])
    expect(linesWith(/\bNumber\b/, [], ['src/domain/activity.ts', 'src/formats/wallet-sums.ts'])).toEqual([])
  })

  it('names files for what they export', () => {
    const named = [...SOURCES, ...filesIn('infra', /\.ts$/), ...filesIn('test', /\.ts$/)]
    expect(named.filter(path => !/^[a-z0-9.-]+$/.test(path.split('/').at(-1)!))).toEqual([])
    expect(
      named.filter(path => /(utils?|helpers?|manager|service|common|misc|index)\.ts$/.test(path)),
    ).toEqual([])
    expect(linesWith(/export default|export \* from/, [])).toEqual([])
  })

  it('leaves nothing for later', () => {
    const files = [...SOURCES, ...filesIn('infra', /\.(ts|md|yaml)$/), ...filesIn('test', /\.ts$/)]
    const everything = files.filter(path => path !== 'test/house.test.ts')
    expect(
      linesWith(/\b(TODO|FIXME|XXX|HACK)\b|\b(it|test|describe)\.(only|todo)\(|@ts-ignore/, [], everything),
    ).toEqual([])
    const comments = everything.filter(path => /\b(TODO|FIXME|HACK)\b/.test(read(path)))
    expect(comments).toEqual([])
  })

  it('pins every dependency to one version and says in the README why it is there', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >
    const all = { ...dependencies, ...devDependencies }
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
      [],
    )
    const readme = read('README.md')
    expect(Object.keys(all).filter(name => !readme.includes(`\`${name}\``))).toEqual([])
  })

  it('names tests that exist for every promise', () => {
    const named = [...read('README.md').matchAll(/`(test\/[\w./-]+\.ts)`(?: › ([^;|`]+?))?(?=[;|]| \|)/g)]
    expect(named.length).toBeGreaterThan(8)
    const missing = named.filter(([, path, title]) => !read(path!).includes(title?.trim() ?? ''))
    expect(missing.map(([text]) => text)).toEqual([])
  })
})
