// Apollo Server as in its documentation. It caches documents by default.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { context, port, resolvers, typeDefs } from './common.js'

const server = new ApolloServer({ typeDefs, resolvers })
await startStandaloneServer(server, { listen: { port, host: '127.0.0.1', path: '/graphql' }, context: async () => context() })
