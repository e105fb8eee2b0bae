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
  (relaties.client_month.month < $3::DATE) != (relaties.client_month.until >= $4::DATE) AS is_in,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.invoiced ELSE relaties.client_month.invoiced END AS invoiced,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.invoiced_base ELSE relaties.client_month.invoiced_base END AS invoiced_base,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.paid ELSE relaties.client_month.paid END AS paid,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.paid_base ELSE relaties.client_month.paid_base END AS paid_base,
  CASE WHEN (relaties.client_month.until >= $4::DATE) THEN relaties.client_month.outstanding ELSE 0.00 END AS outstanding,
  CASE WHEN (relaties.client_month.until >= $4::DATE) THEN relaties.client_month.outstanding_base ELSE 0.00 END AS outstanding_base
FROM relaties.client_month
WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.client_id = ANY ($2::UUID[]) AND relaties.client_month.month + 0 <= $4::DATE AND relaties.client_month.until >= $3::DATE - 1 AND (relaties.client_month.month < $3::DATE OR relaties.client_month.until >= $4::DATE)) AS moved GROUP BY moved.client_id) AS summed ON summed.client_id = asked.id
