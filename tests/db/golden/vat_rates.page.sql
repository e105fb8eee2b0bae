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
FROM relaties.vat_rate JOIN (SELECT relaties.vat_rate.id AS id,
  relaties.vat_rate.id AS key
FROM relaties.vat_rate
WHERE relaties.vat_rate.tenant_id = $1::UUID AND (relaties.vat_rate.id,
  relaties.vat_rate.id) > ($2::UUID,
  $3::UUID) ORDER BY relaties.vat_rate.id,
  relaties.vat_rate.id
 LIMIT $4::INTEGER) AS page ON page.id = relaties.vat_rate.id
WHERE relaties.vat_rate.tenant_id = $1::UUID ORDER BY page.key,
  page.id
