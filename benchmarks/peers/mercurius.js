// Mercurius on Fastify with JIT and its own loaders, which batch per level. Each object is loaded once, so the loader cache is off.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { clients, contacts, labels, node, port, revenue, typeDefs } from './common.js'

const opts = { cache: false }
const keys = queries => queries.map(({ obj }) => obj.key)
const app = Fastify()
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Query: { clients, node }, Node: { resolveType: () => 'Client' } },
  loaders: {
    Client: {
      contacts: { loader: queries => contacts(keys(queries)), opts },
      labels: { loader: queries => labels(keys(queries)), opts },
      revenue: { loader: queries => revenue(keys(queries), queries[0].params.period), opts },
    },
  },
  jit: 1,
})
await app.listen({ port, host: '127.0.0.1' })
