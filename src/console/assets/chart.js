/** Draws the readings of the table as lines. Exact amounts stay in the table; a picture needs no more than this. */
const script = document.querySelector('script[data-uplot]')
const { default: UPlot } = await import(script.dataset.uplot)

const figure = document.getElementById('chart')
const cells = name => [...document.querySelectorAll(`[data-${name}]`)].map(cell => cell.dataset[name])
const numbers = name => cells(name).map(text => (text === '' ? null : Number(text)))

function draw() {
  const told = numbers('actual')
  const implied = numbers('implied')
  const times = cells('at').map(instant => new Date(instant).getTime() / 1000)
  const parted = told.map((value, at) => {
    const [a, b] = [cells('actual')[at], cells('implied')[at]]
    return a !== '' && b !== '' && a !== b ? value : null
  })
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const grid = { stroke: colour('--line'), width: 1 }
  const days = (_plot, splits) => splits.map(seconds => new Date(seconds * 1000).toISOString().slice(5, 10))
  const minute = (_plot, seconds) =>
    seconds === null || seconds === undefined
      ? ''
      : new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const axis = { stroke: colour('--soft'), grid, ticks: grid, font: '12px system-ui, sans-serif' }
  const cross = (plot, index) => {
    plot.ctx.save()
    plot.ctx.strokeStyle = colour('--bad')
    plot.ctx.lineWidth = 2 * devicePixelRatio
    const size = 5 * devicePixelRatio
    for (const [at, value] of plot.data[index].entries()) {
      if (value === null || value === undefined) continue
      const x = plot.valToPos(plot.data[0][at], 'x', true)
      const y = plot.valToPos(value, 'y', true)
      plot.ctx.beginPath()
      plot.ctx.moveTo(x - size, y - size)
      plot.ctx.lineTo(x + size, y + size)
      plot.ctx.moveTo(x + size, y - size)
      plot.ctx.lineTo(x - size, y + size)
      plot.ctx.stroke()
    }
    plot.ctx.restore()
    return false
  }
  const short = (_plot, values) =>
    values.map(value => new Intl.NumberFormat('en-US', { maximumFractionDigits: 8 }).format(value))
  figure.replaceChildren()
  new UPlot(
    {
      width: figure.clientWidth,
      height: 300,
      tzDate: seconds => UPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: { x: { time: true } },
      axes: [
        { ...axis, values: days },
        { ...axis, size: 90, values: short },
      ],
      series: [
        { label: 'UTC', value: minute },
        { label: 'Told', stroke: colour('--accent'), width: 2, points: { size: 5 } },
        { label: 'Implied', stroke: colour('--warn'), width: 2, dash: [6, 4], points: { show: false } },
        { label: 'Parts', stroke: colour('--bad'), width: 0, paths: () => null, points: { show: cross } },
      ],
    },
    [times, told, implied, parted],
    figure,
  )
}

if (figure !== null && cells('at').length > 1) {
  draw()
  let width = figure.clientWidth
  addEventListener('resize', () => {
    if (figure.clientWidth !== width) draw()
    width = figure.clientWidth
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
}
