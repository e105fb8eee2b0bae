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
  (relaties.client_month.month < least($2::DATE,
  $3::DATE)) != (relaties.client_month.until >= $3::DATE - 1) AS is_in,
  CASE WHEN (relaties.client_month.month < least($2::DATE,
  $3::DATE)) THEN -relaties.client_month.invoiced ELSE relaties.client_month.invoiced END AS invoiced,
  CASE WHEN (relaties.client_month.month < least($2::DATE,
  $3::DATE)) THEN -relaties.client_month.invoiced_base ELSE relaties.client_month.invoiced_base END AS invoiced_base,
  CASE WHEN (relaties.client_month.month < least($2::DATE,
  $3::DATE)) THEN -relaties.client_month.paid ELSE relaties.client_month.paid END AS paid,
  CASE WHEN (relaties.client_month.month < least($2::DATE,
  $3::DATE)) THEN -relaties.client_month.paid_base ELSE relaties.client_month.paid_base END AS paid_base,
  CASE WHEN (relaties.client_month.until >= $3::DATE - 1) THEN relaties.client_month.outstanding ELSE 0.00 END AS outstanding,
  CASE WHEN (relaties.client_month.until >= $3::DATE - 1) THEN relaties.client_month.outstanding_base ELSE 0.00 END AS outstanding_base
FROM relaties.client_month
WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.client_id IN (SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND (relaties.client.name_key LIKE $4::VARCHAR OR relaties.client.number_key LIKE $5::VARCHAR) AND relaties.client.archived_at IS NOT NULL AND (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($6::UUID[]))) AND (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($7::UUID[])) = cardinality($7::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($8::UUID[]))) AND (EXISTS (SELECT *
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = relaties.client.id AND relaties.client_contact.is_invoice_contact IS true)) AND (EXISTS (SELECT *
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $9::VARCHAR)) AND relaties.client.kvk_number = $10::VARCHAR AND relaties.client.vat_number = $11::VARCHAR AND relaties.client.updated_at >= $12::TIMESTAMP WITH TIME ZONE) AND relaties.client_month.month + 0 < $3::DATE AND relaties.client_month.until >= least($2::DATE,
  $3::DATE) - 1 AND (relaties.client_month.month < least($2::DATE,
  $3::DATE) OR relaties.client_month.until >= $3::DATE - 1) UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  relaties.invoice.invoice_date >= $2::DATE AS is_in,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross AS outstanding,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.gross_base AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id IN (SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND (relaties.client.name_key LIKE $4::VARCHAR OR relaties.client.number_key LIKE $5::VARCHAR) AND relaties.client.archived_at IS NOT NULL AND (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($6::UUID[]))) AND (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($7::UUID[])) = cardinality($7::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($8::UUID[]))) AND (EXISTS (SELECT *
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = relaties.client.id AND relaties.client_contact.is_invoice_contact IS true)) AND (EXISTS (SELECT *
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $9::VARCHAR)) AND relaties.client.kvk_number = $10::VARCHAR AND relaties.client.vat_number = $11::VARCHAR AND relaties.client.updated_at >= $12::TIMESTAMP WITH TIME ZONE) AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date >= $3::DATE AND relaties.invoice.invoice_date <= $13::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  relaties.payment_allocation.paid_on >= $2::DATE AS is_in,
  0.00 AS invoiced,
  0.00 AS invoiced_base,
  relaties.payment_allocation.amount AS paid,
  relaties.payment_allocation.amount_base AS paid_base,
  -relaties.payment_allocation.amount AS outstanding,
  -relaties.payment_allocation.amount_base AS outstanding_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id IN (SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND (relaties.client.name_key LIKE $4::VARCHAR OR relaties.client.number_key LIKE $5::VARCHAR) AND relaties.client.archived_at IS NOT NULL AND (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($6::UUID[]))) AND (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($7::UUID[])) = cardinality($7::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($8::UUID[]))) AND (EXISTS (SELECT *
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = relaties.client.id AND relaties.client_contact.is_invoice_contact IS true)) AND (EXISTS (SELECT *
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $9::VARCHAR)) AND relaties.client.kvk_number = $10::VARCHAR AND relaties.client.vat_number = $11::VARCHAR AND relaties.client.updated_at >= $12::TIMESTAMP WITH TIME ZONE) AND relaties.payment_allocation.paid_on >= $3::DATE AND relaties.payment_allocation.paid_on <= $13::DATE UNION ALL SELECT relaties.invoice.client_id AS client_id,
  relaties.invoice.currency AS currency,
  relaties.invoice.invoice_date >= $2::DATE AS is_in,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net AS invoiced,
  CASE WHEN (relaties.invoice.kind = 'CREDIT_NOTE') THEN -1 ELSE 1 END * relaties.invoice.net_base AS invoiced_base,
  0.00 AS paid,
  0.00 AS paid_base,
  0.00 AS outstanding,
  0.00 AS outstanding_base
FROM relaties.invoice
WHERE relaties.invoice.tenant_id = $1::UUID AND relaties.invoice.client_id IN (SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND (relaties.client.name_key LIKE $4::VARCHAR OR relaties.client.number_key LIKE $5::VARCHAR) AND relaties.client.archived_at IS NOT NULL AND (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($6::UUID[]))) AND (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($7::UUID[])) = cardinality($7::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($8::UUID[]))) AND (EXISTS (SELECT *
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = relaties.client.id AND relaties.client_contact.is_invoice_contact IS true)) AND (EXISTS (SELECT *
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $9::VARCHAR)) AND relaties.client.kvk_number = $10::VARCHAR AND relaties.client.vat_number = $11::VARCHAR AND relaties.client.updated_at >= $12::TIMESTAMP WITH TIME ZONE) AND relaties.invoice.is_issued IS true AND relaties.invoice.invoice_date >= $2::DATE AND relaties.invoice.invoice_date <= $14::DATE UNION ALL SELECT relaties.payment_allocation.client_id AS client_id,
  relaties.payment_allocation.currency AS currency,
  relaties.payment_allocation.paid_on >= $2::DATE AS is_in,
  0.00 AS invoiced,
  0.00 AS invoiced_base,
  relaties.payment_allocation.amount AS paid,
  relaties.payment_allocation.amount_base AS paid_base,
  0.00 AS outstanding,
  0.00 AS outstanding_base
FROM relaties.payment_allocation
WHERE relaties.payment_allocation.tenant_id = $1::UUID AND relaties.payment_allocation.client_id IN (SELECT relaties.client.id
FROM relaties.client
WHERE relaties.client.tenant_id = $1::UUID AND (relaties.client.name_key LIKE $4::VARCHAR OR relaties.client.number_key LIKE $5::VARCHAR) AND relaties.client.archived_at IS NOT NULL AND (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($6::UUID[]))) AND (SELECT count(*) AS count_1
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($7::UUID[])) = cardinality($7::UUID[]) AND NOT (EXISTS (SELECT *
FROM relaties.client_label
WHERE relaties.client_label.tenant_id = $1::UUID AND relaties.client_label.client_id = relaties.client.id AND relaties.client_label.label_id = any($8::UUID[]))) AND (EXISTS (SELECT *
FROM relaties.client_contact
WHERE relaties.client_contact.tenant_id = $1::UUID AND relaties.client_contact.client_id = relaties.client.id AND relaties.client_contact.is_invoice_contact IS true)) AND (EXISTS (SELECT *
FROM relaties.client_address
WHERE relaties.client_address.tenant_id = $1::UUID AND relaties.client_address.client_id = relaties.client.id AND relaties.client_address.type = 'PRIMARY' AND relaties.client_address.country = $9::VARCHAR)) AND relaties.client.kvk_number = $10::VARCHAR AND relaties.client.vat_number = $11::VARCHAR AND relaties.client.updated_at >= $12::TIMESTAMP WITH TIME ZONE) AND relaties.payment_allocation.paid_on >= $2::DATE AND relaties.payment_allocation.paid_on <= $14::DATE) AS moved GROUP BY moved.currency) AS summed GROUP BY GROUPING SETS((),
  summed.currency) ORDER BY grouping(summed.currency) = 1 DESC,
  summed.currency
