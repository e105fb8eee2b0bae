SELECT moved.client_id AS client_id,
  moved.currency AS currency,
  CAST(sum(moved.invoiced) AS TEXT) AS invoiced,
  CAST(sum(moved.outstanding) AS TEXT) AS outstanding,
  CAST(sum(moved.unbilled) AS TEXT) AS unbilled
FROM (SELECT relaties.registration.client_id AS client_id,
  relaties.registration.currency AS currency,
  0.00 AS invoiced,
  0.00 AS outstanding,
  CASE WHEN (relaties.registration.kind = 'TIME' AND relaties.project.invoice_method IN ('NONE',
  'PROJECT_FIXED')) THEN 0.00 ELSE relaties.registration.amount_net END AS unbilled
FROM relaties.registration LEFT OUTER JOIN relaties.project ON relaties.project.tenant_id = $1::UUID AND relaties.project.id = relaties.registration.project_id
WHERE relaties.registration.tenant_id = $1::UUID AND relaties.registration.client_id = ANY ($2::UUID[]) AND relaties.registration.is_billable IS true AND relaties.registration.status IN ('OPEN',
  'PENDING',
  'APPROVED') UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS anon_1,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS anon_2,
  0.00
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = ANY ($2::UUID[]) AND relaties.invoice.is_issued IS true UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  0.00,
  -relaties.payment_allocation.amount AS anon_3,
  0.00
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id = ANY ($2::UUID[])) AS moved GROUP BY moved.client_id,
  moved.currency ORDER BY moved.client_id,
  moved.currency
