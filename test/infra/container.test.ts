/** The container files, as far as they can be judged without an engine. `npm run test:container` runs their content. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { VARIABLES } from '../../src/config/env.ts'
import { parseKnob } from '../../src/sandbox/knobs.ts'
import { dockerfile } from '../support/dockerfile.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const image = dockerfile(read('infra/Dockerfile'))
const compose = read('infra/compose.yaml')

describe('the image', () => {
  it('runs the Node that the repository is tested with', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: { node: string } }
    expect(image.bases).toEqual(Array.from({ length: 2 }, () => `node:${devDependencies.node}-trixie-slim`))
  })

  it('copies what is there, and its context holds no more than that', () => {
    const sources = image.copies.flatMap(copy => copy.sources)
    expect(sources.filter(source => !existsSync(join(ROOT, source)))).toEqual([])
    const [nothing, ...allowed] = read('infra/Dockerfile.dockerignore').trim().split('\n')
    expect(nothing).toBe('*')
    expect(allowed.map(line => line.replace(/^!/, '')).sort()).toEqual([...new Set(sources)].sort())
  })

  it('is nobody special, has no development dependencies, and says whether it lives', () => {
    expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(image.install).toEqual(['npm', 'ci', '--omit=dev', '--ignore-scripts'])
    expect(image.healthcheck.join(' ')).toContain('/healthz')
    expect(existsSync(join(ROOT, image.entrypoint[1]!))).toBe(true)
    for (const name of Object.keys(image.environment))
      expect(name === 'NODE_ENV' || Object.hasOwn(VARIABLES, name)).toBe(true)
  })
})

describe('the composition', () => {
  it('names versions of what it fetches', () => {
    const images = [...compose.matchAll(/image: (\S+)/g)].map(([, name]) => name!)
    const fetched = images.filter(name => name !== 'daybook')
    expect(fetched.length).toBe(2)
    for (const name of fetched) expect(name).toMatch(/:RELEASE\.\d{4}-\d{2}-\d{2}T/)
  })

  it('sets variables that there are, and a knob that there is', () => {
    const variables = [...compose.matchAll(/^ {6}([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name!)
    const others = ['MINIO_ROOT_USER', 'MINIO_ROOT_PASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
    expect(variables.length).toBeGreaterThan(6)
    expect(variables.filter(name => !Object.hasOwn(VARIABLES, name) && !others.includes(name))).toEqual([])
    const [, knob] = /"--knob", "([^"]+)"/.exec(compose)!
    expect(parseKnob(knob!)).toEqual({ fileContainer: 'gzip' })
  })

  it('shows nothing to other machines', () => {
    const ports = [...compose.matchAll(/ ports: \[([^\]]+)\]/g)].flatMap(([, all]) =>
      all!.split(', ').map(port => port.replaceAll('"', '')),
    )
    expect(ports).toEqual(['127.0.0.1:8080:8080', '127.0.0.1:8081:8081'])
  })
})
