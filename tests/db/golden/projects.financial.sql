SELECT relaties.project.id AS project_id,
  coalesce(relaties.client.currency,
  relaties.organization.base_currency) AS currency,
  CAST(relaties.project.hourly_rate AS TEXT) AS hourly_rate,
  CAST(relaties.project.fixed_price AS TEXT) AS fixed_price
FROM relaties.project JOIN relaties.client ON relaties.client.tenant_id = $1::UUID AND relaties.client.id = relaties.project.client_id JOIN relaties.organization ON relaties.organization.tenant_id = $1::UUID
WHERE relaties.project.tenant_id = $1::UUID AND relaties.project.id = ANY ($2::UUID[])
