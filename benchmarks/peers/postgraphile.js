// PostGraphile generates the schema and the SQL of clients and contacts from the tables. It cannot generate sorted labels and revenue from
// tables, so they extend the schema with the product's statements, which run once per level.
import { createServer } from 'node:http'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { lambda, loadMany, loadOne } from 'postgraphile/grafast'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { extendSchema, gql } from 'postgraphile/utils'
import { globalId, labels, pool, port, revenue } from './common.js'

const extension = extendSchema({
  typeDefs: gql`
    type ClientTag { name: String! color: String! }
    type Money { amount: String! currency: String! }
    type Revenue { invoiced: Money! paid: Money! outstanding: Money! }
    input PeriodInput { since: String until: String }
    extend type Client {
      globalId: ID!
      labels: [ClientTag!]!
      revenue(period: PeriodInput): Revenue!
    }
  `,
  objects: {
    Client: {
      plans: {
        globalId: $client => lambda($client.get('id'), globalId, true),
        labels: $client => loadMany($client.get('id'), labels),
        revenue: ($client, args) =>
          loadOne($client.get('id'), {
            shared: args.getRaw('period'),
            load: (ids, { shared }) => revenue(ids, shared),
          }),
      },
    },
  },
})

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [extension],
  disablePlugins: ['PgIndexBehaviorsPlugin'], // it ignores indexes of two columns, and so hides the order by name
  pgServices: [makePgService({ pool, schemas: ['relaties'] })],
  grafserv: { graphqlPath: '/graphql', watch: false, graphiql: false },
  grafast: { explain: false },
})
const server = createServer()
await instance.createServ(grafserv).addTo(server)
server.listen(port, '127.0.0.1')
