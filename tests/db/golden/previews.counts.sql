SELECT relaties.client.id AS id,
  relaties.client.archived_at AS archived_at,
  anon_1."all" AS projects,
  anon_1.active AS active_projects,
  anon_2."all" AS registrations,
  anon_2.time AS time_registrations,
  anon_2.expense AS expense_registrations,
  anon_2.mileage AS mileage_registrations,
  anon_2.unbilled AS unbilled_registrations,
  anon_3."all" AS invoices,
  anon_3.drafts AS draft_invoices,
  anon_4.payments AS payments,
  anon_5."all" AS quotes,
  anon_5.drafts AS draft_quotes,
  anon_6."all" AS portals,
  anon_6.open AS open_portals
FROM relaties.client JOIN LATERAL (SELECT count(*) AS "all",
  count(*) FILTER (WHERE relaties.project.archived_at IS NULL) AS active
FROM relaties.project
WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.client_id = relaties.client.id) AS anon_1 ON true JOIN LATERAL (SELECT count(*) AS "all",
  count(*) FILTER (WHERE relaties.registration.kind = 'TIME') AS time,
  count(*) FILTER (WHERE relaties.registration.kind = 'EXPENSE') AS expense,
  count(*) FILTER (WHERE relaties.registration.kind = 'MILEAGE') AS mileage,
  count(*) FILTER (WHERE relaties.registration.is_billable IS true AND relaties.registration.status IN ('OPEN',
  'PENDING',
  'APPROVED')) AS unbilled
FROM relaties.registration
WHERE relaties.registration.tenant_id = $1::UUID AND relaties.registration.client_id = relaties.client.id) AS anon_2 ON true JOIN LATERAL (SELECT count(*) AS "all",
  count(*) FILTER (WHERE relaties.invoice.status = 'DRAFT') AS drafts
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = relaties.client.id) AS anon_3 ON true JOIN LATERAL (SELECT count(distinct(relaties.payment_allocation.payment_id)) AS payments
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id = relaties.client.id AND NOT (EXISTS (SELECT *
FROM relaties.payment_allocation AS payment_allocation_1
WHERE payment_allocation_1.tenant_id = $1::UUID AND payment_allocation_1.payment_id = relaties.payment_allocation.payment_id AND payment_allocation_1.client_id != relaties.payment_allocation.client_id))) AS anon_4 ON true JOIN LATERAL (SELECT count(*) AS "all",
  count(*) FILTER (WHERE relaties.quote.status = 'DRAFT') AS drafts
FROM relaties.quote
WHERE relaties.quote.tenant_id = $1::UUID AND relaties.quote.client_id = relaties.client.id) AS anon_5 ON true JOIN LATERAL (SELECT count(*) AS "all",
  count(*) FILTER (WHERE relaties.client_portal.closed_at IS NULL) AS open
FROM relaties.client_portal
WHERE relaties.client_portal.tenant_id = $1::UUID AND relaties.client_portal.client_id = relaties.client.id) AS anon_6 ON true
WHERE relaties.client.tenant_id = $1::UUID AND relaties.client.id = ANY ($2::UUID[])
