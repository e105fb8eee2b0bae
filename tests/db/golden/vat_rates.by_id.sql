SELECT relaties.vat_rate.id AS id,
  relaties.vat_rate.name AS name,
  relaties.vat_rate.country AS country,
  CAST(relaties.vat_rate.percentage AS TEXT) AS percentage,
  relaties.vat_rate.category AS category,
  relaties.vat_rate.valid_from AS valid_from,
  relaties.vat_rate.valid_until AS valid_until,
  relaties.vat_rate.external_code AS external_code,
  relaties.vat_rate.is_active AS is_active,
  relaties.vat_rate.version AS version
FROM relaties.vat_rate
WHERE relaties.vat_rate.tenant_id = $1::UUID AND relaties.vat_rate.id = ANY ($2::UUID[])
