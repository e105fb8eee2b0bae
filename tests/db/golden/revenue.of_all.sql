SELECT grouping(moved.currency) = 1 AS is_total,
  CASE WHEN (grouping(moved.currency) = 1) THEN (SELECT relaties.organization.base_currency
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID) ELSE moved.currency END AS currency,
  CAST(CASE WHEN (grouping(moved.currency) = 1) THEN coalesce(sum(moved.invoiced_base),
  0.00) ELSE sum(moved.invoiced) END AS TEXT) AS invoiced,
  CAST(CASE WHEN (grouping(moved.currency) = 1) THEN coalesce(sum(moved.paid_base),
  0.00) ELSE sum(moved.paid) END AS TEXT) AS paid,
  CAST(CASE WHEN (grouping(moved.currency) = 1) THEN coalesce(sum(moved.outstanding_base),
  0.00) ELSE sum(moved.outstanding) END AS TEXT) AS outstanding
FROM (SELECT relaties.invoice.currency AS currency,
  CASE WHEN (relaties.invoice.invoice_date >= $2::DATE) THEN CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net ELSE 0.00 END AS invoiced,
  CASE WHEN (relaties.invoice.invoice_date >= $2::DATE) THEN CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base ELSE 0.00 END AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS outstanding,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross_base AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date <= $3::DATE UNION ALL SELECT relaties.payment_allocation.currency AS currency,
  0.00,
  0.00,
  CASE WHEN (relaties.payment_allocation.paid_on >= $2::DATE) THEN relaties.payment_allocation.amount ELSE 0.00 END AS anon_1,
  CASE WHEN (relaties.payment_allocation.paid_on >= $2::DATE) THEN relaties.payment_allocation.amount_base ELSE 0.00 END AS anon_2,
  -relaties.payment_allocation.amount AS anon_3,
  -relaties.payment_allocation.amount_base AS anon_4
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.paid_on <= $3::DATE) AS moved GROUP BY GROUPING SETS((),
  moved.currency) ORDER BY grouping(moved.currency) = 1 DESC,
  moved.currency
