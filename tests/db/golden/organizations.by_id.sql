SELECT relaties.organization.tenant_id AS id,
  relaties.organization.name AS name,
  relaties.organization.base_currency AS base_currency,
  relaties.organization.country AS country,
  relaties.organization.locale AS locale,
  relaties.organization.timezone AS timezone,
  relaties.organization.version AS version
FROM relaties.organization
WHERE relaties.organization.tenant_id = $1::UUID AND relaties.organization.tenant_id = ANY ($2::UUID[])
