SELECT grouping(moved.currency) = 1 AS is_total,
  CASE WHEN (grouping(moved.currency) = 1) THEN (SELECT relaties.organization.base_currency
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID) ELSE moved.currency END AS currency,
  CAST(CASE WHEN (grouping(moved.currency) = 1) THEN coalesce(sum(moved.invoiced_base),
  0.00) ELSE sum(moved.invoiced) END AS TEXT) AS invoiced,
  CAST(CASE WHEN (grouping(moved.currency) = 1) THEN coalesce(sum(moved.paid_base),
  0.00) ELSE sum(moved.paid) END AS TEXT) AS paid,
  CAST(CASE WHEN (grouping(moved.currency) = 1) THEN coalesce(sum(moved.outstanding_base),
  0.00) ELSE sum(moved.outstanding) END AS TEXT) AS outstanding,
  asked.id AS client_id
FROM unnest($2::UUID[]) AS asked(id) LEFT OUTER JOIN (SELECT relaties.invoice.currency AS currency,
  CASE WHEN (relaties.invoice.invoice_date >= $3::DATE) THEN CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net ELSE 0.00 END AS invoiced,
  CASE WHEN (relaties.invoice.invoice_date >= $3::DATE) THEN CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base ELSE 0.00 END AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS outstanding,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross_base AS outstanding_base,
  relaties.invoice.client_id AS client_id
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date <= $4::DATE AND relaties.invoice.client_id = ANY ($2::UUID[]) UNION ALL SELECT relaties.payment_allocation.currency AS currency,
  0.00,
  0.00,
  CASE WHEN (relaties.payment_allocation.paid_on >= $3::DATE) THEN relaties.payment_allocation.amount ELSE 0.00 END AS anon_1,
  CASE WHEN (relaties.payment_allocation.paid_on >= $3::DATE) THEN relaties.payment_allocation.amount_base ELSE 0.00 END AS anon_2,
  -relaties.payment_allocation.amount AS anon_3,
  -relaties.payment_allocation.amount_base AS anon_4,
  relaties.payment_allocation.client_id AS client_id
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.paid_on <= $4::DATE AND relaties.payment_allocation.client_id = ANY ($2::UUID[])) AS moved ON moved.client_id = asked.id GROUP BY GROUPING SETS(asked.id,
  (asked.id,
  moved.currency))
HAVING grouping(moved.currency) = 1 OR moved.currency IS NOT NULL ORDER BY asked.id,
  grouping(moved.currency) = 1 DESC,
  moved.currency
