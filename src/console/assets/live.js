/** Draws the page again when something has changed. Without this file, pages show it when they are loaded. */
const state = document.getElementById('live-state')
const parts = () => [...document.querySelectorAll('[data-live]')]

let shown = document.documentElement.dataset.version
let drawing = false
let again = false

/** What a person is busy with stays: a field they write in, something they have opened. */
function isBusy(part) {
  const active = document.activeElement
  const writes = active !== null && part.contains(active) && active.matches('input, select, textarea')
  return writes || part.querySelector('details[open] form') !== null
}

async function draw() {
  if (drawing) {
    again = true
    return
  }
  drawing = true
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
    if (!answer.ok || answer.redirected) return
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html')
    shown = next.documentElement.dataset.version
    for (const part of parts()) {
      const fresh = next.querySelector(`[data-live="${part.dataset.live}"]`)
      if (fresh === null || isBusy(part) || fresh.innerHTML === part.innerHTML) continue
      const focused = part.contains(document.activeElement)
        ? document.activeElement.getAttribute('href')
        : null
      part.replaceChildren(...fresh.childNodes)
      part.classList.remove('changed')
      void part.offsetWidth
      part.classList.add('changed')
      if (focused !== null) part.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus()
    }
  } finally {
    drawing = false
    if (again) {
      again = false
      draw()
    }
  }
}

if (parts().length > 0) {
  const account = document.documentElement.dataset.account
  const events = new EventSource(`/live?account=${encodeURIComponent(account)}`)
  events.addEventListener('open', () => {
    state.textContent = 'Live'
  })
  events.addEventListener('error', () => {
    state.textContent = 'Not live; reload to see what is new'
  })
  events.addEventListener('change', ({ data }) => {
    if (data !== shown) draw()
  })
  addEventListener('pagehide', () => events.close())
}
