// Drives a started Handschlag server with the official clients of Segment and
// RudderStack, unmodified, and checks what was answered and what was stored.
import assert from 'node:assert/strict'
import { spawn, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import net from 'node:net'
import { Analytics } from '@segment/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const bin = new URL('../bin/handschlag', import.meta.url).pathname
const data = mkdtempSync(join(tmpdir(), 'handschlag-clients-'))
const clock = join(data, 'clock')
const setClock = (t) => writeFileSync(clock, t + '\n')
const day = '2026-03-02'
setClock(`${day}T12:00:00Z`)

const freePort = () => new Promise((ok) => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => ok(port)) })
})
const port = await freePort()
const url = `http://127.0.0.1:${port}`
const writeKey = 'write-key-of-the-client-test'
const serverKey = 'server-key-of-the-client-test'
const env = { ...process.env, HANDSCHLAG_WRITE_KEY: writeKey, HANDSCHLAG_SERVER_KEY: serverKey, HANDSCHLAG_CLOCK: '@' + clock }
const server = spawn(bin, ['serve', '--data', join(data, 'shop'), '--listen', `127.0.0.1:${port}`], { env, stdio: ['ignore', 'pipe', 'pipe'] })
let said = ''
server.stdout.on('data', (b) => { said += b })
server.stderr.on('data', (b) => { said += b })
const ended = new Promise((ok) => server.on('exit', ok))

const call = async (method, path, key, body) => {
  const res = await fetch(url + path, {
    method, body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: 'Basic ' + Buffer.from(key + ':').toString('base64') },
  })
  return { status: res.status, body: await res.json() }
}
const until = async (what, ready) => {
  for (let i = 0; i < 200; i++) {
    if (await ready().catch(() => false)) return
    await new Promise((r) => setTimeout(r, 50))
  }
  throw new Error(`waited in vain for ${what}; the server said:\n${said}`)
}

const filesWith = (pattern, dir) => readdirSync(dir, { recursive: true, withFileTypes: true })
  .filter((f) => f.isFile() && pattern.test(readFileSync(join(f.parentPath, f.name), 'latin1')))
  .map((f) => f.name)

// The clients tell nothing of the server's answers, so all that follows is
// asserted on what it stored.
let passed = 0
const promise = (name, check) => { check(); passed++; console.log('ok   ' + name) }

try {
  await until('the server', async () => (await fetch(url + '/readyz')).ok)
  const shown = ['analytics', 'personalisation_content', 'adviser_assist']
  const consent = (anonymousId, purposes) => call('POST', '/v1/consent', writeKey, {
    anonymousId, purposes, purposes_shown: shown, method: 'save', notice: { version: '1', language: 'en' }, ui: { version: 'banner-1' },
  })
  const yes = 'segment-visitor-0001-said-yes', no = 'segment-visitor-0002-said-no', rudder = 'rudder-visitor-00003-said-yes'
  assert.equal((await consent(yes, { analytics: true, personalisation_content: true, adviser_assist: true })).status, 201)
  assert.equal((await consent(no, {})).status, 201)
  assert.equal((await consent(rudder, { analytics: true })).status, 201)
  assert.equal((await call('PUT', '/v1/products', serverKey, { products: [
    { product_id: 'B12', category: 'bags', product_class: 'premium', price_cents: 45900, stock: 3, locales: ['de', 'en'], tags: [] },
  ] })).status, 200)
  setClock(`${day}T12:00:10Z`)

  const segment = new Analytics({ writeKey, host: url, flushAt: 5 })
  const failures = []
  segment.on('error', (e) => failures.push(e))
  const stamp = { consent: { categoryPreferences: { Analytics: true, Personalization: true, AdviserAssist: true } } }
  const context = { ...stamp, ip: '198.51.100.23', userAgent: 'Mozilla/5.0 Chrome/142.0.0.0', page: { url: 'https://shop.example/p/B12?email=ada@shop.example', title: 'Secret title' } }
  segment.track({ anonymousId: yes, event: 'Product Viewed', properties: { product_id: 'B12', price: 1, email: 'ada@shop.example' }, context })
  segment.page({ anonymousId: yes, name: 'Home', context })
  segment.track({ anonymousId: yes, event: 'Products Searched', properties: { query: 'bags for ada@shop.example' }, context })
  segment.track({ anonymousId: yes, event: 'Product Viewed', properties: { product_id: 'B12' } }) // no consent object: refused
  segment.track({ anonymousId: no, event: 'Product Viewed', properties: { product_id: 'B12' }, context }) // says yes, ledger says no
  await segment.closeAndFlush()
  promise('the Segment client was answered without an error', () => assert.deepEqual(failures, []))

  const client = new RudderAnalytics(writeKey, { dataPlaneUrl: url })
  const allowed = { consentManagement: { allowedConsentIds: ['Analytics'], deniedConsentIds: ['Personalization'] } }
  client.track({ anonymousId: rudder, event: 'Product Viewed', properties: { product_id: 'B12' }, context: allowed })
  client.track({ anonymousId: rudder, event: 'Product Added', properties: { product_id: 'B12', quantity: 2 }, context: { consentManagement: { allowedConsentIds: [], deniedConsentIds: ['Analytics'] } } })
  await new Promise((ok, fail) => client.flush((e) => (e ? fail(e) : ok())))
  promise('the RudderStack client was answered without an error', () => {})

  setClock('2026-03-03T03:00:00Z')
  execFileSync(bin, ['nightly', '--data', join(data, 'shop'), '--as-of', '2026-03-03'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const rows = execFileSync(bin, ['audit', 'events', '--data', join(data, 'shop'), '--day', day], { env, encoding: 'utf8' })
    .trim().split('\n').filter(Boolean).map((l) => JSON.parse(l))
  const kinds = rows.map((r) => r.kind).sort()

  promise('stored: three events of Segment, one of RudderStack; three refused ones left nothing', () =>
    assert.deepEqual(kinds, ['page', 'product_viewed', 'product_viewed', 'products_searched']))
  promise('product facts come from the catalogue, not from the browser', () =>
    assert.ok(rows.filter((r) => r.kind === 'product_viewed').every((r) => r.fields.product_id === 'B12' && r.fields.price_cents === 45900)))
  promise('a category that RudderStack\'s client denies keeps its event out of that purpose', () =>
    assert.deepEqual(rows.filter((r) => !r.purposes.includes('personalisation_content')).map((r) => r.kind), ['product_viewed']))
  promise('the search kept only the word that the catalogue knows', () =>
    assert.deepEqual(rows.find((r) => r.kind === 'products_searched').fields.query_words, ['bags']))
  promise('no id, address, browser or title of the messages is in any stored file', () => {
    const all = filesWith(/ada@shop|198\.51\.100\.23|Secret title|said-yes|said-no/, join(data, "shop"))
    assert.deepEqual(all, [])
  })
} finally {
  server.kill('SIGTERM')
  await ended
  rmSync(data, { recursive: true, force: true })
}
console.log(`${passed} passed, 0 failed`)
process.exit(0)
