SELECT true AS is_total,
  (SELECT relaties.organization.base_currency
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID) AS currency,
  CAST(coalesce(summed.invoiced,
  0.00) AS TEXT) AS invoiced,
  CAST(coalesce(summed.paid,
  0.00) AS TEXT) AS paid,
  CAST(coalesce(summed.outstanding,
  0.00) AS TEXT) AS outstanding,
  asked.id AS client_id
FROM unnest($2::UUID[]) AS asked(id) LEFT OUTER JOIN (SELECT moved.client_id AS client_id,
  coalesce(sum(moved.invoiced_base) FILTER (WHERE moved.is_in),
  0.00) AS invoiced,
  coalesce(sum(moved.paid_base) FILTER (WHERE moved.is_in),
  0.00) AS paid,
  sum(moved.outstanding_base) AS outstanding
FROM (SELECT relaties.client_month.client_id AS client_id,
  relaties.client_month.currency AS currency,
  (relaties.client_month.month < least($3::DATE,
  $4::DATE)) != (relaties.client_month.until >= $4::DATE - 1) AS is_in,
  CASE WHEN (relaties.client_month.month < least($3::DATE,
  $4::DATE)) THEN -relaties.client_month.invoiced ELSE relaties.client_month.invoiced END AS invoiced,
  CASE WHEN (relaties.client_month.month < least($3::DATE,
  $4::DATE)) THEN -relaties.client_month.invoiced_base ELSE relaties.client_month.invoiced_base END AS invoiced_base,
  CASE WHEN (relaties.client_month.month < least($3::DATE,
  $4::DATE)) THEN -relaties.client_month.paid ELSE relaties.client_month.paid END AS paid,
  CASE WHEN (relaties.client_month.month < least($3::DATE,
  $4::DATE)) THEN -relaties.client_month.paid_base ELSE relaties.client_month.paid_base END AS paid_base,
  CASE WHEN (relaties.client_month.until >= $4::DATE - 1) THEN relaties.client_month.outstanding ELSE 0.00 END AS outstanding,
  CASE WHEN (relaties.client_month.until >= $4::DATE - 1) THEN relaties.client_month.outstanding_base ELSE 0.00 END AS outstanding_base
FROM relaties.client_month
WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.client_id = ANY ($2::UUID[]) AND relaties.client_month.month + 0 < $4::DATE AND relaties.client_month.until >= least($3::DATE,
  $4::DATE) - 1 AND (relaties.client_month.month < least($3::DATE,
  $4::DATE) OR relaties.client_month.until >= $4::DATE - 1) UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  relaties.invoice.invoice_date >= $3::DATE AS is_in,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS outstanding,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross_base AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = ANY ($2::UUID[]) AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date >= $4::DATE AND relaties.invoice.invoice_date <= $5::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  relaties.payment_allocation.paid_on >= $3::DATE AS is_in,
  0.00 AS invoiced,
  0.00 AS invoiced_base,
  relaties.payment_allocation.amount AS paid,
  relaties.payment_allocation.amount_base AS paid_base,
  -relaties.payment_allocation.amount AS outstanding,
  -relaties.payment_allocation.amount_base AS outstanding_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id = ANY ($2::UUID[]) AND relaties.payment_allocation.paid_on >= $4::DATE AND relaties.payment_allocation.paid_on <= $5::DATE UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  relaties.invoice.invoice_date >= $3::DATE AS is_in,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  0.00 AS outstanding,
  0.00 AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = ANY ($2::UUID[]) AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date >= $3::DATE AND relaties.invoice.invoice_date <= $6::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  relaties.payment_allocation.paid_on >= $3::DATE AS is_in,
  0.00 AS invoiced,
  0.00 AS invoiced_base,
  relaties.payment_allocation.amount AS paid,
  relaties.payment_allocation.amount_base AS paid_base,
  0.00 AS outstanding,
  0.00 AS outstanding_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id = ANY ($2::UUID[]) AND relaties.payment_allocation.paid_on >= $3::DATE AND relaties.payment_allocation.paid_on <= $6::DATE) AS moved GROUP BY moved.client_id) AS summed ON summed.client_id = asked.id
