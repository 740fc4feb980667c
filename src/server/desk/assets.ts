/** What pages load: under names that tell their content, so that a browser may keep them for ever. */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import express, { type Router } from 'express'
import type { PageFrame } from '../../console/layout.ts'

export interface Assets {
  readonly names: PageFrame['assets']
  readonly files: ReadonlyMap<string, { readonly bytes: Buffer; readonly type: string }>
}

const OWN = join(import.meta.dirname, '../../console/assets')
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot'))

const SOURCES = {
  style: [join(OWN, 'style.css'), 'style', 'css'],
  live: [join(OWN, 'live.js'), 'live', 'js'],
  chart: [join(OWN, 'chart.js'), 'chart', 'js'],
  uplot: [join(UPLOT, 'uPlot.esm.js'), 'uplot', 'js'],
  uplotStyle: [join(UPLOT, 'uPlot.min.css'), 'uplot', 'css'],
} as const satisfies Record<keyof PageFrame['assets'], readonly [string, string, 'css' | 'js']>

const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' } as const

export function loadAssets(): Assets {
  const files = new Map<string, { bytes: Buffer; type: string }>()
  const names = Object.entries(SOURCES).map(([name, [source, title, ending]]) => {
    const bytes = readFileSync(source)
    const target = `/assets/${title}-${hash('sha256', bytes, 'hex').slice(0, 12)}.${ending}`
    files.set(target, { bytes, type: TYPES[ending] })
    return [name, target] as const
  })
  files.set('/assets/icon.svg', { bytes: readFileSync(join(OWN, 'icon.svg')), type: 'image/svg+xml' })
  return { names: Object.fromEntries(names) as PageFrame['assets'], files }
}

export function assetRoutes({ files }: Assets): Router {
  const router = express.Router()
  router.get('/assets/:name', (request, response) => {
    const file = files.get(`/assets/${request.params.name}`)
    if (file === undefined) return void response.status(404).type('text').send('There is no such file.')
    const forEver = request.params.name !== 'icon.svg'
    response
      .set('cache-control', forEver ? 'public, max-age=31536000, immutable' : 'public, max-age=86400')
      .set('content-type', file.type)
      .send(file.bytes)
  })
  return router
}
