SELECT grouping(summed.currency) = 1 AS is_total,
  CASE WHEN (grouping(summed.currency) = 1) THEN (SELECT relaties.organization.base_currency
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID) ELSE summed.currency END AS currency,
  CAST(CASE WHEN (grouping(summed.currency) = 1) THEN coalesce(sum(summed.invoiced_base),
  0.00) ELSE sum(summed.invoiced) END AS TEXT) AS invoiced,
  CAST(CASE WHEN (grouping(summed.currency) = 1) THEN coalesce(sum(summed.paid_base),
  0.00) ELSE sum(summed.paid) END AS TEXT) AS paid,
  CAST(CASE WHEN (grouping(summed.currency) = 1) THEN coalesce(sum(summed.outstanding_base),
  0.00) ELSE sum(summed.outstanding) END AS TEXT) AS outstanding,
  asked.id AS client_id
FROM unnest($2::UUID[]) AS asked(id) LEFT OUTER JOIN (SELECT moved.client_id AS client_id,
  moved.currency AS currency,
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
  (relaties.client_month.month < $3::DATE) != (relaties.client_month.until >= $4::DATE) AS is_in,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.invoiced ELSE relaties.client_month.invoiced END AS invoiced,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.invoiced_base ELSE relaties.client_month.invoiced_base END AS invoiced_base,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.paid ELSE relaties.client_month.paid END AS paid,
  CASE WHEN (relaties.client_month.month < $3::DATE) THEN -relaties.client_month.paid_base ELSE relaties.client_month.paid_base END AS paid_base,
  CASE WHEN (relaties.client_month.until >= $4::DATE) THEN relaties.client_month.outstanding ELSE 0.00 END AS outstanding,
  CASE WHEN (relaties.client_month.until >= $4::DATE) THEN relaties.client_month.outstanding_base ELSE 0.00 END AS outstanding_base
FROM relaties.client_month
WHERE relaties.client_month.tenant_id = $1::UUID AND relaties.client_month.client_id = ANY ($2::UUID[]) AND relaties.client_month.month + 0 <= $4::DATE AND relaties.client_month.until >= $3::DATE - 1 AND (relaties.client_month.month < $3::DATE OR relaties.client_month.until >= $4::DATE)) AS moved GROUP BY moved.client_id,
  moved.currency) AS summed ON summed.client_id = asked.id GROUP BY GROUPING SETS(asked.id,
  (asked.id,
  summed.currency))
HAVING grouping(summed.currency) = 1 OR summed.currency IS NOT NULL ORDER BY asked.id,
  grouping(summed.currency) = 1 DESC,
  summed.currency
