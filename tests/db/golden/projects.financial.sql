SELECT relaties.project.id AS project_id,
  coalesce(relaties.client.currency,
  relaties.organization.base_currency) AS currency,
  relaties.project.invoice_method AS invoice_method,
  CAST(relaties.project.hourly_rate AS TEXT) AS hourly_rate,
  CAST(relaties.project.fixed_price AS TEXT) AS fixed_price,
  CAST(relaties.client.default_hourly_rate AS TEXT) AS client_hourly_rate
FROM relaties.project JOIN relaties.client ON relaties.client.tenant_id = $1::UUID AND relaties.client.id = relaties.project.client_id JOIN relaties.organization ON relaties.organization.tenant_id = $1::UUID
WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.id = ANY ($2::UUID[])
