SELECT relaties.client_portal.id AS id,
  relaties.client_portal.client_id AS client_id,
  relaties.client_portal.name AS name,
  relaties.client_portal.language AS language,
  relaties.client_portal.shows_descriptions AS shows_descriptions,
  relaties.client_portal.shows_rates AS shows_rates,
  relaties.client_portal.shows_budget AS shows_budget,
  relaties.client_portal.shows_invoices AS shows_invoices,
  relaties.client_portal.shows_quotes AS shows_quotes,
  relaties.client_portal.takes_approval AS takes_approval,
  relaties.client_portal.closed_at AS closed_at,
  relaties.client_portal.created_at AS created_at,
  relaties.client_portal.updated_at AS updated_at,
  relaties.client_portal.version AS version
FROM relaties.client_portal
WHERE relaties.client_portal.tenant_id = $1::UUID AND relaties.client_portal.id = ANY ($2::UUID[])
