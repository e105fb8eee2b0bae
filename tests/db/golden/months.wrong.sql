WITH counted AS
(SELECT moved.client_id AS client_id,
  moved.month AS month,
  moved.currency AS currency,
  sum(moved.invoiced) AS invoiced,
  sum(moved.invoiced_base) AS invoiced_base,
  sum(moved.gross) AS gross,
  sum(moved.gross_base) AS gross_base,
  sum(moved.paid) AS paid,
  sum(moved.paid_base) AS paid_base
FROM (SELECT relaties.invoice.client_id AS client_id,
  CAST(date_trunc('month',
  CAST(relaties.invoice.invoice_date AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE) AS month,
  relaties.invoice.currency AS currency,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS gross,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross_base AS gross_base,
  0.00 AS paid,
  0.00 AS paid_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id = ANY ($2::UUID[]) AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date BETWEEN $3::DATE AND $4::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  CAST(date_trunc('month',
  CAST(relaties.payment_allocation.paid_on AS TIMESTAMP WITHOUT TIME ZONE)) AS DATE) AS date_trunc_1,
  relaties.payment_allocation.currency AS currency,
  0.00,
  0.00,
  0.00,
  0.00,
  relaties.payment_allocation.amount AS amount,
  relaties.payment_allocation.amount_base AS amount_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id = ANY ($2::UUID[]) AND relaties.payment_allocation.paid_on BETWEEN $3::DATE AND $4::DATE) AS moved GROUP BY moved.client_id,
  moved.month,
  moved.currency),
 
kept AS
(SELECT relaties.client_month.client_id AS client_id,
  relaties.client_month.month AS month,
  relaties.client_month.currency AS currency,
  relaties.client_month.invoiced AS invoiced,
  relaties.client_month.invoiced_base AS invoiced_base,
  relaties.client_month.gross AS gross,
  relaties.client_month.gross_base AS gross_base,
  relaties.client_month.paid AS paid,
  relaties.client_month.paid_base AS paid_base
FROM relaties.client_month
WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.client_id = ANY ($2::UUID[]))
 SELECT DISTINCT found.client_id AS id
FROM ((SELECT counted.client_id AS client_id,
  counted.month AS month,
  counted.currency AS currency,
  counted.invoiced AS invoiced,
  counted.invoiced_base AS invoiced_base,
  counted.gross AS gross,
  counted.gross_base AS gross_base,
  counted.paid AS paid,
  counted.paid_base AS paid_base
FROM counted EXCEPT SELECT kept.client_id AS client_id,
  kept.month AS month,
  kept.currency AS currency,
  kept.invoiced AS invoiced,
  kept.invoiced_base AS invoiced_base,
  kept.gross AS gross,
  kept.gross_base AS gross_base,
  kept.paid AS paid,
  kept.paid_base AS paid_base
FROM kept) UNION ALL (SELECT kept.client_id AS client_id,
  kept.month AS month,
  kept.currency AS currency,
  kept.invoiced AS invoiced,
  kept.invoiced_base AS invoiced_base,
  kept.gross AS gross,
  kept.gross_base AS gross_base,
  kept.paid AS paid,
  kept.paid_base AS paid_base
FROM kept EXCEPT SELECT counted.client_id AS client_id,
  counted.month AS month,
  counted.currency AS currency,
  counted.invoiced AS invoiced,
  counted.invoiced_base AS invoiced_base,
  counted.gross AS gross,
  counted.gross_base AS gross_base,
  counted.paid AS paid,
  counted.paid_base AS paid_base
FROM counted)) AS found ORDER BY found.client_id
