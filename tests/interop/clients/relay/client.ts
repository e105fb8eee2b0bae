// One client in depth. More of its contacts are loaded through `node`, by the client's id.

import { graphql } from "react-relay";

export const client = graphql`
  query clientQuery($id: ID!) {
    node(id: $id) {
      ...client_card @alias
      ...client_contacts @alias
    }
  }
`;

export const card = graphql`
  fragment client_card on Client @throwOnFieldError {
    name
    number
    kind
    createdAt
    labels {
      name
    }
  }
`;

export const contacts = graphql`
  fragment client_contacts on Client
  @argumentDefinitions(count: { type: "Int", defaultValue: 25 }, cursor: { type: "String" })
  @refetchable(queryName: "clientContactsRefetchQuery") {
    contacts(first: $count, after: $cursor) @connection(key: "client_contacts") {
      edges {
        isPrimary
        isInvoiceContact
        node {
          fullName
          ...client_contact
        }
      }
    }
  }
`;

export const contact = graphql`
  fragment client_contact on Contact @refetchable(queryName: "clientContactRefetchQuery") {
    fullName
    clients(first: 3) {
      edges {
        department
        node {
          name
        }
      }
    }
  }
`;

export const rename = graphql`
  mutation clientRenameMutation($input: ClientUpdateInput!, $key: String!) {
    clientUpdate(input: $input) @idempotent(key: $key) {
      client {
        name
        version
      }
      userErrors {
        code
        path
      }
    }
  }
`;

// The role of a contact at a client is a field of the edge, so the payload returns the client with its contacts.
export const link = graphql`
  mutation clientContactLinkMutation($input: ClientContactLinkInput!) {
    clientContactLink(input: $input) {
      client {
        ...client_contacts
      }
      userErrors {
        code
        path
      }
    }
  }
`;
