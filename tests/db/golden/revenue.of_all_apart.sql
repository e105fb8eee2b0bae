SELECT grouping(summed.currency) = 1 AS is_total,
  CASE WHEN (grouping(summed.currency) = 1) THEN (SELECT relaties.organization.base_currency
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID) ELSE summed.currency END AS currency,
  CAST(CASE WHEN (grouping(summed.currency) = 1) THEN coalesce(sum(summed.invoiced_base),
  0.00) ELSE sum(summed.invoiced) END AS TEXT) AS invoiced,
  CAST(CASE WHEN (grouping(summed.currency) = 1) THEN coalesce(sum(summed.paid_base),
  0.00) ELSE sum(summed.paid) END AS TEXT) AS paid,
  CAST(CASE WHEN (grouping(summed.currency) = 1) THEN coalesce(sum(summed.outstanding_base),
  0.00) ELSE sum(summed.outstanding) END AS TEXT) AS outstanding
FROM (SELECT moved.currency AS currency,
  coalesce(sum(moved.invoiced) FILTER (WHERE moved.is_in),
  0.00) AS invoiced,
  coalesce(sum(moved.invoiced_base) FILTER (WHERE moved.is_in),
  0.00) AS invoiced_base,
  coalesce(sum(moved.paid) FILTER (WHERE moved.is_in),
  0.00) AS paid,
  coalesce(sum(moved.paid_base) FILTER (WHERE moved.is_in),
  0.00) AS paid_base,
  sum(moved.outstanding) AS outstanding,
  sum(moved.outstanding_base) AS outstanding_base
FROM (SELECT relaties.client_month.client_id AS client_id,
  relaties.client_month.currency AS currency,
  relaties.client_month.month >= $2::DATE AS is_in,
  relaties.client_month.invoiced AS invoiced,
  relaties.client_month.invoiced_base AS invoiced_base,
  relaties.client_month.paid AS paid,
  relaties.client_month.paid_base AS paid_base,
  relaties.client_month.gross - relaties.client_month.paid AS outstanding,
  relaties.client_month.gross_base - relaties.client_month.paid_base AS outstanding_base
FROM relaties.client_month
WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.month < $3::DATE UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  relaties.invoice.invoice_date >= $2::DATE AS is_in,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS outstanding,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross_base AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date >= $3::DATE AND relaties.invoice.invoice_date <= $4::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  relaties.payment_allocation.paid_on >= $2::DATE AS is_in,
  0.00 AS invoiced,
  0.00 AS invoiced_base,
  relaties.payment_allocation.amount AS paid,
  relaties.payment_allocation.amount_base AS paid_base,
  -relaties.payment_allocation.amount AS outstanding,
  -relaties.payment_allocation.amount_base AS outstanding_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.paid_on >= $3::DATE AND relaties.payment_allocation.paid_on <= $4::DATE UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  relaties.invoice.invoice_date >= $2::DATE AS is_in,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  0.00 AS outstanding,
  0.00 AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date >= $2::DATE AND relaties.invoice.invoice_date <= $5::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  relaties.payment_allocation.paid_on >= $2::DATE AS is_in,
  0.00 AS invoiced,
  0.00 AS invoiced_base,
  relaties.payment_allocation.amount AS paid,
  relaties.payment_allocation.amount_base AS paid_base,
  0.00 AS outstanding,
  0.00 AS outstanding_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.paid_on >= $2::DATE AND relaties.payment_allocation.paid_on <= $5::DATE) AS moved GROUP BY moved.currency) AS summed GROUP BY GROUPING SETS((),
  summed.currency) ORDER BY grouping(summed.currency) = 1 DESC,
  summed.currency
