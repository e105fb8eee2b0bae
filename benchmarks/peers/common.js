// Code that the JavaScript peers share: run the product's statements on a pool, and convert rows to the types of the schema.
// The product exports the statements at the start, with the names of their parameters in order and columns named as the fields.
import { readFileSync } from 'node:fs'
import DataLoader from 'dataloader'
import pg from 'pg'

const { tenant, since: EVER, until: NEVER, statements } = JSON.parse(readFileSync(process.env.PEER_STATEMENTS, 'utf8'))
const CONTACTS = 25

export { tenant }
export const typeDefs = readFileSync(new URL('schema.graphql', import.meta.url), 'utf8')
export const port = Number(process.env.PORT)
export const pool = new pg.Pool({ connectionString: process.env.PEER_DATABASE_URL, max: 8 })

async function fetchRows(name, parameterValues) {
  const { text, parameters } = statements[name]
  const values = { tenant, ...parameterValues }
  const result = await pool.query({ name, text, values: parameters.map(parameter => values[parameter]) })
  return result.rows
}

function groupByClient(rows, ids, convert) {
  const groups = new Map(ids.map(id => [id, []]))
  for (const row of rows) groups.get(row.clientId).push(convert(row))
  return ids.map(id => groups.get(id))
}

export const globalId = key => 'cli_' + Buffer.from(key.replaceAll('-', ''), 'hex').toString('base64url')

function client(row) {
  row.id = globalId(row.key)
  return row
}

const cursor = row => Buffer.from(JSON.stringify([row.nameKey, row.key])).toString('base64')
const link = row => ({ isInvoiceContact: row.isInvoiceContact, node: row })
const money = (row, of) => ({ amount: row[of], currency: row.currency })
const figures = row => ({ invoiced: money(row, 'invoiced'), paid: money(row, 'paid'), outstanding: money(row, 'outstanding') })

export async function clients(_, { filter, first, after }) {
  const [afterKey, afterId] = after ? JSON.parse(Buffer.from(after, 'base64')) : []
  const name = `clients ${filter?.status ?? 'ALL'}${after ? ' next' : ''}`
  const rows = await fetchRows(name, { count: first + 1, after_key: afterKey, after_id: afterId })
  const edges = rows.slice(0, first).map(row => ({ cursor: cursor(row), node: client(row) }))
  const pageInfo = {
    hasNextPage: rows.length > first,
    hasPreviousPage: Boolean(after),
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  }
  return { edges, pageInfo }
}

export async function node(_, { id }) {
  const key = Buffer.from(id.slice('cli_'.length), 'base64url').toString('hex')
  const [row] = await fetchRows('client', { ids: [key] })
  return row ? client(row) : null
}

export async function contacts(ids) {
  const groups = groupByClient(await fetchRows('contacts', { ids, size: CONTACTS }), ids, link)
  return groups.map(edges => ({ edges: edges.slice(0, CONTACTS) }))
}

export async function labels(ids) {
  return groupByClient(await fetchRows('labels', { ids }), ids, row => row)
}

export async function revenue(ids, period) {
  const rows = await fetchRows('revenue', { ids, start: period?.since ?? EVER, end: period?.until ?? NEVER })
  const totals = new Map(rows.filter(row => row.isTotal).map(row => [row.clientId, figures(row)]))
  return ids.map(id => totals.get(id))
}

// For peers whose documentation uses a DataLoader per relation and request.
export function context() {
  const periods = new Map()
  return {
    contacts: new DataLoader(contacts),
    labels: new DataLoader(labels),
    revenue(period) {
      const key = JSON.stringify(period ?? null)
      if (!periods.has(key)) periods.set(key, new DataLoader(ids => revenue(ids, period)))
      return periods.get(key)
    },
  }
}

export const resolvers = {
  Query: { clients, node },
  Node: { __resolveType: () => 'Client' },
  Client: {
    contacts: ({ key }, _, { contacts }) => contacts.load(key),
    labels: ({ key }, _, { labels }) => labels.load(key),
    revenue: ({ key }, { period }, { revenue }) => revenue(period).load(key),
  },
}
