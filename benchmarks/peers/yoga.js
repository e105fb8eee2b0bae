// graphql-yoga as in its documentation. Its caches of parsed and validated documents are on by default.
import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { context, port, resolvers, typeDefs } from './common.js'

const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context, logging: false })
createServer(yoga).listen(port, '127.0.0.1')
