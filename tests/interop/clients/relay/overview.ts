// A page of clients that can load more, in the form of a Relay component.

import { graphql } from "react-relay";

export const overview = graphql`
  query overviewQuery($search: String, $filter: ClientFilterInput) {
    viewer {
      organization {
        name
      }
    }
    ...overview_clients @arguments(search: $search, filter: $filter)
  }
`;

export const clients = graphql`
  fragment overview_clients on Query
  @argumentDefinitions(
    search: { type: "String" }
    filter: { type: "ClientFilterInput" }
    count: { type: "Int", defaultValue: 25 }
    cursor: { type: "String" }
  )
  @refetchable(queryName: "overviewClientsRefetchQuery") {
    clients(search: $search, filter: $filter, first: $count, after: $cursor)
      @connection(key: "overview_clients", filters: ["search", "filter"]) {
      totalCount
      edges {
        node {
          name
          address {
            city
          }
          revenue(period: { since: "2025-01-01", until: "2025-12-31" }) {
            invoiced {
              amount
              currency
            }
          }
          labels {
            name
            color
          }
        }
      }
    }
  }
`;

export const create = graphql`
  mutation overviewCreateMutation($input: ClientCreateInput!, $connections: [ID!]!) {
    clientCreate(input: $input) {
      client @prependNode(connections: $connections, edgeTypeName: "ClientEdge") {
        name
        ...client_card
      }
      userErrors {
        code
        path
      }
    }
  }
`;
